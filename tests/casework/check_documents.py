"""Credit checks as tests ask for them: documents, and the measures that other mechanisms would lay."""

from __future__ import annotations

import json
from typing import Any

from tests.casework.desk import Desk, Office

RUN = """
mutation Run($code: USCC!) {
  runCreditCheck(subject: $code) {
    id number mechanism handler purpose matter matterName caseNumber subjectCode conclusion validUntil currentlyValid
    dueOn ruleset
    reasons { code text } reminders { code text }
    eligibility { answer basis windowFrom windowTo missingSources reasons { code text } }
    evidence {
      view policyVersion
      items { kind object dataClass grade title documentNumber dated underObjection version digest }
      sources { source status asOf required }
    }
    evidenceDigest feedback { decision }
  }
}
"""
BATCH = """
mutation Batch($codes: [String!]!) {
  runCreditChecks(subjects: $codes) { position code status check { number conclusion subjectCode } }
}
"""
FEED = """
mutation Feed($number: String!, $decision: HandlingDecision!, $on: Date!, $reason: String) {
  recordCheckFeedback(number: $number, decision: $decision, decidedOn: $on, documentNumber: "青商批〔2026〕9号", reason: $reason) {
    state closedAt dueOn feedback { decision decidedOn documentNumber recordedAt }
  }
}
"""
TOLERATE = """
mutation Tolerate($number: String!, $papers: [MissingPaperInput!]!, $due: Date!) {
  acceptTolerantly(
    number: $number, missingPapers: $papers, commitment: "承诺于期限内补齐", dueOn: $due,
    commitmentDigest: "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
  ) { number state dueOn missingPapers { name } commitment commitmentDigest subject { __typename } }
}
"""
VERIFY = """
query Verify($number: String!, $subject: USCC!, $matter: String!, $at: DateTime) {
  verifyCreditCheck(number: $number, subject: $subject, matter: $matter, at: $at) {
    valid number subject matter checkedAt validUntil
  }
}
"""
PAPER = [{"name": "场地租赁合同", "core": False}]
BIDS = ("GOVERNMENT_PROCUREMENT", "SW-CG-BID")


async def run(desk: Desk, code: str) -> dict[str, Any]:
    """Check a subject."""
    made: dict[str, Any] = (await desk.done(RUN, {"code": code}))["runCreditCheck"]
    return made


def codes_of(told: list[dict[str, str]]) -> list[str]:
    """The codes of reasons."""
    return [one["code"] for one in told]


async def laid_measure(office: Office, code: str, **more: Any) -> str:
    """A measure as its mechanism keeps it."""
    details = {
        "measure": "限制取得许可", "effect": "BLOCK", "national_catalogue_code": "NC-01", "legal_basis": "某法第1条",
        "matters": ["SW-XK-OIL"], **more,
    }  # fmt: skip
    (row,) = await office.rows(
        "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at, opened_on, due_on, ruleset,"
        " details) SELECT 'MEASURE', gen_random_uuid()::text, subject_id, 'D10', 'EFFECTIVE', 'commerce', now(),"
        " '2026-11-01', '2027-11-01', 'T', $2 FROM subject WHERE uscc = $1 RETURNING public_id",
        code,
        json.dumps(details),
    )
    return "c" + str(row["public_id"]).replace("-", "")
