"""The vocabulary that partners see."""
