"""Commitments and random inspections (article 六): a firm promises, a breach is suspected, and a draw that anybody repeats.

R6.1, R6.2: on a version of a template, published by consent. R6.3: the draw. R6.4: no breach before notice and defence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub_client import FIRM, LISTED, SHOP, Desk, fresh, say, this_day

UNIT = Desk("commerce", "ONGOING_SUPERVISION", "SW-JG")
SECOND = Desk("commerce", "ONGOING_SUPERVISION", "SW-JG", officer="second-officer")
ITSELF = Desk("subject", "SELF_QUERY")
PUBLIC = Desk("public", "PUBLIC_QUERY")

TEMPLATES = "{ commitmentTemplates { code version type national body consequence } }"
SUBMIT = "mutation S($c: CommitmentInput!) { submitCommitment(commitment: $c) { number state handler text } }"
RECORD = """mutation R($code: USCC!, $c: CommitmentInput!) {
  recordCommitment(subject: $code, commitment: $c) { number state } }"""
PUBLISH = "mutation P($n: String!) { publishCommitment(number: $n) { state publishedOn dueOn } }"
SHOWN = "query Q($n: String!) { commitment(number: $n) { number state typeName text consequence validTo } }"
CASE = "query I($n: String!) { commitmentInspection(number: $n) { number state notes { text } notice { defendBy } } }"
SUSPECT = """mutation S($n: String!) { suspectBreach(commitment: $n, text: "群众举报未明码标价") { number state } }"""
FIND = """mutation F($n: String!, $doc: String!) { findBreach(number: $n, kind: BREACHED, documentNumber: $doc,
  authority: "青海省商务厅", text: "现场检查未明码标价") { state } }"""
SERVE = """mutation N($n: String!, $doc: String!, $on: Date!) { serveBreachNotice(number: $n, documentNumber: $doc,
  servedOn: $on, rightToDefend: true) { state notice { servedOn defendBy } } }"""
DEFEND = (
    'mutation D($n: String!) { stateBreachDefence(number: $n, statement: "检查当日正在换价签") { state } }'
)
ESTABLISH = """mutation E($n: String!, $doc: String!) {
  establishBreach(number: $n, documentNumber: $doc, defenceAnswer: "照片为证") { state } }"""
CLEAR = "mutation C($n: String!, $t: String!) { clearInspection(number: $n, text: $t) { state outcome } }"

PLAN = """number state title frame frameDigest frameCount seedCommitment rates { tier percent } perObject
  drawnCount seed drawn { object tier place inspectors } dueOn publishedOn"""
OPEN = f"""mutation O($who: [InspectorInput!]!) {{ planInspection(title: "商务领域信用承诺抽查(演示)", inspectors: $who,
  rates: [{{ tier: N, percent: "50" }}]) {{ {PLAN} }} }}"""
DRAWN = f"query P($n: String!) {{ inspectionPlan(number: $n) {{ {PLAN} }} }}"
ASSIGNED = """{ cases(mechanism: COMMITMENT_INSPECTION, state: "ASSIGNED", first: 100) { edges { node {
  number ... on CommitmentInspection { plan commitment inspectors } } } } }"""
RESULT = "mutation R($n: String!) { publishInspectionResult(number: $n) { state publishedOn publishedLate } }"


def signed(scope: str) -> dict[str, Any]:
    """What was signed; its file stays with the firm, here is its digest."""
    today = this_day()
    return {
        "template": "QH-CN-CP", "templateVersion": "2019-1", "scope": scope, "signatory": "马得林",
        "validFrom": str(today), "validTo": str(today + timedelta(days=365)), "signedDigest": "5a" * 32,
        "consentsToPublication": True,
    }  # fmt: skip


def promise() -> str:
    """R6.1, R6.2: handed in by the firm itself, published, and seen by everybody."""
    say("templates to sign", PUBLIC.ask(TEMPLATES)["commitmentTemplates"])
    made = ITSELF.ask(SUBMIT, c=signed("全部门店明码标价"))["submitCommitment"]
    number: str = made["number"]
    assert PUBLIC.ask(SHOWN, n=number)["commitment"] is None
    say("handed in by the firm, to", made)
    say("published", UNIT.ask(PUBLISH, n=number)["publishCommitment"])
    say("what the public sees", PUBLIC.ask(SHOWN, n=number)["commitment"])
    refused = UNIT.refused(RECORD, code=SHOP, c=signed("负责人电话13812345678"))
    say("with a telephone number in its text it is refused", refused)
    return number


def suspicion(number: str) -> None:
    """R6.4: the firm hears of it with the notice, and nothing is established before its defence."""
    before = PUBLIC.ask(SHOWN, n=number)
    case = UNIT.ask(SUSPECT, n=number)["suspectBreach"]["number"]
    UNIT.ask(FIND, n=case, doc=fresh("青商诺认"))
    assert ITSELF.ask(CASE, n=case)["commitmentInspection"] is None
    served = UNIT.ask(SERVE, n=case, doc=fresh("青商诺告"), on=str(this_day()))["serveBreachNotice"]
    say("notice served", served)
    say("now the firm sees the case", ITSELF.ask(CASE, n=case)["commitmentInspection"])
    ITSELF.ask(DEFEND, n=case)
    refused = SECOND.refused(ESTABLISH, n=case, doc=fresh("青商诺决"))
    say("nobody establishes a breach while it may defend itself", refused)
    assert refused == "DEFENCE_PERIOD_RUNNING"
    assert PUBLIC.ask(SHOWN, n=number) == before
    say("the defence holds", UNIT.ask(CLEAR, n=case, t="申辩成立")["clearInspection"])


def inspection() -> None:
    """R6.3: seed and frame are committed to, then drawn, then published; the command line draws again."""
    for code, scope in ((SHOP, "面食足量"), (LISTED, "矿产品质量合格"), (FIRM, "节日期间不涨价")):
        number = UNIT.ask(RECORD, code=code, c=signed(scope))["recordCommitment"]["number"]
        UNIT.ask(PUBLISH, n=number)
    who = [{"id": f"QH-ZF-{number:03}", "conflicts": [SHOP] if number == 1 else []} for number in range(1, 5)]
    plan = UNIT.ask(OPEN, who=who)["planInspection"]["number"]
    UNIT.ask("mutation C($n: String!) { commitDraw(number: $n) { state } }", n=plan)
    committed = PUBLIC.ask(DRAWN, n=plan)["inspectionPlan"]
    assert committed["seed"] is None
    say(
        "public before the draw",
        {key: committed[key] for key in ("seedCommitment", "frameDigest", "frameCount")},
    )
    UNIT.ask("mutation D($n: String!) { drawInspection(number: $n) { state } }", n=plan)
    found = [one["node"] for one in UNIT.ask(ASSIGNED)["cases"]["edges"] if one["node"]["plan"] == plan]
    say("to be inspected", found)
    assert found
    for one in found:
        UNIT.ask(CLEAR, n=one["number"], t="未发现问题")
        say(f"result of {one['commitment']}", UNIT.ask(RESULT, n=one["number"])["publishInspectionResult"])
    UNIT.ask("mutation P($n: String!) { publishDraw(number: $n) { state } }", n=plan)
    answer = PUBLIC.ask(DRAWN, n=plan)
    say("the seed", answer["inspectionPlan"]["seed"])
    assert verified(answer) == 0
    seed = answer["inspectionPlan"]["seed"]
    answer["inspectionPlan"]["seed"] = ("0" if seed[0] != "0" else "1") + seed[1:]
    assert verified(answer) == 1


def verified(answer: dict[str, Any]) -> int:
    """What `credithub draw verify` says of an answer."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "answer.json"
        path.write_text(json.dumps(answer, ensure_ascii=False), "utf-8")
        command = [str(Path(sys.executable).parent / "credithub"), "draw", "verify", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"\n== credithub draw verify: ends with {done.returncode}\n{done.stdout}{done.stderr}", flush=True)
    return done.returncode


def main() -> None:
    """Go through it."""
    suspicion(promise())
    inspection()


if __name__ == "__main__":
    main()
