"""The quarterly report (article 十八): 西宁 confirms what the hub counted, overrides a figure, submits; the province accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub_client import FIRM, ROOT, URL, Desk, Refused, say, this_day

XINING = Desk("commerce-xining", "STATISTICS", "SW-TJ")
PROVINCE = Desk("commerce", "STATISTICS", "SW-TJ")
FIELDS = """
  number state dueOn standing openFigures warnings { day workBefore }
  figures { code nameZh kind prefilled value reason drill }
"""
OPEN = f"mutation($y: Int!, $q: Int!) {{ openQuarterlyReport(year: $y, quarter: $q) {{ {FIELDS} }} }}"
STATE = (
    "mutation($n: String!, $f: [ReportFigureInput!]!)"
    f" {{ stateReportFigures(number: $n, figures: $f) {{ {FIELDS} }} }}"
)
SUBMIT = "mutation($n: String!) { submitQuarterlyReport(number: $n) { state standing resubmittedAt } }"
RETURN = (
    "mutation($n: String!, $r: String!) { returnQuarterlyReport(number: $n, reason: $r) { state dueOn } }"
)
ACCEPT = "mutation($n: String!) { acceptQuarterlyReport(number: $n) { state acceptedAt } }"
COUNTED = "query($f: String!) { cases(countedIn: $f, first: 5) { edges { node { number state } } } }"
CHECK = "mutation($c: USCC!) { runCreditCheck(subject: $c) { number conclusion } }"


def report_to_do() -> dict[str, Any]:
    """The newest report that was not submitted yet: an earlier run may have done the last quarter's."""
    today = this_day()
    year, quarter = today.year, (today.month + 2) // 3
    while True:
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
        report: dict[str, Any] = XINING.ask(OPEN, y=year, q=quarter)["openQuarterlyReport"]
        if report["state"] in ("PREFILLED", "RETURNED"):
            say(f"季报 {year} 年第 {quarter} 季度 · the report on quarter {quarter} of {year}", report)
            return report


def main() -> None:
    """Report on a quarter."""
    # What is done today counts in the report on this quarter, which cannot be opened before it is over.
    licensing = Desk("commerce-xining", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL", "BJ-2026-0001")
    say("信用审查 · a check of today", licensing.ask(CHECK, c=FIRM)["runCreditCheck"])
    today = this_day()
    refusal = XINING.refused(OPEN, y=today.year, q=(today.month + 2) // 3)
    say("本季度未结束 · this quarter is not over", refusal)

    report = report_to_do()
    number = report["number"]
    for figure in report["figures"]:
        if figure["drill"] and figure["prefilled"]:
            say(f"追溯 {figure['nameZh']}", XINING.ask(COUNTED, f=figure["drill"])["cases"]["edges"])
    say("未确认不得报送 · not before every figure is confirmed", XINING.refused(SUBMIT, n=number))
    bare = [{"code": "OBJECTIONS", "value": 3}]
    say("修改须有理由 · no other value without a reason", XINING.refused(STATE, n=number, f=bare))
    confirmed = [
        {"code": one["code"], "text": "典型案例：某企业主动纠正并完成信用修复。"}
        if one["kind"] == "TEXT"
        else {"code": one["code"]}
        for one in report["figures"]
        if one["code"] != "OBJECTIONS"
    ]
    overridden = [{"code": "OBJECTIONS", "value": 3, "reason": "三件以纸质办理"}]
    stated = XINING.ask(STATE, n=number, f=confirmed + overridden)["stateReportFigures"]
    said = next(one for one in stated["figures"] if one["code"] == "OBJECTIONS")
    assert (said["value"], said["reason"], stated["openFigures"]) == (3, "三件以纸质办理", [])
    say("两个值和理由都保留 · both values and the reason are kept", said)
    say("报送 · submitted", XINING.ask(SUBMIT, n=number)["submitQuarterlyReport"])
    say("退回 · given back", PROVINCE.ask(RETURN, n=number, r="请核对异议数")["returnQuarterlyReport"])
    say("再次报送 · submitted again", XINING.ask(SUBMIT, n=number)["submitQuarterlyReport"])
    accepted = PROVINCE.ask(ACCEPT, n=number)["acceptQuarterlyReport"]
    assert accepted["state"] == "ACCEPTED"
    say("接收 · accepted", accepted)
    with TemporaryDirectory() as folder:
        for kind in ("xlsx", "pdf"):
            file = Path(folder) / f"report.{kind}"
            export(number, kind, file)
            say(f"{kind.upper()} 可直接上报 · to be handed in", {"bytes": file.stat().st_size})


def export(number: str, kind: str, file: Path) -> None:
    """Let the command line make a file of the report, with the officer's own token."""
    credithub = str(Path(sys.executable).parent / "credithub")
    environment = {**os.environ, "HUB_DEMO": "true"}
    token = subprocess.run(
        [credithub, "token", "--partner", XINING.partner],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    subprocess.run(
        [credithub, "report", "export", number, "--format", kind, "--output", str(file), "--url", URL,
         "--matter", "SW-TJ"],
        cwd=ROOT, env={**environment, "HUB_TOKEN": token}, check=True,
    )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        raise SystemExit(f"refused: {error}") from None
