"""Which grade of a subject is in force today (4.2, 4.3): begun, not ended, and of the latest year; of SAFE classes the latest."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.casework.desk import MONDAY, Office

TODAY = MONDAY.date()
ASKED = """
query G($c: String!) { subject(value: $c) { summary { taxGradeIsD } ... on Organization { grades { gradeCode period } } } }
"""


async def _graded(office: Office, code: str, grade: str, year: str | None, since: date, **more: Any) -> None:
    await office.fact(
        "grade",
        code,
        "g",
        {
            "data_class": "D16" if grade == "A" else "D17", "scheme": "TAX", "grade_code": grade,
            "grade_label": f"{grade}级", "ruleset_version": "TAX-2025", "issuer_name": "国家税务总局青海省税务局",
            "period": year, "effective_from": since, "source": "TAX", **more,
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("grades", "answer", "shown"),
    [
        ([("D", "2025", date(2026, 4, 20))], "YES", ["D 2025"]),
        ([("D", "2025", TODAY)], "YES", ["D 2025"]),
        ([("D", "2025", TODAY + timedelta(days=1))], "NO", []),
        ([("D", "2024", date(2025, 4, 20)), ("B", "2025", date(2026, 4, 20))], "NO", ["B 2025", "D 2024"]),
        ([("D", "2024", date(2025, 4, 20)), ("A", "2025", date(2026, 4, 20))], "NO", ["A 2025", "D 2024"]),
        # An older year's that was corrected since is an older year's all the same.
        ([("D", "2024", date(2026, 9, 1)), ("B", "2025", date(2026, 4, 20))], "NO", ["D 2024", "B 2025"]),
        ([("B", "2024", date(2026, 9, 1)), ("D", "2025", date(2026, 4, 20))], "YES", ["B 2024", "D 2025"]),
        # What has not begun puts nothing aside, nor what has ended.
        ([("D", "2024", date(2025, 4, 20)), ("B", "2025", TODAY + timedelta(days=1))], "YES", ["D 2024"]),
        (
            [("D", "2024", date(2025, 4, 20)), ("B", "2025", date(2026, 4, 20), TODAY - timedelta(days=1))],
            "YES",
            ["D 2024"],
        ),
        # The year was corrected under another of the taxpayer's numbers.
        ([("D", "2025", date(2026, 4, 20)), ("B", "2025", date(2026, 9, 1))], "NO", ["B 2025", "D 2025"]),
        ([("D", "2025", date(2026, 4, 20)), ("B", "2025", date(2026, 4, 20))], "YES", None),
        ([("D", None, date(2026, 4, 20)), ("B", "2025", date(2026, 9, 1))], "YES", None),
    ],
)
async def test_4_2_the_tax_grade_is_the_latest_years_that_has_begun_and_not_ended(
    office: Office, grades: list[tuple[Any, ...]], answer: str, shown: list[str] | None
) -> None:
    code = await office.subject()
    for grade, year, since, *until in grades:
        await _graded(office, code, grade, year, since, effective_to=until[0] if until else None)
    found = (await office.desk().done(ASKED, {"c": code}))["subject"]
    assert found["summary"]["taxGradeIsD"] == answer
    if shown is not None:
        assert [f"{one['gradeCode']} {one['period']}" for one in found["grades"]] == shown


async def test_4_2_a_grade_that_is_not_shared_puts_none_aside(office: Office) -> None:
    code = await office.subject()
    await _graded(office, code, "D", "2024", date(2025, 4, 20))
    await _graded(office, code, "B", "2025", date(2026, 4, 20), sharing_attribute="RESTRICTED")
    assert (await office.desk().done(ASKED, {"c": code}))["subject"]["summary"]["taxGradeIsD"] == "YES"


@pytest.mark.parametrize(
    ("grades", "shown"),
    [
        ([("A", date(2020, 1, 1)), ("B", TODAY)], ["B"]),
        # Announced for a later day it hides nothing. One that is over has put aside what was before it for good: what is in
        # force then is for its source to say.
        ([("A", date(2020, 1, 1)), ("B", TODAY + timedelta(days=1))], ["A"]),
        ([("A", date(2020, 1, 1)), ("B", date(2025, 11, 1), {"effective_to": TODAY})], ["B"]),
        ([("A", date(2020, 1, 1)), ("B", date(2025, 11, 1), {"effective_to": TODAY - timedelta(days=1)})], []),
        ([("A", date(2020, 1, 1)), ("B", TODAY, {"superseded_at": MONDAY})], ["A"]),
        # What the caller is not shown puts nothing aside.
        ([("A", date(2020, 1, 1)), ("B", TODAY, {"sharing_attribute": "RESTRICTED"})], ["A"]),
        # An industry has many associations, and a firm may have certificates of several.
        ([("A", date(2020, 1, 1), {"scheme": "ASSOCIATION"}), ("B", TODAY, {"scheme": "ASSOCIATION"})], ["B", "A"]),
    ],
)  # fmt: skip
async def test_4_3_a_firm_has_one_class_of_foreign_exchange(
    office: Office, grades: list[tuple[Any, ...]], shown: list[str]
) -> None:
    code, other = await office.subject(), await office.subject()
    for grade, since, *more in grades:
        told: dict[str, Any] = {"data_class": "D19", "scheme": "SAFE", "source": "FOREIGN_EXCHANGE"} | dict(
            *more
        )
        await _graded(office, code, grade, None, since, **told)
    await _graded(office, other, "C", None, TODAY, data_class="D19", scheme="SAFE")
    found = (await office.desk(purpose="ONGOING_SUPERVISION", case=None).done(ASKED, {"c": code}))["subject"]
    assert [one["gradeCode"] for one in found["grades"]] == shown
