"""Documents and steps that the tests of commitments and their inspections share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import Desk, Office

SHOWN = """
  id number state handler dueOn closedAt type typeName national subjectCode signatory template templateVersion title text
  scope consequence validFrom validTo signedDigest consentsToPublication publishedOn endedOn
  inspections { plan inspectedOn outcome } breach { kind documentNumber authority decidedOn }
"""
# Whoever may not see a signatory has no such field.
PUBLIC = SHOWN.replace(" signatory", "")
RECORD = f"""
mutation R($code: USCC!, $signed: CommitmentInput!) {{
  recordCommitment(subject: $code, commitment: $signed) {{ {SHOWN} }}
}}
"""
SUBMIT = f"""
mutation S($signed: CommitmentInput!, $receiver: String) {{
  submitCommitment(commitment: $signed, receiver: $receiver) {{ {SHOWN} }}
}}
"""
PUBLISH = (
    f"mutation P($n: String!, $c: String) {{ publishCommitment(number: $n, clearance: $c) {{ {SHOWN} }} }}"
)
ONE = f"query Q($n: String!) {{ commitment(number: $n) {{ {PUBLIC} }} }}"
OF_SUBJECT = "query Q($c: String!) { subject(value: $c) { commitments { number state } records { edges { node { id } } } } }"
CHECKED = """
  number state origin commitment plan inspectors dueOn outcome concludedOn publishedOn publishedLate documentNumber
  notes { officer text } finding { kind documentNumber authority } notice { documentNumber servedOn defendBy }
  defences { by statement }
"""
SUSPECT = f"""
mutation S($n: String!) {{ suspectBreach(commitment: $n, text: "店内商品未明码标价") {{ {CHECKED} }} }}
"""
FIND = f"""
mutation F($n: String!, $kind: BreachKind!) {{
  findBreach(
    number: $n, kind: $kind, documentNumber: "青商诺认〔2026〕1号", authority: "青海省商务厅", text: "两次检查均未明码标价"
  ) {{ {CHECKED} }}
}}
"""
SERVE = f"""
mutation N($n: String!, $on: Date!, $told: Boolean! = true) {{
  serveBreachNotice(number: $n, documentNumber: "青商诺告〔2026〕1号", servedOn: $on, rightToDefend: $told) {{ {CHECKED} }}
}}
"""
DEFEND = f'mutation D($n: String!) {{ stateBreachDefence(number: $n, statement: "已整改") {{ {CHECKED} }} }}'
ESTABLISH = f"""
mutation E($n: String!, $answer: String) {{
  establishBreach(number: $n, documentNumber: "青商诺决〔2026〕1号", defenceAnswer: $answer) {{ {CHECKED} }}
}}
"""
CLEAR = f'mutation C($n: String!) {{ clearInspection(number: $n, text: "明码标价齐全") {{ {CHECKED} }} }}'
INSPECTION = f"query I($n: String!) {{ commitmentInspection(number: $n) {{ {CHECKED} }} }}"
DIGEST = "5" * 64


def signed(**more: Any) -> dict[str, Any]:
    """A commitment as it was signed; `more`: what is otherwise."""
    return {
        "template": "QH-CN-CP", "templateVersion": "2019-1", "scope": "全部门店明码标价", "signatory": "马得林",
        "validFrom": "2026-11-23", "validTo": "2027-11-22", "signedDigest": DIGEST, "consentsToPublication": True,
        **more,
    }  # fmt: skip


def unit(office: Office) -> Desk:
    """The department, supervising."""
    return office.desk(purpose="ONGOING_SUPERVISION", case=None)


def anybody(office: Office) -> Desk:
    """The public."""
    return office.desk("public", "PUBLIC_QUERY", None, None)


def itself(office: Office) -> Desk:
    """The demonstration's subject."""
    return office.desk("subject", "SELF_QUERY", None, None)


async def demo_firm(office: Office) -> str:
    """The subject that the demo partner `subject` speaks for, laid once."""
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    return DEMO_SUBJECT


async def recorded(office: Office, code: str | None = None, **more: Any) -> dict[str, Any]:
    """A commitment as the department recorded it."""
    given = {"code": code or await office.subject(), "signed": signed(**more)}
    made: dict[str, Any] = (await unit(office).done(RECORD, given))["recordCommitment"]
    return made


async def published(office: Office, code: str | None = None, **more: Any) -> dict[str, Any]:
    """A commitment in force."""
    made = await recorded(office, code, **more)
    shown: dict[str, Any] = (await unit(office).done(PUBLISH, {"n": made["number"]}))["publishCommitment"]
    return shown


async def seen(desk: Desk, number: str) -> dict[str, Any] | None:
    """A commitment as `desk` sees it."""
    found: dict[str, Any] | None = (await desk.done(ONE, {"n": number}))["commitment"]
    return found


async def notified(office: Office, number: str, kind: str = "BREACHED") -> str:
    """The number of an inspection of the commitment `number`, its notice served today."""
    desk = unit(office)
    case = (await desk.done(SUSPECT, {"n": number}))["suspectBreach"]["number"]
    await desk.done(FIND, {"n": case, "kind": kind})
    await desk.done(SERVE, {"n": case, "on": str(office.clock.now.date())})
    return str(case)


async def established(office: Office, number: str, kind: str = "BREACHED") -> str:
    """The number of an inspection whose breach is established, eight days later."""
    case = await notified(office, number, kind)
    office.clock.now += timedelta(days=8)
    await unit(office).second().done(ESTABLISH, {"n": case})
    return case
