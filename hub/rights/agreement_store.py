"""Agreements put into force and out of it: applied, compared, suspended, listed. Every version stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import asyncpg

from connectors.contract import SHANGHAI
from hub.errors import AgreementInvalid, unread
from hub.rights.agreement import CHANNEL, NEWEST, as_applied, read_applied, today_in, usable
from hub.rights.agreement_file import Agreement, parse_agreement, partner_of, refuse_other_key
from hub.rights.agreement_values import nearest
from hub.rights.issuer import IssuerKey, KeySet
from hub.rights.matrix import Matrix, PartnerClass

# Two appliers at once could both find no conflict; readers are not held up.
_LOCK = "LOCK TABLE agreement IN SHARE ROW EXCLUSIVE MODE"
_NEVER_APPLIED = "no agreement of this partner was ever applied"
_VERSIONS = """
SELECT partner, digest, document, applied_at, applied_by, suspended_at, suspended_by
FROM agreement WHERE partner = $1 ORDER BY agreement_id
"""
# A worker follows a change within a second; and it is dated by the clock of whoever made it, not by the worker's.
_FOLLOWED = timedelta(seconds=5)


class Outcome(StrEnum):
    """What applying did."""

    APPLIED = "APPLIED"
    UNCHANGED = "UNCHANGED"
    # The partner is suspended, and nobody asked to reinstate it: nothing was changed.
    STILL_SUSPENDED = "STILL_SUSPENDED"


class AgreementStanding(StrEnum):
    """Where the newest version of a partner's agreement stands today."""

    IN_FORCE = "IN_FORCE"
    NOT_YET = "NOT_YET"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    INVALID = "INVALID"


class Happening(StrEnum):
    """What happens to an agreement."""

    APPLIED = "APPLIED"
    # Applied after a suspension, the same text or another.
    REINSTATED = "REINSTATED"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True)
class Applied:
    """What became of one file; `begins`: the first day of what it says."""

    partner: str
    digest: str
    outcome: Outcome
    begins: date


@dataclass(frozen=True)
class Change:
    """One difference between the version applied and a file; None: not said there."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Listed:
    """The newest version of one partner's agreement; the middle part is None when it cannot be used."""

    partner: str
    standing: AgreementStanding
    partner_class: str | None
    name: str | None
    document: str | None
    valid_from: date | None
    valid_to: date | None
    # The next day on which one of its keys ends; when all have ended, the last of these days. None: it has no key.
    keys_until: date | None
    digest: str
    applied_at: datetime
    applied_by: str
    suspended_at: datetime | None
    suspended_by: str | None
    problem: str | None


@dataclass(frozen=True)
class Happened:
    """Something that happened to a version of an agreement; `by`: None, where its last day did it.

    The validity and the document's number are None where the version cannot be read, or its text is not what was applied.
    """

    at: datetime
    what: Happening
    digest: str
    by: str | None
    valid_from: date | None
    valid_to: date | None
    document: str | None


@dataclass(frozen=True)
class Version:
    """A version of an agreement as it was applied, with its text."""

    partner: str
    digest: str
    document: str
    applied_at: datetime
    applied_by: str
    suspended_at: datetime | None
    suspended_by: str | None


def text_in(path: Path) -> str:
    """An agreement's file. Raises AgreementInvalid naming the file when it cannot be read, or not whose it is."""
    try:
        text = path.read_text(encoding="utf-8")
        partner_of(text)
    except (OSError, UnicodeDecodeError) as error:
        raise AgreementInvalid(f"{path.name}: {unread(error)}") from None
    except AgreementInvalid as error:
        raise AgreementInvalid(f"{path.name}: {error}") from None
    return text


def texts_in(directory: Path) -> tuple[str, ...]:
    """The *.toml files of a directory, by name. Raises AgreementInvalid as `text_in` does."""
    return tuple(text_in(path) for path in sorted(directory.glob("*.toml")))


async def require_applied(pool: asyncpg.Pool, partner: str) -> None:
    """Raise AgreementInvalid unless an agreement of this partner was ever applied, whether it is in force or not."""
    await _newest(pool, partner)


