"""Article 十八: the quarterly report, its figures and where each comes from."""
