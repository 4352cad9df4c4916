"""Closed value sets, with the Chinese terms that screens show."""

from enum import Enum
from typing import Any

import strawberry

from schema.governance import Need


def term(value: str, zh: str) -> Any:
    """An enum value and the Chinese term that screens show for it."""
    return strawberry.enum_value(value, description=zh)


@strawberry.enum(description="信用主体类别 · Kind of credit subject")
class SubjectKind(Enum):
    LEGAL_PERSON = term("LEGAL_PERSON", "法人")
    UNINCORPORATED_ORGANIZATION = term("UNINCORPORATED_ORGANIZATION", "非法人组织")
    INDIVIDUAL_BUSINESS = term("INDIVIDUAL_BUSINESS", "个体工商户")
    NATURAL_PERSON = term("NATURAL_PERSON", "自然人")


@strawberry.enum(
    description=(
        "标识类型；自然人证件号码只用于匹配，永不返回 · Identifier scheme; numbers of persons "
        "are accepted only to match, never returned"
    )
)
class IdentifierScheme(Enum):
    USCC = term("USCC", "统一社会信用代码")
    ORG_CODE = term("ORG_CODE", "组织机构代码")
    BUSINESS_REG_NO = term("BUSINESS_REG_NO", "工商注册号")
    TAXPAYER_ID = term("TAXPAYER_ID", "纳税人识别号")
    CUSTOMS_CODE = term("CUSTOMS_CODE", "海关注册编码")
    SOCIAL_ORG_NO = term("SOCIAL_ORG_NO", "社会组织登记证号")
    PUBLIC_INST_NO = term("PUBLIC_INST_NO", "事业单位证书号")
    RESIDENT_ID = term("RESIDENT_ID", "居民身份证号")
    PASSPORT = term("PASSPORT", "护照号")


@strawberry.enum(description="数据来源 · The system a fact comes from")
class SourceSystem(Enum):
    COMMERCE = term("COMMERCE", "商务")
    COMMERCE_REGISTERS = term("COMMERCE_REGISTERS", "商务业务系统")
    CUSTOMS = term("CUSTOMS", "海关")
    TAX = term("TAX", "税务")
    FOREIGN_EXCHANGE = term("FOREIGN_EXCHANGE", "外汇")
    FOREIGN_INVESTMENT = term("FOREIGN_INVESTMENT", "外商投资")
    OUTBOUND = term("OUTBOUND", "对外投资")
    ASSOCIATION = term("ASSOCIATION", "行业协会")
    ECOMMERCE_PLATFORM = term("ECOMMERCE_PLATFORM", "电子商务平台")
    DOMESTIC_SERVICE = term("DOMESTIC_SERVICE", "家政")
    PREPAID_CARD = term("PREPAID_CARD", "预付卡")
    TRACEABILITY = term("TRACEABILITY", "追溯")
    EXHIBITION = term("EXHIBITION", "会展")
    REFINED_OIL = term("REFINED_OIL", "成品油")
    MARKET_REGULATION = term("MARKET_REGULATION", "市场监管")
    CREDIT_PLATFORM = term("CREDIT_PLATFORM", "信用平台")
    COURT = term("COURT", "法院")


@strawberry.enum(description="来源状态：能否查询 · Whether a source could be asked")
class FetchStatus(Enum):
    OK = term("OK", "正常")
    STALE = term("STALE", "陈旧")
    PARTIAL = term("PARTIAL", "部分")
    UNAVAILABLE = term("UNAVAILABLE", "不可用")
    NOT_CONNECTED = term("NOT_CONNECTED", "未接入")
    NOT_ASKED = term("NOT_ASKED", "尚未查询")
    NOT_AUTHORIZED = term("NOT_AUTHORIZED", "未授权")


@strawberry.enum(description="披露级别 · How much of a data class is shown")
class DisclosureLevel(Enum):
    FULL = term("FULL", "全部")
    MASKED = term("MASKED", "脱敏")
    YES_NO = term("YES_NO", "仅是否")
    NONE = term("NONE", "不予")


