"""How the synthetic province's grades, reports and archives come about: each function draws them for one subject."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hub.sandbox.decisions import back, months_after
from hub.sandbox.facts import (
    CustomsFile,
    CustomsLevel,
    Evaluation,
    ForexClass,
    InvestmentReport,
    Membership,
    TaxGrade,
)
from hub.sandbox.names import Region, customs_code, person_name

CERTIFICATE_DIGITS = {
    "AAA": "111",
    "AA": "011",
    "A": "001",
    "BBB": "222",
    "BB": "022",
    "B": "002",
    "CCC": "333",
    "CC": "033",
    "C": "003",
}
ASSOCIATION_NUMBER = "630"


def customs_of(random: Random, today: date, region: Region, number: int) -> CustomsFile:
    """A trader's file: a level of each rule set (225, 237, 251, 282) under which it was recognized."""
    registered = back(today, random, 12 * 365, 200)
    eras = (
        (
            "CUSTOMS-225",
            date(2014, 12, 1),
            date(2018, 4, 30),
            ("高级认证企业", "一般认证企业", "一般信用企业", "失信企业"),
            (5, 20, 70, 5),
        ),
        (
            "CUSTOMS-237",
            date(2018, 5, 1),
            date(2021, 10, 31),
            ("高级认证企业", "一般认证企业", "一般信用企业", "失信企业"),
            (5, 15, 75, 5),
        ),
        (
            "CUSTOMS-251",
            date(2021, 11, 1),
            date(2026, 3, 31),
            ("高级认证企业", "其他注册登记和备案企业", "失信企业"),
            (10, 84, 6),
        ),
        (
            "CUSTOMS-282",
            date(2026, 4, 1),
            date(9999, 1, 1),
            ("高级认证企业", "认证企业", "常规企业", "失信企业", "严重失信企业"),
            (10, 12, 70, 6, 2),
        ),
    )
    levels: list[CustomsLevel] = []
    for ruleset, start, end, labels, weights in eras:
        first, last = max(start, registered), min(end, today)
        if first > last:
            continue
        day = first + timedelta(days=random.randint(0, min(300, (last - first).days)))
        if levels:
            levels[-1] = CustomsLevel(levels[-1].label, levels[-1].ruleset, levels[-1].recognized_on, day)
        levels.append(CustomsLevel(random.choices(labels, weights)[0], ruleset, day))
    anomalies = (
        ((random.choice(("年报逾期未报", "注册信息不实", "无法联系")), back(today, random, 500)),)
        if random.random() < 0.08
        else ()
    )
    return CustomsFile(
        customs_code(region.code, number), registered, "进出口货物收发货人", tuple(levels), anomalies
    )


def tax_grades_of(random: Random, today: date, established: date) -> tuple[TaxGrade, ...]:
    """The grades of the last three evaluated years; new payers are M."""
    last = today.year - 1 if (today.month, today.day) >= (4, 20) else today.year - 2
    grades, grade = [], random.choices("ABMCD", (18, 45, 22, 11, 4))[0]
    for year in range(last - 2, last + 1):
        if established.year > year:
            continue
        if established.year == year:
            grades.append(TaxGrade(year, "M", date(year + 1, 4, 20)))
            continue
        if random.random() < 0.3:
            grade = random.choices("ABMCD", (18, 45, 22, 11, 4))[0]
        corrected = random.random() < 0.03
        grades.append(TaxGrade(year, grade, min(today, date(year + 1, 8 if corrected else 4, 20))))
    return tuple(grades)


def forex_of(random: Random, today: date) -> ForexClass:
    """The class in the goods-trade registry."""
    since = back(today, random, 300, 10)
    grade = random.choices("ABC", (90, 8, 2))[0]
    reason = {"A": "正常", "B": "外汇收支与货物进出口差异较大且未能说明", "C": "受到外汇管理行政处罚"}[grade]
    return ForexClass(grade, since, None if grade == "A" else months_after(since, 12), reason)


def reports_of(random: Random, today: date, number: int) -> tuple[InvestmentReport, ...]:
    """An initial report and an annual one; some are late."""
    investor, country = random.choice(
        (
            ("Silk Road Highland Trading Ltd.", "KAZ"),
            ("昆仑国际(香港)有限公司", "HKG"),
            ("Himalaya Wool B.V.", "NLD"),
            ("Qinghai Lake Holdings Pte. Ltd.", "SGP"),
        )
    )
    share, controller = Decimal(random.randrange(25, 101)), person_name(random)
    capital = Decimal(random.randrange(50, 5000))
    first = back(today, random, 5 * 365, 400)
    annual = date(
        today.year if (today.month, today.day) > (6, 30) else today.year - 1, 6, random.randint(1, 30)
    )
    late = random.random() < 0.1
    return (
        InvestmentReport(
            f"WZ{first.year}{number:07}1",
            "INITIAL",
            first,
            investor,
            country,
            share,
            controller,
            capital,
            capital / 2,
        ),
        InvestmentReport(
            f"WZ{annual.year}{number:07}2",
            "ANNUAL",
            annual + timedelta(days=40 if late else 0),
            investor,
            country,
            share,
            controller,
            capital,
            capital,
            late,
        ),
    )


def membership_of(random: Random, today: date, number: int) -> Membership:
    """A member's archive; two thirds have been evaluated."""
    joined = back(today, random, 8 * 365, 60)
    grade = random.choices((None, "AAA", "AA", "A", "BBB", "C"), (33, 10, 20, 25, 10, 2))[0]
    graded = back(today, random, 900, 30) if grade else None
    certificate = (
        f"{graded.year}{ASSOCIATION_NUMBER}{CERTIFICATE_DIGITS[grade]}{number % 100_000:05}"
        if grade and graded
        else None
    )
    complaints = random.choices((0, 1, 2, 5), (70, 18, 8, 4))[0]
    sanctions = (
        ((random.choice(("警告", "业内批评", "公开谴责")), back(today, random, 700)),)
        if random.random() < 0.05
        else ()
    )
    return Membership(
        f"QHSL{number:06}",
        joined,
        random.choices(("会员", "理事", "常务理事", "副会长"), (80, 14, 5, 1))[0],
        joined if random.random() < 0.8 else None,
        grade,
        certificate,
        graded,
        ("诚信经营示范单位",) if random.random() < 0.1 else (),
        sanctions,
        complaints,
        max(0, complaints - (random.random() < 0.3)),
        back(today, random, 150),
    )


def evaluation_of(random: Random, today: date) -> Evaluation:
    """The national evaluation of the year."""
    return Evaluation(random.choices("ABCD", (20, 55, 20, 5))[0], back(today, random, 250, 30))
