"""Tokens of the demo partners, signed by the key of this installation's own."""

from __future__ import annotations

from datetime import datetime

from hub.config import Settings
from hub.errors import SettingInvalid
from hub.rights.identity import issue
from hub.sandbox.issuer import demo_issuer

# The subject that the demo partner `subject` speaks for.
DEMO_SUBJECT = "91630103MA75ABCD1M"


def demo_token(
    settings: Settings,
    partner: str,
    purpose: str | None,
    seconds: float,
    now: datetime,
    officer: str | None = None,
) -> str:
    """A token of a demo partner, for `seconds` from `now`. Raises SettingInvalid outside demo mode.

    `officer`: one of its officers by name; some steps need a second person.
    """
    if not settings.demo:
        raise SettingInvalid("Demo tokens exist in demo mode only (HUB_DEMO).")
    signer = demo_issuer(settings.state_dir)
    return issue(
        signer.private_key,
        alg=signer.key.alg,
        kid=signer.key.kid,
        iss=signer.key.iss,
        audience=settings.token_audience,
        partner=partner,
        officer=officer or f"{partner}-demo-officer",
        now=now.timestamp(),
        lifetime=seconds,
        purpose=purpose,
        subject=DEMO_SUBJECT if partner == "subject" else None,
    )
