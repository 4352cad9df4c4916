"""The commands of `credithub`, by what they work on; hub.cli puts them together."""
