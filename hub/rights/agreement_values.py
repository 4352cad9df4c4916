"""The values in an agreement's file: each is given, or the agreement refused, naming the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from hub.errors import AgreementInvalid
from schema.characters import is_readable

_MOST_CHARACTERS = 200


def shown(value: object) -> str:
    """A value as a refusal may repeat it: short, on one line."""
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}…"


def nearest(value: object, known: Iterable[str]) -> str:
    """What a refusal adds for a value that none of `known` is: the one that was probably meant, if any is near."""
    # Only a refusal needs it, and every serving process reads agreements.
    from difflib import get_close_matches

    names = {name.casefold(): name for name in known}
    near = get_close_matches(str(value).casefold(), names, n=1, cutoff=0.75)
    return f"; did you mean {names[near[0]]}?" if near else ""


def exactly(
    table: Mapping[str, object], needed: Sequence[str], optional: Sequence[str], where: str = ""
) -> None:
    """Refuse a table that misses a key of `needed` or has one that is in neither list."""
    for name in table:
        if name not in needed and name not in optional:
            said = f"{_under(where, shown(name)[1:-1])}: unknown key"
            raise AgreementInvalid(said + nearest(name, (*needed, *optional)))
    for name in needed:
        if name not in table:
            raise AgreementInvalid(f"{_under(where, name)}: missing")


def table_of(value: object, where: str) -> Mapping[str, object]:
    """A TOML table."""
    if not isinstance(value, dict):
        raise AgreementInvalid(f"{where}: must be a table")
    return value


def array_of(value: object, where: str) -> Sequence[object]:
    """A TOML array."""
    if not isinstance(value, list):
        raise AgreementInvalid(f"{where}: must be an array")
    return value


def text_of(value: object, where: str) -> str:
    """A text on one line, of 1 to 200 characters."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > _MOST_CHARACTERS
        or not is_readable(value)
    ):
        raise AgreementInvalid(f"{where}: must be a text on one line, of 1 to {_MOST_CHARACTERS} characters")
    return value


def day_of(value: object, where: str) -> date:
    """A calendar date (Asia/Shanghai), not a moment."""
    if type(value) is not date:
        raise AgreementInvalid(f"{where}: must be a date such as 2026-01-31, without quotation marks")
    return value


def once(values: Sequence[object], where: str) -> None:
    """Refuse an array that says something twice."""
    if len(set(values)) < len(values):
        raise AgreementInvalid(f"{where}: something is said twice")


def _under(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
