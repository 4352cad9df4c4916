"""The disclosure ledger: written, proven, asked."""
