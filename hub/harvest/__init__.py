"""Facts on their way into the store."""
