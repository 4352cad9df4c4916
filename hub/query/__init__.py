"""From the document to the one statement."""
