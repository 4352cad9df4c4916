"""Article 六: commitments (信用承诺), and the random inspections that hold their makers to them."""