@strawberry.enum(description="公开属性 · Openness of credit information")
class SharingAttribute(Enum):
    PUBLIC = term("PUBLIC", "公示")
    GOVERNMENT_SHARED = term("GOVERNMENT_SHARED", "政务共享")
    AUTHORIZED_QUERY = term("AUTHORIZED_QUERY", "授权查询")
    RESTRICTED = term("RESTRICTED", "限制查询")


@strawberry.enum(
    description="信息性质：公共信用信息与市场信用信息从不合并为一个值 · Public and market credit information, never merged into one value"
)
class OriginClass(Enum):
    PUBLIC_CREDIT = term("PUBLIC_CREDIT", "公共信用信息")
    MARKET_CREDIT = term("MARKET_CREDIT", "市场信用信息")


@strawberry.enum(
    description="使用目的：每次请求时声明，对照共享协议核验 · What a request is for; declared per request, checked against the agreement"
)
class Purpose(Enum):
    ADMINISTRATIVE_REVIEW = term("ADMINISTRATIVE_REVIEW", "行政审核")
    ADMINISTRATIVE_LICENSING = term("ADMINISTRATIVE_LICENSING", "行政许可")
    GOVERNMENT_PROCUREMENT = term("GOVERNMENT_PROCUREMENT", "政府采购")
    GOVERNMENT_FUNDING = term("GOVERNMENT_FUNDING", "政府资金支持")
    PROJECT_APPROVAL_FILING = term("PROJECT_APPROVAL_FILING", "项目审批备案")
    EXHIBITION = term("EXHIBITION", "会展")
    ONGOING_SUPERVISION = term("ONGOING_SUPERVISION", "日常监管")
    JOINT_INCENTIVE = term("JOINT_INCENTIVE", "联合激励")
    JOINT_PUNISHMENT = term("JOINT_PUNISHMENT", "联合惩戒")
    NOTIFICATION = term("NOTIFICATION", "信用通报")
    MERCHANT_ADMISSION = term("MERCHANT_ADMISSION", "平台商户准入")
    MEMBER_ARCHIVE = term("MEMBER_ARCHIVE", "会员档案")
    SELF_QUERY = term("SELF_QUERY", "自主查询")
    OBJECTION_HANDLING = term("OBJECTION_HANDLING", "异议处理")
    CREDIT_REPAIR = term("CREDIT_REPAIR", "信用修复")
    PUBLIC_QUERY = term("PUBLIC_QUERY", "公众查询")
    AUDIT = term("AUDIT", "审计")
    STATISTICS = term("STATISTICS", "统计")


@strawberry.enum(
    description="失信严重程度（发展改革委令2026年第36号） · Class of an adverse record (Order 36 of 2026)"
)
class Seriousness(Enum):
    NOT_ADVERSE = term("NOT_ADVERSE", "非失信")
    UNCLASSIFIED = term("UNCLASSIFIED", "未定")
    MINOR = term("MINOR", "轻微")
    GENERAL = term("GENERAL", "一般")
    SERIOUS = term("SERIOUS", "严重")


@strawberry.enum(description="信用记录类别 · Kind of credit record")
class RecordKind(Enum):
    LICENSE = term("LICENSE", "行政许可")
    PENALTY = term("PENALTY", "行政处罚")
    GENERIC = term("GENERIC", "其他")


@strawberry.enum(
    description=(
        "记录状态；中止、已修复、已届满、已撤销、已更正的，仅审计以及办理异议、修复的主体本人可见 · Life of a record; what "
        "is suspended, repaired, expired, revoked or corrected exists for auditors alone, and for the subject itself in an "
        "objection or a repair"
    )
)
class RecordLifecycle(Enum):
    DRAFT = term("DRAFT", "草稿")
    EFFECTIVE = term("EFFECTIVE", "有效")
    UNDER_OBJECTION = term("UNDER_OBJECTION", "异议中")
    SUSPENDED = term("SUSPENDED", "中止")
    REPAIRED = term("REPAIRED", "已修复")
    EXPIRED = term("EXPIRED", "已届满")
    REVOKED = term("REVOKED", "已撤销")
    CORRECTED = term("CORRECTED", "已更正")


