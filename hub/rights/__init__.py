"""Who asks, why, and what they may see: from the token to the view."""
