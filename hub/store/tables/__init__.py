"""The store's tables, as SQLAlchemy declares them; migrations/ bring a store to what stands here."""

from __future__ import annotations

from hub.store.tables import casework, facts, governance, sources, subjects
from hub.store.tables.base import metadata

__all__ = ["casework", "facts", "governance", "metadata", "sources", "subjects"]
