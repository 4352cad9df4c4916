"""`credithub status`: how the whole installation stands, on one screen, and what of it needs a hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.contract import SHANGHAI
from hub.casework.delivery.alarms import OverdueDeliveries
from hub.commands.environment import present
from hub.commands.session import out, told, with_store
from hub.condition import (
    APART,
    Condition,
    SourceCondition,
    apart,
    long,
    read_condition,
    why_not_writable,
)
from hub.config import Settings
from hub.errors import StoreInvalid, StoreUnavailable
from hub.rights.agreement_store import AgreementStanding, Listed

# Days before the end of an agreement or a key from which somebody should see to it: signatures and seals take time.
_SOON = 14
# A worker looks what is due every two seconds; a restart of the store or of the worker takes some more.
_SILENT = timedelta(minutes=1)
# A source that fails is asked again every five minutes; one that is restarted or maintained is back before this.
_FAILING = timedelta(hours=1)

# What it is of, its name, and more; columns are aligned within what they are of.
Row = tuple[str, ...]


@told
def status() -> None:
    """Tell how everything stands, and end with 1 and a line that says what when something needs a hand."""
    with_store(_status)


async def _status(configured: Settings) -> int:
    try:
        condition = await read_condition(configured, present())
        refusing = await why_not_writable(configured)
    except (StoreUnavailable, StoreInvalid) as error:
        _print([("store", "NOT USABLE", f"[{error.code}]")])
        return _conclude([f"store: {error}"])
    _print(
        [
            ("store", "NOT WRITABLE" if refusing else "reachable", f"version {condition.version}"),
            ("worker", *_worker(condition)),
            ("ledger", *_ledger(condition)),
        ]
    )
    _print(
        [
            ("job", one.job, f"waiting {one.waiting}", f"failed in a day {one.failed}")
            for one in condition.jobs
        ]
    )
    _print([("source", *_source(one)) for one in condition.sources])
    _print([("agreement", *_agreement(condition, one)) for one in condition.agreements])
    _print([("calendar", f"fixed until {condition.calendar_until or 'no day'}")])
    _print(
        [
            ("overdue", one.mechanism, f"cases {one.count}", f"oldest due {one.oldest}")
            for one in condition.overdue
        ]
        or [("overdue", "none")]
    )
    _print([("delivery", *_delivery(one)) for one in condition.deliveries] or [("delivery", "none overdue")])
    return _conclude(list(needs(condition, refusing)))


def needs(condition: Condition, refusing: str | None = None) -> Iterator[str]:
    """What needs a hand, each in one line: of what, and what is the matter. `refusing`: why the store takes nothing."""
    if refusing is not None:
        yield f"store: it takes nothing, so nobody is answered: {refusing}; look at its disk, and whether it is read-only"
    if abs(condition.clock_ahead) > APART:
        yield f"clock: this machine's is {apart(condition.clock_ahead)} the store's, by which all here is told; synchronize them"
    if condition.worker_seen is None:
        yield "worker: none has run yet: nothing is harvested or delivered, and no deadline is kept"
    elif abs(condition.at - condition.worker_seen) > _SILENT:
        yield f"worker: none runs, the last one was seen {long(condition.at - condition.worker_seen)} ago"
    for job in condition.jobs:
        if job.failing:
            yield f"job {job.job}: the last one failed for good; the worker's log has its error"
    for one in condition.sources:
        yield from _source_needs(one)
    for agreement in condition.agreements:
        yield from _agreement_needs(condition, agreement)
    until = condition.calendar_until
    if until is None or condition.days_left(until) <= _SOON:
        fixed = "no notice fixes any day" if until is None else f"no notice fixes days after {until}"
        yield f"calendar: {fixed}, so deadlines over them are provisional; `credithub calendar apply` lays the next notice"
    for overdue in condition.overdue:
        yield f"overdue {overdue.mechanism}: {overdue.count} open past the last day, since {overdue.oldest}"
    for late in condition.deliveries:
        what = "has ended and is still shown there" if late.ended else "is not shown there yet"
        yield f"delivery {late.channel}: what {what}: {late.count}; `credithub deliveries list` says why"


def _source_needs(one: SourceCondition) -> Iterator[str]:
    name, cycle = one.source.name, one.source.freshness.cycle
    if one.harvested and one.used:
        if one.age is None:
            yield f"source {name}: no harvest has succeeded yet"
        elif one.state.status != "OK":
            why = f"; files that wait in quarantine: {one.waiting.files}" if one.waiting.files else ""
            yield f"source {name}: {one.state.status}, answers rest on it no more; harvested {long(one.age)} ago{why}"
        elif one.age > cycle:
            yield f"source {name}: no harvest has succeeded for {long(one.age)}, its cycle is {long(cycle)}"
        elif one.age < -_SILENT:
            yield f"source {name}: the clock was ahead when it was harvested, it counts as fresh for {long(-one.age)} too long"
        elif one.failing is not None and one.failing >= _FAILING:
            # Its facts may stay fresh for a quarter: said only after that, it would be too late to mend it in time.
            yield f"source {name}: its harvests have failed for {long(one.failing)}; answers rest on what came before"
    # What waits longer is work of the day, not of the night.
    if one.waiting.new:
        yield f"source {name}: rows that came into quarantine within a day: {one.waiting.new}"


def _agreement_needs(condition: Condition, one: Listed) -> Iterator[str]:
    match one.standing:
        case AgreementStanding.INVALID:
            yield f"agreement {one.partner}: it cannot be used: {one.problem}"
        case AgreementStanding.EXPIRED:
            yield f"agreement {one.partner}: it ended on {one.valid_to}; apply a new one, or suspend it"
        case AgreementStanding.IN_FORCE:
            if one.keys_until is None:
                yield f"agreement {one.partner}: it has no key, so no token of its holds; apply one with an [[issuer]]"
            for what, until in (("it", one.valid_to), ("a key of its", one.keys_until)):
                left = condition.days_left(until) if until is not None else _SOON + 1
                if left <= _SOON:
                    yield f"agreement {one.partner}: {what} {'ends' if left >= 0 else 'ended'} on {until}"
        case _:
            # Suspended by somebody, or not begun: as it was meant.
            return


def _worker(condition: Condition) -> Row:
    seen = condition.worker_seen
    if seen is None:
        return ("never seen",)
    age = condition.at - seen
    return ("alive" if abs(age) <= _SILENT else "SILENT", f"seen {long(age)} ago")


def _ledger(condition: Condition) -> Row:
    last = condition.ledger
    if last is None:
        return ("empty",)
    age = long(condition.at - last.committed_at)
    return (f"chain {last.chain} block {last.seq}", f"{age} ago, {_moment(last.committed_at)}")


def _source(one: SourceCondition) -> Row:
    quarantine = f"quarantine {one.waiting.count}"
    if one.waiting.since is not None:
        quarantine += f" since {_moment(one.waiting.since)}"
    if not one.harvested:
        return (one.source.name, "LIVE" if one.connected else "NOT_CONNECTED", "asked live", "", quarantine)
    cycle = f"cycle {long(one.source.freshness.cycle)}"
    rest = (quarantine,) if one.failing is None else (quarantine, f"failing for {long(one.failing)}")
    if one.state.as_of is None or one.age is None:
        state = "NEVER" if one.connected else "NOT_CONNECTED"
        return (one.source.name, state, "never harvested", cycle, *rest)
    as_of = f"as of {_moment(one.state.as_of)}"
    return (one.source.name, one.state.status, as_of, f"age {long(one.age)} of {cycle}", *rest)


def _agreement(condition: Condition, one: Listed) -> Row:
    if one.valid_to is None:
        return (one.partner, one.standing, "cannot be used")
    keys = "no keys"
    if one.keys_until is not None:
        keys = f"keys until {one.keys_until} ({condition.days_left(one.keys_until)} days)"
    return (
        one.partner,
        one.standing,
        f"until {one.valid_to} ({condition.days_left(one.valid_to)} days)",
        keys,
    )


def _delivery(one: OverdueDeliveries) -> Row:
    return (
        one.channel,
        "STILL_SHOWN" if one.ended else "NOT_SHOWN",
        f"overdue or refused {one.count}",
        f"oldest due {one.oldest}",
    )


def _conclude(found: list[str]) -> int:
    """Tell what needs a hand; the exit status."""
    for line in found:
        out.print(f"ATTENTION  {line}")
    out.print(f"needs a hand: {len(found)}" if found else "all is well")
    return 1 if found else 0


def _print(rows: list[Row]) -> None:
    """The rows with their columns under each other, two blanks between: what is of which name is found by grep."""
    widths = [
        max(len(row[column]) for row in rows if column < len(row))
        for column in range(max(map(len, rows), default=0))
    ]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        out.print("  ".join(cells).rstrip())


def _moment(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
