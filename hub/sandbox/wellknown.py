"""The subjects every demo knows by heart: fictitious codes that are always the same, some with a story."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hub.sandbox import decisions, grading
from hub.sandbox.facts import (
    COMMERCE,
    MARKET_REGULATION,
    CustomsFile,
    CustomsLevel,
    Evaluation,
    ForexClass,
    InvestmentReport,
    License,
    Listing,
    Membership,
    Penalty,
    Subject,
    TaxGrade,
)


@dataclass(frozen=True)
class Known:
    """A subject with a fixed code."""

    uscc: str
    kind: str
    name: str
    region: str
    representative: str
    industry_code: str | None
    established: int


RICH = "91630103MA75ABCD1M"
CLEAN = "91630100MA7XK2P38N"
DISHONEST = "91632801MA7D3E5F01"

SUBJECTS = (
    Known(RICH, "LEGAL_PERSON", "青海三江源商贸有限公司", "630103", "马得林", "5199", 2017),
    # One character from the first: a name must never merge them.
    Known(CLEAN, "LEGAL_PERSON", "青海三江汇商贸有限公司", "630104", "李秀英", "5199", 2018),
    Known(DISHONEST, "LEGAL_PERSON", "格尔木昆仑源矿业有限公司", "632801", "张国栋", "0911", 2016),
    Known(
        "91630000710400017T", "LEGAL_PERSON", "青海湖源化工股份有限公司", "630103", "才让卓玛", "2613", 1999
    ),
    Known(
        "92630104MA758WQ780",
        "INDIVIDUAL_BUSINESS",
        "西宁市城西区马占海拉面馆",
        "630104",
        "马占海",
        "6210",
        2017,
    ),
    Known(
        "93632801MA752R8K3C", "LEGAL_PERSON", "格尔木红宝枸杞种植专业合作社", "632801", "巴特尔", "0159", 2016
    ),
    Known("51630000500001237G", "LEGAL_PERSON", "青海省商业联合会", "630104", "陈建国", None, 2002),
    Known(
        "52630102MJY8000174", "LEGAL_PERSON", "西宁市城东区河湟家政培训中心", "630102", "韩玉兰", None, 2015
    ),
    Known("11630000000015122A", "LEGAL_PERSON", "青海省商务厅", "630104", "王晓东", None, 2000),
    Known(
        "N1630202MF0A1B2C08",
        "LEGAL_PERSON",
        "海东市乐都区瞿昙镇上庄村股份经济合作社",
        "630202",
        "祁永福",
        None,
        2019,
    ),
)


def complete(subject: Subject, today: date) -> Subject:
    """`subject` with the facts of its story, their days counted back from `today`."""
    story = {RICH: _rich, CLEAN: _clean, DISHONEST: _dishonest}.get(subject.code)
    if story is not None:
        return story(subject, today)
    random = Random(subject.code)  # noqa: S311 - invented data, not secrets
    firm = subject.code[0] == "9"
    return replace(
        subject,
        licenses=(decisions.license_of(random, today, subject.region, subject.number, 0),),
        tax_grades=grading.tax_grades_of(random, today, subject.established_on) if firm else (),
        customs=grading.customs_of(random, today, subject.region, subject.number)
        if subject.code[0:2] == "91"
        else None,
        membership=grading.membership_of(random, today, subject.number) if firm else None,
        merchant_since=today - timedelta(days=200) if subject.code[0:2] in ("92", "93") else None,
    )


def _rich(subject: Subject, today: date) -> Subject:
    """Something of everything: the case to ask about as customs, as a platform and as the department."""

    def ago(days: int) -> date:
        return today - timedelta(days=days)

    fined, warned, old = ago(120), ago(40), ago(900)
    listed, red = ago(1100), ago(300)
    last_year = today.year - 1 if (today.month, today.day) >= (4, 20) else today.year - 2
    oil = License(
        f"青商油许〔{ago(700).year}〕000012号",
        "成品油零售经营许可决定书",
        "普通",
        "成品油零售经营批准证书",
        "油零售证书第630103000012号",
        "汽油、柴油零售(一站一证)",
        ago(700),
        ago(700),
        decisions.months_after(ago(700), 60) - timedelta(days=1),
        COMMERCE,
    )
    food = License(
        f"青市监许〔{ago(1000).year}〕003456号",
        "食品经营许可决定书",
        "普通",
        "食品经营许可证",
        "JY16301030034567",
        "预包装食品销售",
        ago(1000),
        ago(1000),
        decisions.months_after(ago(1000), 60) - timedelta(days=1),
        MARKET_REGULATION,
    )
    return replace(
        subject,
        former_name="青海三江商行",
        licenses=(oil, food),
        penalties=(
            Penalty(
                f"青市监罚〔{fined.year}〕000087号",
                "经营超过保质期的食品",
                "经查,当事人销售超过保质期的预包装食品12袋。",
                "食品安全法第124条第1款第5项",
                ("罚款", "没收违法所得"),
                "罚款20000.00元,没收违法所得360.00元",
                Decimal(20000),
                Decimal(360),
                None,
                fined,
                decisions.months_after(fined, 12),
                decisions.months_after(fined, 12),
                MARKET_REGULATION,
                "GENERAL",
            ),
            Penalty(
                f"青市监罚〔{warned.year}〕000131号",
                "未按规定明码标价",
                "经查,当事人3种商品未标明价格。",
                "价格法第42条",
                ("警告",),
                "警告",
                None,
                None,
                None,
                warned,
                decisions.months_after(warned, 3),
                None,
                MARKET_REGULATION,
                "MINOR",
                True,
            ),
            Penalty(
                f"青商罚〔{old.year}〕000009号",
                "发卡企业未办理备案",
                "经查,当事人发行单用途预付卡未备案。",
                "单用途商业预付卡管理办法(试行)第36条",
                ("罚款",),
                "罚款10000.00元",
                Decimal(10000),
                None,
                None,
                old,
                decisions.months_after(old, 12),
                decisions.months_after(old, 12),
                COMMERCE,
                "GENERAL",
            ),
        ),
        listings=(
            Listing(
                "SW-RED",
                "PUBLISHED",
                "诚信兴商典型",
                f"SW-RED〔{red.year}〕000003号",
                red,
                red + timedelta(days=7),
                None,
                decisions.months_after(red, 24),
            ),
            Listing(
                "SCJG-BLACK",
                "EXITED_REPAIRED",
                "因严重食品安全违法行为受到较重行政处罚",
                f"SCJG-BLACK〔{listed.year}〕000041号",
                listed,
                listed + timedelta(days=7),
                decisions.months_after(listed, 12),
                decisions.months_after(listed, 36),
                ago(650),
                "信用修复",
            ),
            Listing(
                "SW-WATCH",
                "RECOGNIZED",
                "一年内因同类违法行为受到两次行政处罚",
                f"SW-WATCH〔{ago(35).year}〕000007号",
                ago(35),
                None,
                decisions.months_after(ago(35), 6),
                decisions.months_after(ago(35), 24),
            ),
        ),
        customs=CustomsFile(
            "630196003A",
            date(2017, 9, 1),
            "进出口货物收发货人",
            (
                CustomsLevel("一般认证企业", "CUSTOMS-237", date(2019, 3, 11), date(2022, 2, 8)),
                CustomsLevel("其他注册登记和备案企业", "CUSTOMS-251", date(2022, 2, 8), date(2026, 5, 20)),
                CustomsLevel("认证企业", "CUSTOMS-282", date(2026, 5, 20)),
            ),
            (("年报逾期未报", ago(210)),),
        ),
        tax_grades=tuple(
            TaxGrade(last_year - back, grade, date(last_year - back + 1, 4, 20))
            for back, grade in ((2, "A"), (1, "M"), (0, "B"))
        ),
        forex=ForexClass("A", ago(400), None, "正常"),
        reports=(
            InvestmentReport(
                "WZ201700000011",
                "INITIAL",
                ago(1400),
                "Silk Road Highland Trading Ltd.",
                "KAZ",
                Decimal(40),
                "马得林",
                Decimal(500),
                Decimal(300),
            ),
            InvestmentReport(
                f"WZ{last_year}00000012",
                "ANNUAL",
                ago(160),
                "Silk Road Highland Trading Ltd.",
                "KAZ",
                Decimal(40),
                "马得林",
                Decimal(500),
                Decimal(500),
            ),
        ),
        membership=Membership(
            "QHSL000001",
            ago(2000),
            "理事",
            ago(2000),
            "AA",
            f"{ago(200).year}63001100001",
            ago(200),
            ("诚信经营示范单位",),
            (("警告", ago(500)),),
            3,
            2,
            ago(20),
        ),
        evaluation=Evaluation("B", ago(90)),
        merchant_since=ago(800),
    )


def _clean(subject: Subject, today: date) -> Subject:
    """An honest model: advanced certified, tax grade A three times, on the red list, no adverse record."""
    random = Random(subject.code)  # noqa: S311 - invented data, not secrets
    red = today - timedelta(days=150)
    last_year = today.year - 1 if (today.month, today.day) >= (4, 20) else today.year - 2
    return replace(
        subject,
        licenses=(decisions.license_of(random, today, subject.region, subject.number, 0),),
        listings=(
            Listing(
                "SW-RED",
                "PUBLISHED",
                "诚信兴商典型",
                f"SW-RED〔{red.year}〕000011号",
                red,
                red + timedelta(days=7),
                None,
                decisions.months_after(red, 24),
            ),
        ),
        customs=CustomsFile(
            "630196003B",
            date(2018, 9, 1),
            "进出口货物收发货人",
            (CustomsLevel("高级认证企业", "CUSTOMS-282", date(2026, 4, 9)),),
        ),
        tax_grades=tuple(
            TaxGrade(last_year - back, "A", date(last_year - back + 1, 4, 20)) for back in (2, 1, 0)
        ),
        forex=ForexClass("A", today - timedelta(days=300), None, "正常"),
        evaluation=Evaluation("A", today - timedelta(days=60)),
        merchant_since=today - timedelta(days=600),
    )


def _dishonest(subject: Subject, today: date) -> Subject:
    """On two serious dishonesty lists, tax grade D, seriously dishonest at customs."""
    random = Random(subject.code)  # noqa: S311 - invented data, not secrets
    day = today - timedelta(days=220)
    last_year = today.year - 1 if (today.month, today.day) >= (4, 20) else today.year - 2
    return replace(
        subject,
        penalties=(decisions.penalty_of(random, today, subject.number, 0, "SERIOUS", day),),
        listings=tuple(
            Listing(
                code,
                "PUBLISHED",
                cause,
                f"{code}〔{day.year}〕000002号",
                day,
                day + timedelta(days=7),
                decisions.months_after(day, 12),
                decisions.months_after(day, 36),
            )
            for code, cause in (
                ("SCJG-BLACK", "销售假冒伪劣商品情节严重"),
                ("TAX-SERIOUS", "虚开增值税专用发票"),
            )
        ),
        customs=CustomsFile(
            "632896003C",
            date(2017, 1, 9),
            "进出口货物收发货人",
            (CustomsLevel("严重失信企业", "CUSTOMS-282", max(date(2026, 4, 15), day)),),
        ),
        tax_grades=(TaxGrade(last_year, "D", date(last_year + 1, 4, 20)),),
        forex=ForexClass("C", day, decisions.months_after(day, 12), "受到外汇管理行政处罚"),
        evaluation=Evaluation("D", today - timedelta(days=60)),
    )
