"""Article 五: the credit check at every handling (凡办必查), and acceptance despite missing papers (R5.1 to R5.6)."""