async def applied_class(
    pool: asyncpg.Pool, partner: str, matrix: Matrix, known_coordinates: frozenset[str] | None = None
) -> PartnerClass:
    """The class of a partner by its newest agreement. Errors: as of `applied_agreement`."""
    found = await applied_agreement(pool, partner, matrix, known_coordinates)
    return matrix.partners[found.partner_class]


async def applied_agreement(
    pool: asyncpg.Pool, partner: str, matrix: Matrix, known_coordinates: frozenset[str] | None = None
) -> Agreement:
    """The newest agreement of a partner, whether that is in force or not.

    Raises AgreementInvalid when none was ever applied, or the newest cannot be used.
    """
    rows = await _newest(pool, partner)
    read = _reader(matrix, known_coordinates)
    good, problems = usable(rows.values(), read)
    if partner in problems:
        raise AgreementInvalid(f"the agreement applied for {partner} cannot be used: {problems[partner]}")
    return good.get(partner) or as_applied(rows[partner], read)


async def _newest(pool: asyncpg.Pool, partner: str) -> Mapping[str, Any]:
    """The newest versions of all agreements, by partner. Raises AgreementInvalid: none was ever applied for this one."""
    rows = {row["partner"]: row for row in await pool.fetch(NEWEST)}
    if partner not in rows:
        raise AgreementInvalid(_NEVER_APPLIED + nearest(partner, rows))
    return rows


def _reader(
    matrix: Matrix, known_coordinates: frozenset[str] | None = None
) -> Callable[[str, datetime], Agreement]:
    return lambda document, applied_at: read_applied(document, applied_at, matrix, known_coordinates)


async def apply_agreements(
    pool: asyncpg.Pool,
    texts: Iterable[str],
    matrix: Matrix,
    now: datetime,
    by: str,
    known_coordinates: frozenset[str] | None = None,
    *,
    reinstate: bool = False,
) -> tuple[Applied, ...]:
    """Put agreements into force, all or none. `by`: who does it. `reinstate`: also those that are suspended.

    Raises AgreementInvalid, having changed nothing, when one of them is not to be had.
    """
    today = today_in(now)
    read = [(parse_agreement(text, matrix, today, known_coordinates), text) for text in texts]
    partners = [agreement.partner for agreement, _ in read]
    for partner in partners:
        if partners.count(partner) > 1:
            raise AgreementInvalid(f"{partner}: more than one file is for this partner")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LOCK)
        newest = {row["partner"]: row for row in await connection.fetch(NEWEST)}
        others = [agreement for agreement, _ in read] + [
            agreement
            for partner, row in newest.items()
            if partner not in partners and (agreement := _readable(row, matrix)) is not None
        ]
        done = []
        for agreement, text in read:
            try:
                refuse_other_key(agreement, (other for other in others if other is not agreement))
            except AgreementInvalid as error:
                raise AgreementInvalid(f"{agreement.partner}: {error}") from None
            row = newest.get(agreement.partner)
            # What was tampered with is put right by applying the file again.
            whole = row is not None and _readable(row, matrix) is not None
            outcome = _outcome(row, agreement, whole=whole, reinstate=reinstate)
            if outcome is Outcome.APPLIED:
                await connection.execute(
                    "INSERT INTO agreement (partner, digest, document, applied_at, applied_by)"
                    " VALUES ($1, $2, $3, $4, $5)",
                    *(agreement.partner, agreement.digest, text, now, by),
                )
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, agreement.partner)
            done.append(Applied(agreement.partner, agreement.digest, outcome, agreement.valid_from))
    return tuple(done)


