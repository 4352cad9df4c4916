"""The sources: found, asked live, cached, and how recent they are."""
