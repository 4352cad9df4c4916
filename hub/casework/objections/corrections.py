"""Notices of correction (5.10): who was told of a record before it was found wrong is told that it is no more.

The recipients come from the ledger of disclosures. It is read by the worker, as the writing role: that role chains
the ledger's blocks and may read them, while the reading role, which answers partners, may not. Of the ledger
nothing leaves but that a partner gets a notice, and, in the objection's file, which partners got one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.machine import Case, Machine, State, Step, Transition
from hub.casework.objections.machine import OBJECTION, TABLES, ObjectionDetails
from hub.casework.partners import in_force
from hub.casework.rounds import apart
from hub.casework.stepping import stepping
from hub.casework.work import Command, calendar_for
from hub.ledger.audit import who_saw
from hub.rules.deadlines import due
from hub.rules.objections import ruleset
from schema.governance import Capability

RECIPIENT = "RECIPIENT"
# The public is told by the withdrawal on the channels, with its reason (R7.4); the subject by the decision.
NOT_BY_NOTICE = frozenset({"P10", "P11"})
# Answers that were under way when the record ended are in the ledger by then: none takes so long. The ledger has the
# moment at which they were asked for: one that told of a record as soon as it was there has none much earlier.
SETTLED = timedelta(minutes=1)
# Who asked later was not told of the record any more; so much may the clocks of two servers disagree.
_SKEW = timedelta(seconds=5)
_UPHELD = """
SELECT number, region_code, (details->'decision'->>'decided_at')::timestamptz AS decided_at FROM case_file
WHERE mechanism = 'OBJECTION' AND state = 'UPHELD' AND closed_at IS NULL ORDER BY case_id
"""
_FIRST = "SELECT min(recorded_at) FROM {table} WHERE public_id = $1"


@dataclass(frozen=True)
class CorrectionDetails:
    """That a record ended, for one recipient: no more than what it needs to find it in its own files."""

    target: str
    target_kind: str
    remedy: str
    ended_at: datetime
    # When the recipient was told of the subject's records of this class last.
    last_told_at: datetime
    corrected: str | None


CORRECTION = Machine(
    mechanism="CORRECTION",
    zh="更正通知",
    en="Notice of correction",
    series="QHGZ",
    # The mark was every recipient's to see (D37), and so is its end; the row is shown to its parties alone.
    data_class="D37",
    details=CorrectionDetails,
    states=(
        State(name="ISSUED", zh="已发出", en="issued"),
        State(name="ACKNOWLEDGED", zh="已签收", en="acknowledged"),
    ),
    initial="ISSUED",
    final=frozenset({"ACKNOWLEDGED"}),
    transitions=(
        Transition(
            name="acknowledge",
            zh="签收",
            en="acknowledge",
            sources=frozenset({"ISSUED"}),
            target="ACKNOWLEDGED",
            capability=Capability.RECEIVE,
            parties=frozenset({RECIPIENT}),
            rules=("R7.4",),
        ),
    ),
    ruleset=ruleset,
    rules=("R7.4",),
)
MACHINES = (CORRECTION,)


async def tell_recipients(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """Open the notices of every objection that was upheld, each objection in one transaction; how many were done.

    Recipients are those told of the subject in the days before (a dated row, 90), since the record was there, under a
    view that held its class. The ledger knows subjects and classes, not single records: who saw none of them is told so much,
    that one ended, under an opaque id.
    """
    today, done = now.astimezone(SHANGHAI).date(), 0
    for row in await pool.fetch(_UPHELD):
        if now < row["decided_at"] + SETTLED:
            continue
        with apart(f"telling the recipients of objection {row['number']}"):
            async with pool.acquire() as connection, connection.transaction():
                region = row["region_code"]
                calendar = await calendar_for(connection, [region] if region else [], today)
                case, _ = await engine.find(connection, OBJECTION, row["number"], SYSTEM)
                if case.state != "UPHELD":
                    # Another worker was faster.
                    continue
                await _tell(connection, machines, case, Step(SYSTEM, {}, now, today, calendar))
            done += 1
    return done


async def _tell(
    connection: asyncpg.Connection, machines: Mapping[str, Machine], case: Case[ObjectionDetails], step: Step
) -> None:
    told = case.details
    assert told.decision is not None
    decision = told.decision
    recipients = await _recipients(connection, case, step)
    notices = [
        engine.NewCase(
            subject_id=case.subject_id,
            details=CorrectionDetails(
                target=told.target,
                target_kind=told.target_kind,
                remedy=str(decision.remedy),
                ended_at=decision.decided_at,
                last_told_at=last,
                corrected=decision.corrected,
            ),
            region_code=case.region_code,
            target_public_id=case.target_public_id,
            parties=((partner, RECIPIENT),),
        )
        for partner, last in sorted(recipients.items())
    ]
    if notices:
        await engine.open_cases(connection, CORRECTION, notices, step, owner=case.owner)
    given = Step(SYSTEM, {"notified": tuple(sorted(recipients))}, step.now, step.today, step.calendar)
    await engine.apply(connection, machines, OBJECTION, case.number, "tell", given)


async def _recipients(
    connection: asyncpg.Connection, case: Case[ObjectionDetails], step: Step
) -> dict[str, datetime]:
    """Partner → when it was told last."""
    told = case.details
    assert told.decision is not None
    assert case.subject_id is not None
    decided = told.decision.decided_at
    on = decided.astimezone(SHANGHAI).date()
    since = decided - (due("objection.recipients", on, step.calendar).on - on)
    # Who was told of the subject before the record was there was not told of it.
    sql = _FIRST.format(table=TABLES[told.target_kind])
    first: datetime | None = await connection.fetchval(sql, case.target_public_id)
    if first is not None:
        since = max(since, first - SETTLED)
    partners = await in_force(connection, step.today)
    found: dict[str, datetime] = {}
    for access in await who_saw(connection, case.subject_id, since, decided + _SKEW):
        one = partners.get(access.partner)
        if access.partner == case.owner or (one is not None and one.partner_class in NOT_BY_NOTICE):
            continue
        # Whoever was only told yes or no was told yes because of it.
        if told.data_class in {one.partition("=")[0] for one in access.classes.split()}:
            found[access.partner] = access.at
    return found


COMMANDS: dict[str, Command] = {"correction.acknowledge": stepping(CORRECTION, "acknowledge")}