async def suspend_agreement(pool: asyncpg.Pool, partner: str, now: datetime, by: str) -> bool:
    """Put a partner's agreement out of force; False: it was already. AgreementInvalid: there is none."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LOCK)
        found = await connection.fetchrow(
            "SELECT agreement_id, suspended_at FROM agreement WHERE partner = $1"
            " ORDER BY agreement_id DESC LIMIT 1",
            partner,
        )
        if found is None:
            raise AgreementInvalid(_NEVER_APPLIED)
        if found["suspended_at"] is not None:
            return False
        await connection.execute(
            "UPDATE agreement SET suspended_at = $2, suspended_by = $3 WHERE agreement_id = $1",
            *(found["agreement_id"], now, by),
        )
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, partner)
    return True


async def diff_agreement(
    pool: asyncpg.Pool,
    text: str,
    matrix: Matrix,
    now: datetime,
    known_coordinates: frozenset[str] | None = None,
) -> tuple[Change, ...]:
    """What applying `text` would change against the partner's newest version; all of it when there is none.

    Raises AgreementInvalid when it could not be applied.
    """
    after = parse_agreement(text, matrix, today_in(now), known_coordinates)
    row = next((row for row in await pool.fetch(NEWEST) if row["partner"] == after.partner), None)
    before = _readable(row, matrix) if row is not None else None
    return compare(before, after)


def compare(before: Agreement | None, after: Agreement) -> tuple[Change, ...]:
    """The differences of two agreements, by key; levels, purposes and keys one by one."""
    old, new = _said(before) if before is not None else {}, _said(after)
    return tuple(
        Change(key, old.get(key), new.get(key))
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    )


async def list_agreements(
    store: asyncpg.Pool | asyncpg.Connection,
    matrix: Matrix,
    now: datetime,
    known_coordinates: frozenset[str] | None = None,
) -> tuple[Listed, ...]:
    """The newest version of each partner's agreement, by partner; in force is what the gateway finds in force."""
    rows = await store.fetch(NEWEST)
    good, problems = usable(rows, _reader(matrix, known_coordinates))
    return tuple(
        _listed(
            row,
            good.get(row["partner"]) if row["suspended_at"] is None else _readable(row, matrix),
            problems.get(row["partner"]),
            today_in(now),
        )
        for row in rows
    )


async def agreement_history(
    connection: asyncpg.Connection, partner: str, matrix: Matrix, now: datetime
) -> tuple[Happened, ...]:
    """All that happened to a partner's agreement until `now`, oldest first; empty: none was ever applied."""
    rows = await connection.fetch(_VERSIONS, partner)
    found: list[Happened] = []
    for number, row in enumerate(rows):
        after_suspension = number > 0 and rows[number - 1]["suspended_at"] is not None
        replaced_at = rows[number + 1]["applied_at"] if number + 1 < len(rows) else now
        found += _happened(row, _readable(row, matrix), replaced_at, reinstated=after_suspension)
    return tuple(found)


def _happened(
    row: Any, agreement: Agreement | None, until: datetime, *, reinstated: bool
) -> Iterable[Happened]:
    """What happened to a version while it was the newest, `until` the next one was applied, or now."""
    what = Happening.REINSTATED if reinstated else Happening.APPLIED
    moments = [(row["applied_at"], what, row["applied_by"])]
    suspended_at = row["suspended_at"]
    if suspended_at is not None:
        moments.append((suspended_at, Happening.SUSPENDED, row["suspended_by"]))
    # Until it was replaced or suspended it stood in force, and could expire.
    if agreement is not None and agreement.valid_to < today_in(min(until, suspended_at or until)):
        ended_at = datetime.combine(agreement.valid_to + timedelta(days=1), time(), SHANGHAI)
        moments.append((ended_at, Happening.EXPIRED, None))
    for at, happening, by in sorted(moments, key=lambda one: one[0]):
        yield Happened(
            at,
            happening,
            row["digest"],
            by,
            agreement.valid_from if agreement else None,
            agreement.valid_to if agreement else None,
            agreement.document if agreement else None,
        )


async def versions_named(connection: asyncpg.Connection, partner: str, digest: str) -> tuple[Version, ...]:
    """The versions of a partner's agreement whose digest begins so, oldest first; of one text there may be several."""
    rows = await connection.fetch(_VERSIONS, partner)
    return tuple(Version(**row) for row in rows if row["digest"].startswith(digest))


