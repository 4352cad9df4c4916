"""Article 五: the credit check at every handling (凡办必查), and acceptance despite missing papers."""
