"""Articles 十 and 十二: tiers of supervision, cases made known, and workers of domestic service."""
