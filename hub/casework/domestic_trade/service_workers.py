"""Domestic workers (article 十二, R12.1, R12.2): asked live with the worker's one-time authorisation, told once, never kept.

The worker consents at the national platform (家政信用信息平台), by scanning a face and a code; the consent names who may
ask, for what, and holds once. The hub redeems it, hands on what this caller may see, and stores nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.casework.redeem import NotAuthorized, Unavailable
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, CommandForbidden, GuardRefused
from hub.rights.matrix import Level

_TOKEN = re.compile(r"[0-9A-Za-z_-]{20,128}", re.ASCII).fullmatch
# What the platform says of the background of five years; whatever else it says is no answer (R12.2).
_BACKGROUND = {"有": "YES", "无": "NO"}
_LONGEST_NAME = 60
_ARCHIVE = ("D29",)


async def query(work: Work, given: Mapping[str, Any]) -> Made:
    """R12.1: the archive of the worker who authorised this caller. Raises BadUserInput, CommandForbidden, GuardRefused.

    AUTHORIZATION_NOT_VALID says the same of one that never was, was used, is over, or is another's.
    """
    token = given["authorization"]
    if not _TOKEN(token):
        raise BadUserInput(
            "An authorisation is 20 to 128 letters, digits, - and _.", argument="authorization"
        )
    if work.view.vouched(_ARCHIVE) is Level.NONE:
        # A region or oneself, which nobody can vouch for: asking would use the authorisation up for an answer of nulls.
        raise CommandForbidden("Nothing of a worker is told to this caller, so the platform is not asked.")
    if work.domestic is None:
        raise GuardRefused(reason="SOURCE_UNAVAILABLE")
    try:
        found = await work.domestic.redeem(token, work.actor.partner, work.actor.purpose, work.now)
    except NotAuthorized:
        raise GuardRefused(reason="AUTHORIZATION_NOT_VALID") from None
    except Unavailable:
        raise GuardRefused(reason="SOURCE_UNAVAILABLE") from None
    return Made(rows=(told(found, work.today),), transient=True)


def told(found: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What is taken of the platform's answer; its details of a background, numbers and dates of birth are not read."""
    return {
        "name": _text(found.get("name")),
        "certificate_number": _text(found.get("certificateNo")),
        "agency_name": _text(found.get("agencyName")),
        "criminal_background": _BACKGROUND.get(str(found.get("background5y")), "INDETERMINATE"),
        "health_checked": _until(found.get("healthCheckUntil"), today),
        "trained": _flag(found.get("trained")),
        "insured": _flag(found.get("insured")),
    }


def _text(value: object) -> str | None:
    return value[:_LONGEST_NAME] if isinstance(value, str) and value.strip() else None


def _flag(value: object) -> str:
    return "YES" if value is True else "NO" if value is False else "INDETERMINATE"


def _until(value: object, today: date) -> str:
    try:
        return "YES" if date.fromisoformat(str(value)) >= today else "NO"
    except ValueError:
        return "INDETERMINATE"


COMMANDS: dict[str, Command] = {"domestic.query": query}
