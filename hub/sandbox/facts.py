"""What the synthetic province's agencies hold about its subjects: shapes, authorities and lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.sandbox.names import uscc


@dataclass(frozen=True)
class Authority:
    """An agency that decides: its name and its USCC."""

    name: str
    uscc: str


def _organ(name: str, number: int, region: str = "630000") -> Authority:
    return Authority(name, uscc("11", region, 9_000_000 + number))


COMMERCE = Authority("青海省商务厅", "11630000000015122A")
MARKET_REGULATION = _organ("青海省市场监督管理局", 1)
CUSTOMS = _organ("西宁海关", 2)
TAX = _organ("国家税务总局青海省税务局", 3)
FOREIGN_EXCHANGE = _organ("国家外汇管理局青海省分局", 4)
REFORM = _organ("青海省发展和改革委员会", 5)
FINANCE = _organ("青海省财政厅", 6)
HUMAN_RESOURCES = _organ("青海省人力资源和社会保障厅", 7)
CHAMBER = Authority("青海省商业联合会", "51630000500001237G")


@dataclass(frozen=True)
class ListDefinition:
    """A red, watch or black list. R8.1: none without a legal basis and its level."""

    code: str
    name: str
    color: str
    recognizer: Authority
    legal_basis: str
    basis_level: str
    min_publicity_months: int | None
    max_publicity_months: int | None
    effective_from: date
    effective_to: date | None = None


LISTS = (
    ListDefinition(
        "SW-RED",
        "商务领域诚信典型名单",
        "RED",
        COMMERCE,
        "国务院关于建立完善守信联合激励和失信联合惩戒制度加快推进社会诚信建设的指导意见(国发〔2016〕33号)",
        "POLICY",
        None,
        24,
        date(2019, 7, 5),
    ),
    ListDefinition(
        "SW-WATCH",
        "商务信用重点关注名单",
        "WATCH",
        COMMERCE,
        "商务信用联合惩戒对象名单管理办法(2019年)",
        "RULE",
        None,
        24,
        date(2019, 7, 1),
    ),
    ListDefinition(
        "SW-BLACK",
        "对外劳务合作领域严重失信主体名单",
        "BLACK",
        COMMERCE,
        "对外劳务合作管理条例(国务院令第620号)第39条",
        "REGULATION",
        12,
        36,
        date(2012, 8, 1),
    ),
    ListDefinition(
        "SCJG-BLACK",
        "市场监督管理严重违法失信名单",
        "BLACK",
        MARKET_REGULATION,
        "企业信息公示暂行条例(国务院令第777号修订)第17条",
        "REGULATION",
        12,
        36,
        date(2021, 9, 1),
    ),
    ListDefinition(
        "ZFCG-BLACK",
        "政府采购严重违法失信行为记录名单",
        "BLACK",
        FINANCE,
        "中华人民共和国政府采购法第77条",
        "LAW",
        12,
        36,
        date(2014, 8, 31),
    ),
    ListDefinition(
        "RS-BLACK",
        "拖欠农民工工资失信联合惩戒对象名单",
        "BLACK",
        HUMAN_RESOURCES,
        "保障农民工工资支付条例(国务院令第724号)第48条",
        "REGULATION",
        12,
        36,
        date(2020, 5, 1),
    ),
    ListDefinition(
        "TAX-SERIOUS",
        "重大税收违法失信主体名单",
        "BLACK",
        TAX,
        "中华人民共和国税收征收管理法;国家税务总局令第54号",
        "LAW",
        12,
        36,
        date(2022, 2, 1),
    ),
)
LIST = {definition.code: definition for definition in LISTS}


@dataclass(frozen=True)
class License:
    """An administrative licence (行政许可). `valid_to` None: long-term. `state`: 1 valid, 2 invalid."""

    number: str
    document_name: str
    category: str
    certificate_name: str
    certificate_number: str
    content: str
    decided_on: date
    valid_from: date
    valid_to: date | None
    authority: Authority
    state: str = "1"


@dataclass(frozen=True)
class Penalty:
    """An administrative penalty (行政处罚). Amounts in yuan."""

    number: str
    violation: str
    facts: str
    basis: str
    categories: tuple[str, ...]
    content: str
    fine: Decimal | None
    confiscated: Decimal | None
    revoked_certificate: str | None
    decided_on: date
    valid_until: date | None
    publicity_until: date | None
    authority: Authority
    seriousness: str
    simple: bool = False


@dataclass(frozen=True)
class Listing:
    """A place on a list."""

    list_code: str
    state: str
    cause: str
    decision_number: str
    recognized_on: date
    publicity_from: date | None = None
    earliest_repair_on: date | None = None
    publicity_ends_on: date | None = None
    exited_on: date | None = None
    exit_reason: str | None = None


@dataclass(frozen=True)
class CustomsLevel:
    """A credit level of customs under the rule set in force on the day of recognition."""

    label: str
    ruleset: str
    recognized_on: date
    ended_on: date | None = None


@dataclass(frozen=True)
class CustomsFile:
    """What customs holds about a registered trader."""

    code: str
    registered_on: date
    kind: str
    levels: tuple[CustomsLevel, ...]
    anomalies: tuple[tuple[str, date], ...] = ()


@dataclass(frozen=True)
class TaxGrade:
    """The tax credit grade for a calendar year, issued in April of the next one or corrected later."""

    year: int
    grade: str
    evaluated_on: date


@dataclass(frozen=True)
class ForexClass:
    """A SAFE class of the goods-trade registry."""

    grade: str
    since: date
    until: date | None
    reason: str


@dataclass(frozen=True)
class InvestmentReport:
    """A foreign investment information report. Amounts in ten thousand US dollars, as reported."""

    number: str
    kind: str
    reported_on: date
    investor: str
    investor_country: str
    share_percent: Decimal
    actual_controller: str
    registered_capital: Decimal
    paid_in: Decimal
    overdue: bool = False


@dataclass(frozen=True)
class Membership:
    """A membership in the chamber: its archive, and perhaps an evaluation with its certificate."""

    number: str
    joined_on: date
    member_class: str
    convention_signed_on: date | None
    grade: str | None
    certificate: str | None
    graded_on: date | None
    honours: tuple[str, ...]
    sanctions: tuple[tuple[str, date], ...]
    complaints: int
    complaints_resolved: int
    updated_on: date


@dataclass(frozen=True)
class Evaluation:
    """The national public credit evaluation (国办发〔2026〕8号), A to D."""

    grade: str
    evaluated_on: date
