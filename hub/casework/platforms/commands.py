"""The commands of platforms (R11.1-R11.3): reports about their own merchants, by code, within the daily quota."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.casework import engine
from hub.casework.platforms.machine import MERCHANT_ARCHIVE, MerchantDetails
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused, SubjectUnknown
from hub.query.access import Access, all_of, subject_row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rights.matrix import Scope
from hub.store.writing import one_at_a_time

_SHOP = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII).fullmatch
# One report about a shop at a time, so that its archive is opened once.
_KEPT = """
SELECT number FROM case_file
WHERE mechanism = 'MERCHANT_ARCHIVE' AND owner = $1 AND subject_id = $2 AND details->>'shop_id' = $3
  AND closed_at IS NULL
"""
_CLOSED = """
SELECT * FROM case_file
WHERE mechanism = 'MERCHANT_ARCHIVE' AND owner = $1 AND subject_id = $2 AND details->>'shop_id' = $3
ORDER BY case_id DESC LIMIT 1
"""


async def report(work: Work, given: Mapping[str, Any]) -> Made:
    """R11.1: what the platform's archive says of one of its merchants. Raises SubjectUnknown, GuardRefused."""
    if given.get("exempt"):
        # Exempt small sellers (零星小额) are natural persons: nothing about them is taken, not even their code.
        raise GuardRefused(reason="EXEMPT_SELLER")
    taken = await _take(work, given, "report")
    return Made(ids=(taken.archive,) if taken.archive else ())


async def summarize(work: Work, given: Mapping[str, Any]) -> Made:
    """R11.1: reviews of one merchant in a period, aggregates only. Raises SubjectUnknown, GuardRefused."""
    taken = await _take(work, given, "summarize")
    return Made(ids=(taken.summaries[-1].fact,))


async def close(work: Work, given: Mapping[str, Any]) -> Made:
    """The merchant left the platform: nothing more is reported. Raises CaseUnknown, StateConflict."""
    taken = await engine.apply(
        work.connection, work.machines, MERCHANT_ARCHIVE, given["number"], "close", work.step(given)
    )
    return Made(ids=(taken.case.public_id,))


async def _take(work: Work, given: Mapping[str, Any], transition: str) -> MerchantDetails:
    shop = given["shop_id"].strip()
    if not _SHOP(shop):
        raise BadUserInput("A shop's id is 1 to 64 letters, digits, - and _.", argument="shopId")
    subject = await _merchant(work, given["subject"])
    partner, step = work.actor.partner, work.step(given)
    await one_at_a_time(work.connection, f"{partner}/{subject['subject_id']}/{shop}")
    number = await work.connection.fetchval(_KEPT, partner, subject["subject_id"], shop)
    if number is None:
        details = MerchantDetails(partner, work.actor.name or partner, shop, subject["uscc"])
        closed = await work.connection.fetchrow(_CLOSED, partner, subject["subject_id"], shop)
        if closed is not None:
            # A shop that opens again: what is said of it from now on takes the place of what was said before.
            before: MerchantDetails = engine.case_of(MERCHANT_ARCHIVE, closed).details
            details = replace(details, archive=before.archive, summaries=before.summaries)
        new = engine.NewCase(
            subject_id=subject["subject_id"], details=details, region_code=subject["region_code"]
        )
        (case,) = await engine.open_cases(work.connection, MERCHANT_ARCHIVE, [new], step)
        number = case.number
    taken = await engine.apply(work.connection, work.machines, MERCHANT_ARCHIVE, number, transition, step)
    found: MerchantDetails = taken.case.details
    return found


async def _merchant(work: Work, code: str) -> Any:
    """R11.2: a merchant of the caller's own, by its code.

    Raises SubjectUnknown, in the same words for another platform's merchant and for a code that nobody has.
    """
    parameters = Parameters()
    access = Access(work.view, parameters)
    named = parameters.bind(FromRef(Constant(code)), "text")
    own = access.scope(Scope.OWN_MERCHANT, subject_row("s"))
    found = await work.rows(
        "SELECT s.subject_id, s.uscc, s.region_code FROM subject s WHERE "  # noqa: S608 -- placeholders only
        + all_of([f"s.uscc = {named}", "s.kind <> 'NATURAL_PERSON'", own]),
        parameters,
    )
    if not found:
        raise SubjectUnknown
    return found[0]


COMMANDS: dict[str, Command] = {
    "merchant.report": report,
    "merchant.summarize": summarize,
    "merchant.close": close,
}
