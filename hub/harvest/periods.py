"""Of what period an archive tells (R10.2, R10.3), so that the figures of an earlier one are not taken for the present ones. Pure."""

from __future__ import annotations

import re

_QUARTER = re.compile(r"(\d{4})Q([1-4])", re.ASCII).fullmatch
_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII).fullmatch


def period_in(items: object, code: str) -> str:
    """The month (2026-06) in which the period ends that the item `code` says, a quarter or a month; empty: none is said."""
    if not code or not isinstance(items, list):
        return ""
    told = next((str(one["value"]) for one in items if one.get("code") == code), "")
    if quarter := _QUARTER(told):
        return f"{quarter[1]}-{3 * int(quarter[2]):02}"
    return told if _MONTH(told) else ""
