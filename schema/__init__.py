"""The vocabulary that partners see.

Annotations are evaluated as they stand (no `from __future__ import annotations`): of strings, Strawberry parses and compiles
each anew, which took a third of the time in which the schema is made, at every start of every process.
"""
