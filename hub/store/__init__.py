"""The store: its tables, its server and its connections."""
