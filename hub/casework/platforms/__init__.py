"""Article 十一: what e-commerce platforms keep of their merchants; it never feeds punishment."""
