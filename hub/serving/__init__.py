"""The one path from request to answer, over HTTP."""
