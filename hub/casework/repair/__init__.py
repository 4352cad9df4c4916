"""Article 九: credit repair (信用修复), its clocks, its results from the national window, its revocation."""
