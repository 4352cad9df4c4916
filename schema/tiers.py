"""Supervision tiers (监管分类, R10.1): how often and how deeply a firm is inspected, and why; no evaluation of the firm."""

from enum import Enum

import strawberry

from schema.casework import Case
from schema.declaring import detail, member, rows
from schema.enums import term
from schema.governance import entity
from schema.scalars import Date, Moment


@strawberry.enum(
    description=(
        "监管类别；N为未定级，因所需信息不明，或者成立不满一年 · Tier; N: not tiered, because something "
        "needed is not known, or the firm is less than a year old"
    )
)
class Tier(Enum):
    A = term("A", "A类")
    B = term("B", "B类")
    C = term("C", "C类")
    D = term("D", "D类")
    N = term("N", "未定级")


@strawberry.enum(description="分类理由 · What a tier rests on")
class TierReasonCode(Enum):
    SERIOUS_LIST = term("SERIOUS_LIST", "在严重失信主体名单中")
    SERIOUS_RECORD = term("SERIOUS_RECORD", "有可用的严重失信记录")
    GENERAL_RECORDS = term("GENERAL_RECORDS", "期内有多条一般失信记录")
    FALSE_COMMITMENT = term("FALSE_COMMITMENT", "虚假承诺")
    HONEST_MODEL = term("HONEST_MODEL", "诚信典型")
    CLEAN_YEARS = term("CLEAN_YEARS", "期内无不良记录且无未了义务")
    ADVERSE_RECORD = term("ADVERSE_RECORD", "期内有不良记录或重点关注")
    OPEN_OBLIGATION = term("OPEN_OBLIGATION", "有未了义务")
    YOUNGER_THAN_WINDOW = term("YOUNGER_THAN_WINDOW", "成立不满考察期")
    YOUNG = term("YOUNG", "成立不满一年")
    FOUNDING_DAY_UNKNOWN = term("FOUNDING_DAY_UNKNOWN", "成立日期不明")
    SOURCE_MISSING = term("SOURCE_MISSING", "来源不完整")
    UNDER_OBJECTION = term("UNDER_OBJECTION", "异议待处理，影响分类")


@strawberry.type(description="理由及依据 · A reason, and what it rests on")
class TierReason:
    code: TierReasonCode = member("理由", "reason", "code")
    record_ids: list[str] = member(
        "依据：记录、名单条目和未结案件的标识，缺失来源的名称",
        "opaque ids of records, entries and open cases; names of sources that are missing",
        "record_ids",
    )


@strawberry.type(
    description=(
        "监管分类：依据公共信用信息按规则计算，仅用于确定抽查比例和审查深度（R10.1） · "
        "Supervision tier, computed by rule from public credit information; it only sets the "
        "share inspected and the depth of checks (R10.1)"
    )
)
@entity("case_file", "D39", only=("mechanism", ("SUPERVISION_TIER",)))
class SupervisionTier(Case):
    sector: str = detail("领域，规则所用名称", "sector, as the rules name it", "sector")
    tier: Tier = detail("类别", "tier", "tier")
    reasons: list[TierReason] = rows("理由及各自的依据", "why, each with what it rests on", "reasons")
    record_ids: list[str] = detail("全部依据的标识", "opaque ids of all it rests on", "record_ids")
    policy_version: str = detail("所依规则的版本", "dated policy", "policy")
    computed_at: Moment = detail("计算时间", "computed at", "computed_at")
    valid_until: Date | None = detail(
        "有效至：所依事项和规则均未到期的最后一日；均无到期日的为空",
        "last day on which nothing in it expires, nor a rule that it is under; null: nothing does",
        "valid_until",
    )
