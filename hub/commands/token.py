"""`credithub token`: a token of a demo partner. It loads little, for examples and shells call it again and again."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands.environment import present, settings
from hub.commands.session import out, told
from hub.errors import PurposeNotAllowed, SettingInvalid
from hub.rights.matrix import Purpose
from hub.sandbox.agreements import PARTNERS
from hub.sandbox.tokens import demo_token


@told
def token(
    partner: Annotated[str, typer.Option(help="Id of a demo partner.")],
    purpose: Annotated[str | None, typer.Option(help="Purpose claim of the token.")] = None,
    ttl: Annotated[int, typer.Option(min=1, max=8 * 3600, help="Seconds of validity.")] = 3600,
    officer: Annotated[str | None, typer.Option(help="Officer; some steps need a second one.")] = None,
) -> None:
    """Print a token of a demo partner, and nothing else. Demo mode only (HUB_DEMO=true)."""
    configured = settings()
    if partner not in PARTNERS:
        raise SettingInvalid(f"No demo partner {partner!r}; they are {', '.join(PARTNERS)}.")
    if purpose is not None and purpose not in set(Purpose):
        raise PurposeNotAllowed(f"No purpose {purpose!r}; they are {', '.join(Purpose)}.")
    out.print(demo_token(configured, partner, purpose, ttl, present(), officer))
