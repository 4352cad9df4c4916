"""The catalogue of licences and penalties (article 四): power list, drafts, deviations, reviews, two channels, versions."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hub_client import ROOT, Desk, fresh, say

PURPOSE = ("ONGOING_SUPERVISION", "SW-XK-OIL")
DRAFTER = Desk("commerce", *PURPOSE, officer="zhang")
REVIEWER = Desk("commerce", *PURPOSE, officer="li")
PUBLIC = Desk("public", "PUBLIC_QUERY")
CASE = "number state version deviations { key standard stated reason } deliveries { channel state receiptNumber }"
DRAFT = f"""mutation Draft($code: String!, $name: String!, $power: String, $items: [CatalogDataItemInput!]) {{
  draftCatalogItem(code: $code, kind: XK, name: $name, legalBasis: "商务部令2025年第4号", authority: "青海省商务厅",
    site: OWN_SITE, powerItem: $power, dataItems: $items) {{ {CASE} }} }}"""
SHOWN = """query Shown($code: String!, $version: Int) { catalogItems(code: $code, version: $version) {
  version name effectiveFrom effectiveTo standard dataItems { code name type length requirement masked governmentSharing
    sharingAttribute } deviations { key reason } channels { channel state acknowledgedAt } } }"""
COVERAGE = """{ catalogCoverage(unit: "commerce") { active catalogued shown perMilleCatalogued perMilleShown
  gaps { code name gap } } }"""


def step(desk: Desk, field: str, number: str, arguments: str = "") -> dict[str, Any]:
    """One step of a version."""
    query = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {CASE} }} }}"
    found: dict[str, Any] = desk.ask(query, number=number)["case"]
    return found


def refused(desk: Desk, field: str, number: str, arguments: str = "") -> str:
    """The reason why a step is not taken."""
    query = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ state }} }}"
    return desk.refused(query, number=number)


def shown(code: str, version: int | None = None) -> list[dict[str, Any]]:
    """What the public reads of an item; of its data items only how many there are."""
    found: list[dict[str, Any]] = PUBLIC.ask(SHOWN, code=code, version=version)["catalogItems"]
    return found


def brief(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with a count in place of the data items."""
    return [{**one, "dataItems": len(one["dataItems"])} for one in items]


def power_list(*codes: str) -> None:
    """Take the department's power list, as its operator does."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", delete=False) as file:
        file.write("事项编码,事项名称,事项类型,实施依据,实施机关\n")
        file.writelines(
            f"{code},成品油零售经营资格审批,行政许可,商务部令2025年第4号,青海省商务厅\n" for code in codes
        )
    command = [
        str(Path(sys.executable).parent / "credithub"),
        "catalogue",
        "power-list",
        file.name,
        "--unit",
        "commerce",
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "HUB_DEMO": "true"}, capture_output=True, text=True, check=False
    )
    Path(file.name).unlink()
    if done.returncode:
        raise SystemExit(f"the power list was not taken: {done.stderr}")
    print(f"\n== credithub catalogue power-list\n{done.stdout.strip()}", flush=True)


def main() -> None:
    """Drive the catalogue from its power list to a second version."""
    code, other = (f"QH-XK-{secrets.randbelow(10**8):08}" for _ in range(2))
    power_list(code, other)
    say("应归尽归 before: both items are missing (R4.1)", DRAFTER.ask(COVERAGE))

    first = DRAFTER.ask(DRAFT, code=code, name="成品油零售经营资格审批", power=code)["draftCatalogItem"]
    say("a draft with the data items of the national standard: no deviation (R4.3)", first)
    assert first["deviations"] == []
    assert shown(code) == []
    say("unreviewed it is not published (R4.2)", refused(DRAFTER, "publishCatalogItem", first["number"]))
    step(DRAFTER, "submitCatalogItem", first["number"])
    say(
        "the drafter is no second person",
        refused(DRAFTER, "passCatalogReview", first["number"], ', opinion: "不涉密"'),
    )
    step(REVIEWER, "passCatalogReview", first["number"], ', opinion: "不涉密"')
    say("published on two channels (R4.5)", step(DRAFTER, "publishCatalogItem", first["number"]))

    (item,) = shown(code)
    say(
        "what the public reads; the worker takes it to the channels, each with its own state",
        brief([item]),
    )
    say("应归尽归 now; 应示尽示 waits for both receipts", DRAFTER.ask(COVERAGE))

    items = [{**one, "length": 500} if one["code"] == "XK_XKWS" else one for one in item["dataItems"]]
    second = DRAFTER.ask(DRAFT, code=code, name="成品油零售经营批准", power=code, items=items)[
        "draftCatalogItem"
    ]
    number = second["number"]
    say("a second version deviates from the standard (R4.3, R4.4)", second)
    step(DRAFTER, "submitCatalogItem", number)
    say("so it does not pass", refused(REVIEWER, "passCatalogReview", number, ', opinion: "不涉密"'))
    accept = f', deviation: "LENGTH@XK_XKWS", reason: "文书名称较长，见{fresh("青商函")}"'
    say(
        "until a second person accepts it with a reason",
        step(REVIEWER, "acceptCatalogDeviation", number, accept),
    )
    step(REVIEWER, "passCatalogReview", number, ', opinion: "不涉密"')
    step(DRAFTER, "publishCatalogItem", number)
    say("the second version is in force", brief(shown(code)))
    say("the first can still be read", brief(shown(code, 1)))
    (now,), (then,) = shown(code), shown(code, 1)
    assert (now["version"], then["version"], then["effectiveTo"] is not None) == (2, 1, True)
    ids = [{**one, "sharingAttribute": "PUBLIC"} if one["code"] == "XK_XDR_ZJHM" else one for one in items]
    say(
        "numbers of persons are opened by no version", DRAFTER.refused(DRAFT, code=other, name="x", items=ids)
    )


if __name__ == "__main__":
    main()
