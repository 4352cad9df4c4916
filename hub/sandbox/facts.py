"""What the synthetic province's agencies hold about its subjects: shapes and authorities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.sandbox.names import Region, uscc


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
class AbnormalEntry:
    """An entry in the list of abnormal operations (经营异常名录). `ground`: its code; `left_on` None: still there."""

    number: str
    ground: str
    entered_on: date
    left_on: date | None


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


@dataclass(frozen=True)
class Subject:
    """A subject and all that the agencies hold about it. `uscc` is None for natural persons."""

    number: int
    kind: str
    name: str
    uscc: str | None
    region: Region
    # Region as the register writes it; old registrations keep a code that no longer exists.
    registered_region: str
    established_on: date
    status: str
    industry_code: str | None
    representative: str | None
    # Number of the person who represents or operates it: agencies' files carry it, the hub must not.
    resident_id: str
    address: str
    phone: str
    former_name: str | None = None
    licenses: tuple[License, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    listings: tuple[Listing, ...] = ()
    customs: CustomsFile | None = None
    tax_grades: tuple[TaxGrade, ...] = ()
    forex: ForexClass | None = None
    reports: tuple[InvestmentReport, ...] = ()
    membership: Membership | None = None
    evaluation: Evaluation | None = None
    merchant_since: date | None = None

    @property
    def code(self) -> str:
        """The USCC. Natural persons have none: ask only where there is one."""
        assert self.uscc is not None
        return self.uscc
