"""Article 十四: archives of members, conventions, sanctions and certificates of associations."""