@strawberry.enum(
    description="名单类别：红名单、重点关注名单、严重失信主体名单 · Red, watch and serious dishonesty list"
)
class ListColor(Enum):
    RED = term("RED", "红名单")
    WATCH = term("WATCH", "重点关注名单")
    BLACK = term("BLACK", "严重失信主体名单")


@strawberry.enum(description="名单状态 · State of a list entry")
class ListEntryState(Enum):
    PROPOSED = term("PROPOSED", "拟列入")
    NOTICE_SERVED = term("NOTICE_SERVED", "已告知")
    OBJECTION_PERIOD = term("OBJECTION_PERIOD", "陈述申辩期")
    RECOGNIZED = term("RECOGNIZED", "已认定")
    PUBLISHED = term("PUBLISHED", "已公布")
    SUSPENDED = term("SUSPENDED", "中止")
    EXITED_EXPIRED = term("EXITED_EXPIRED", "届满退出")
    EXITED_REPAIRED = term("EXITED_REPAIRED", "修复退出")
    EXITED_REVOKED = term("EXITED_REVOKED", "撤销退出")
    EXITED_DISQUALIFIED = term("EXITED_DISQUALIFIED", "取消资格")
    NOT_RECOGNIZED = term("NOT_RECOGNIZED", "不予认定")


@strawberry.enum(
    description="等级体系：等级由其他单位评定，本系统从不自行评定 · A grade issued by somebody else; the hub never computes one"
)
class GradeScheme(Enum):
    CUSTOMS = term("CUSTOMS", "海关信用等级")
    TAX = term("TAX", "纳税缴费信用级别")
    SAFE = term("SAFE", "外汇分类")
    ASSOCIATION = term("ASSOCIATION", "行业信用评价")
    NATIONAL = term("NATIONAL", "全国公共信用综合评价")


@strawberry.enum(
    description=(
        "三值：必查来源均能答复、其送来的该主体数据没有在隔离区等待的，才答“否” · NO is said only when every required source "
        "was able to answer, and nothing that it sent of the subject waits in quarantine"
    )
)
class Tristate(Enum):
    YES = term("YES", "是")
    NO = term("NO", "否")
    INDETERMINATE = term("INDETERMINATE", "无法确定")


@strawberry.enum(
    description="名称匹配等级；任何等级都不据此合并主体 · How far a name agrees; none of them merges subjects"
)
class MatchClass(Enum):
    A = term("A", "字号与分支一致")
    B = term("B", "部分一致")
    C = term("C", "仅相似")


@strawberry.enum(description="记录排序 · Order of records")
class RecordOrder(Enum):
    DECIDED_ON_DESC = term("DECIDED_ON_DESC", "决定日期由近及远")
    DECIDED_ON_ASC = term("DECIDED_ON_ASC", "决定日期由远及近")


def _seen(*data_classes: str, at: Need = Need.MASKED) -> tuple[tuple[str, Need], ...]:
    return tuple((one, at) for one in data_classes)


# Whoever finds a person by number learns whose number it is: only for callers who see persons' records in full, or
# may have numbers confirmed (D3).
_BY_NUMBER = (*_seen("D5", "D8", "D11", at=Need.FULL), *_seen("D3", at=Need.YES_NO))
# Enum values that exist only for callers who see one of these data classes at this level.
VALUE_CLASSES: dict[str, tuple[tuple[str, Need], ...]] = {
    "IdentifierScheme.RESIDENT_ID": _BY_NUMBER,
    "IdentifierScheme.PASSPORT": _BY_NUMBER,
    "SubjectKind.NATURAL_PERSON": _seen("D5", "D8", "D11"),
    "ListColor.WATCH": _seen("D12"),
    "GradeScheme.SAFE": _seen("D19"),
    "GradeScheme.NATIONAL": _seen("D40"),
    "Seriousness.MINOR": _seen("D7"),
    "RecordLifecycle.DRAFT": _seen("D9"),
    "RecordLifecycle.SUSPENDED": _seen("D9"),
    "RecordLifecycle.REPAIRED": _seen("D9"),
    "RecordLifecycle.EXPIRED": _seen("D9"),
    "RecordLifecycle.REVOKED": _seen("D9"),
    "RecordLifecycle.CORRECTED": _seen("D9"),
}
