"""Objections (异议处理), and the correction of what was told (DOMAIN §5.10)."""
