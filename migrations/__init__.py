"""The store, versioned."""
