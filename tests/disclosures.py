"""Entries for tests of the disclosure ledger."""

from __future__ import annotations

import time
from typing import Any

from hub.ledger.chain import Disclosure


def disclosure(number: int, subjects: tuple[int, ...] = (7,), **changes: Any) -> Disclosure:
    """An entry that differs from the others by its request id."""
    values: dict[str, Any] = {
        "at": time.time(),
        "request_id": f"request-{number}",
        "partner": "customs",
        "officer": "officer-17",
        "token_id": "token-1",
        "purpose": "MARKET_ACCESS_CHECK",
        "matter": "000131001",
        "case": "2026-0000123",
        "view": "ab" * 16,
        "operation": "cd" * 16,
        "subjects": subjects,
        "classes": "D1=FULL D6=MASKED",
    }
    return Disclosure(**values | changes)
