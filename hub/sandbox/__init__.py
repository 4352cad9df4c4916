"""Sandbox of every source: real servers of the real protocols, filled with a synthetic province."""
