"""Dated rule sets: law as rows of data with its source, and the pure functions that apply them."""
