"""The runtime: one path from request to answer."""