async def versions_at(connection: asyncpg.Connection, partner: str, at: datetime) -> tuple[Version, ...]:
    """The version of a partner's agreement by which it was answered at a moment.

    Several, oldest first, where one replaced another within seconds of it: a worker may not have followed yet.
    """
    found: list[Version] = []
    for row in await connection.fetch(_VERSIONS, partner):
        if row["applied_at"] <= at - _FOLLOWED:
            found.clear()
        if row["applied_at"] <= at + _FOLLOWED:
            found.append(Version(**row))
    return tuple(found)


def _outcome(row: Any, agreement: Agreement, *, whole: bool, reinstate: bool) -> Outcome:
    if row is None:
        return Outcome.APPLIED
    if row["suspended_at"] is not None:
        return Outcome.APPLIED if reinstate else Outcome.STILL_SUSPENDED
    return Outcome.UNCHANGED if whole and row["digest"] == agreement.digest else Outcome.APPLIED


def _readable(row: Any, matrix: Matrix) -> Agreement | None:
    try:
        return as_applied(row, _reader(matrix))
    except AgreementInvalid:
        return None


def _listed(row: Any, agreement: Agreement | None, problem: str | None, today: date) -> Listed:
    return Listed(
        partner=row["partner"],
        standing=_standing(agreement, row["suspended_at"], today),
        partner_class=agreement.partner_class if agreement else None,
        name=agreement.name if agreement else None,
        document=agreement.document if agreement else None,
        valid_from=agreement.valid_from if agreement else None,
        valid_to=agreement.valid_to if agreement else None,
        keys_until=_keys_until(agreement, today) if agreement else None,
        digest=row["digest"],
        applied_at=row["applied_at"],
        applied_by=row["applied_by"],
        suspended_at=row["suspended_at"],
        suspended_by=row["suspended_by"],
        problem=problem,
    )


def _keys_until(agreement: Agreement, today: date) -> date | None:
    keys: list[IssuerKey | KeySet] = [*agreement.issuers, *agreement.key_sets]
    ends = sorted(key.valid_to for key in keys)
    return next((end for end in ends if end >= today), ends[-1] if ends else None)


def _standing(agreement: Agreement | None, suspended_at: datetime | None, today: date) -> AgreementStanding:
    if suspended_at is not None:
        return AgreementStanding.SUSPENDED
    if agreement is None:
        return AgreementStanding.INVALID
    if today < agreement.valid_from:
        return AgreementStanding.NOT_YET
    return AgreementStanding.IN_FORCE if agreement.in_force(today) else AgreementStanding.EXPIRED


def _said(agreement: Agreement) -> Mapping[str, str]:
    """An agreement as flat text: what a person compares."""
    said = {
        "name": agreement.name,
        "class": agreement.partner_class,
        "document": agreement.document,
        "valid_from": str(agreement.valid_from),
        "valid_to": str(agreement.valid_to),
        "source": agreement.source or "",
    }
    for part in ("regions", "capabilities", "purposes", "hidden"):
        said |= {f"{part}.{one}": "yes" for one in sorted(getattr(agreement, part))}
    for code, (level, purposes) in sorted(agreement.data.items(), key=lambda entry: int(entry[0][1:])):
        said[f"data.{code}"] = level.name + (
            f" for {', '.join(sorted(purposes))}" if purposes is not None else ""
        )
    for part in ("quota", "limits"):
        said |= {f"{part}.{name}": str(number) for name, number in asdict(getattr(agreement, part)).items()}
    for key in agreement.issuers:
        public = " ".join(f"{name}={value}" for name, value in key.jwk.items())
        said[f"issuer.{key.iss}.{key.kid}"] = f"{key.alg} {key.valid_from}–{key.valid_to} {public}"
    for one in agreement.key_sets:
        said[f"issuer.{one.iss}"] = (
            f"{', '.join(sorted(one.algorithms))} {one.valid_from}–{one.valid_to} {one.url}"
        )
    return {key: value for key, value in said.items() if value}
