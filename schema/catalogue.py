"""The catalogue of licences and penalties (双公示事项目录, R4.1-R4.5): versions on their way, what is published, coverage."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case, ReviewOfText
from schema.declaring import (
    DocumentNumber,
    Opinion,
    Reason,
    commands_of,
    detail,
    many,
    member,
    open_to_all,
    rows,
)
from schema.enums import SharingAttribute, term
from schema.fields import PLANNED, governed, parameter, supplied
from schema.governance import OPEN, Capability, Shape, entity
from schema.publicity import DeliveryState, PublicityChannel, PublicityDelivery
from schema.scalars import Date, Moment, SM3Digest


@strawberry.enum(
    description="目录事项种类，国家标准的缩写 · Kind of a catalogue item, as the national standard abbreviates it"
)
class CatalogItemKind(Enum):
    XK = term("XK", "行政许可")
    CF = term("CF", "行政处罚")


@strawberry.enum(
    description="信用中国（青海）以外公开目录事项的网站（R4.5） · Site beside 信用中国(青海) on which an item is published (R4.5)"
)
class CatalogSite(Enum):
    OWN_SITE = term("OWN_SITE", "本单位门户网站")
    GOVERNMENT_PORTAL = term("GOVERNMENT_PORTAL", "地方信用门户网站")


@strawberry.enum(description="数据类型 · Type of a data item")
class DataItemType(Enum):
    TEXT = term("TEXT", "字符")
    DATE = term("DATE", "日期")
    INTEGER = term("INTEGER", "整数")
    DECIMAL = term("DECIMAL", "浮点")
    ENUM = term("ENUM", "枚举")
    SET = term("SET", "集合")


@strawberry.enum(description="是否必填 · Whether a data item must be filled")
class DataItemRequirement(Enum):
    REQUIRED = term("REQUIRED", "必填")
    CONDITIONAL = term("CONDITIONAL", "条件必填")
    OPTIONAL = term("OPTIONAL", "选填")


@strawberry.enum(description="共享属性（政务数据共享条例） · Whether other agencies are given it")
class GovernmentSharing(Enum):
    UNCONDITIONAL = term("UNCONDITIONAL", "无条件共享")
    CONDITIONAL = term("CONDITIONAL", "有条件共享")
    NOT_SHARED = term("NOT_SHARED", "不予共享")


@strawberry.enum(description="偏差种类（R4.3） · How a data item differs from the national standard (R4.3)")
class DeviationKind(Enum):
    MISSING = term("MISSING", "缺少")
    ADDED = term("ADDED", "增加")
    NAME = term("NAME", "名称")
    TYPE = term("TYPE", "类型")
    LENGTH = term("LENGTH", "长度")
    REQUIREMENT = term("REQUIREMENT", "是否必填")
    OPENNESS = term("OPENNESS", "公开属性")


@strawberry.enum(
    description="缺口状态（R4.1） · How far an item of the power list is on its way into the catalogue (R4.1)"
)
class CatalogGap(Enum):
    MISSING = term("MISSING", "未编入目录")
    IN_PREPARATION = term("IN_PREPARATION", "编制中")
    NOT_SHOWN = term("NOT_SHOWN", "已公开，渠道未全部签收")


@strawberry.type(
    description="目录事项的数据项；两项属性以较严的为准 · A data item of a catalogue item; the stricter of its two attributes counts"
)
class CatalogDataItem:
    code: str = member("代码", "code", "code")
    name: str = member("名称", "name", "name")
    type: DataItemType = member("类型", "type", "type")
    length: int | None = member(
        "最大长度（字符数）；非文本的为空", "characters at most; null: no text", "length"
    )
    requirement: DataItemRequirement = member("是否必填", "whether it must be filled", "requirement")
    masked: bool = member("是否脱敏", "whether it is shown masked", "masked")
    government_sharing: GovernmentSharing = member("共享属性", "sharing among agencies", "government_sharing")
    sharing_attribute: SharingAttribute = member("公开属性", "openness", "sharing_attribute")


@strawberry.type(
    description="与国家标准的偏差及认可理由（R4.3） · A deviation from the national standard, and why it is accepted (R4.3)"
)
class CatalogDeviation:
    key: str = member("在事项中的标识", "its name within the item", "key")
    kind: DeviationKind = member("种类", "kind", "kind")
    code: str = member("数据项代码", "code of the data item", "code")
    standard: str = member("标准", "what the standard says", "standard")
    stated: str = member("目录", "what the item says", "stated")
    reason: str | None = member(
        "认可理由；为空的，阻止审查", "why it is accepted; null: blocks the review", "reason"
    )


@strawberry.type(
    description="第二人对事项版本的保密审查（R4.2） · Secrecy review of a version, by a second person (R4.2)"
)
class CatalogReview(ReviewOfText):
    """Of what the version says."""


@strawberry.type(description="事项内容 · What a version says of its item")
class CatalogContent:
    name: str = member("名称", "name", "name")
    kind: CatalogItemKind = member("种类", "kind", "kind")
    legal_basis: str = member("实施依据", "legal basis", "legal_basis")
    authority: str = member("实施机关", "authority", "authority")
    power_item: str | None = member("权力清单事项", "item of the power list", "power_item")
    responsibility_item: str | None = member(
        "责任清单事项", "item of the responsibility list", "responsibility_item"
    )
    site: CatalogSite = member("信用中国（青海）以外的公开网站", "site beside 信用中国(青海)", "site")
    effective_from: Date = member(
        "拟生效日期，此日之前不公开", "not published before this day", "effective_from"
    )
    data_items: list[CatalogDataItem] = member("数据项", "data items", "data_items", Shape.ROWS)


@strawberry.type(
    description=(
        "办理中的目录事项版本，限本单位和审计（R4.2至R4.5） · A version of a catalogue item on "
        "its way; for its unit and audit (R4.2-R4.5)"
    )
)
@entity("case_file", "D38", only=("mechanism", ("CATALOG_ITEM",)))
class CatalogItemVersion(Case):
    code: str = detail("事项编码", "code of the item", "code")
    version: int = detail("版本，自1起", "version, from 1", "item_version")
    content: CatalogContent = rows("内容", "what it says", "content")
    standard: str = detail("所对照国家标准的版本", "edition of the national standard", "standard")
    deviations: list[CatalogDeviation] = rows(
        "与国家标准的偏差（R4.3）", "deviations from the standard (R4.3)", "deviations"
    )
    digest: SM3Digest = detail("内容的 SM3 摘要", "SM3 digest of what it says", "digest")
    drafted_by: str = detail("起草人", "officer who drafted it", "drafted_by")
    secrecy_review: CatalogReview | None = rows("保密审查（R4.2）", "secrecy review (R4.2)", "secrecy_review")
    in_force_from: Date | None = detail(
        "生效日期，即公开日期", "in force from: the day of publication", "in_force_from"
    )
    effective_to: Date | None = detail("被取代或取消的日期", "superseded or retired on", "effective_to")
    ended_reason: str | None = detail("终止原因", "why it ended", "ended_reason")
    deliveries: list[PublicityDelivery] | None = many(
        "向渠道的推送，由先到后（R4.5）", "deliveries to the channels, oldest first (R4.5)", "case.deliveries"
    )


@strawberry.type(
    description="权力清单事项，导入时的内容（R4.1） · An item of a unit's power list, as it was imported (R4.1)"
)
@entity("case_file", "D38", only=("mechanism", ("POWER_ITEM",)))
class PowerListItem(Case):
    code: str = detail("事项编码", "code", "code")
    name: str = detail("事项名称", "name", "name")
    kind: CatalogItemKind = detail("种类", "kind", "kind")
    legal_basis: str = detail("实施依据", "legal basis", "legal_basis")
    authority: str = detail("实施机关", "authority", "authority")
    responsibility_item: str | None = detail(
        "责任清单事项", "item of the responsibility list", "responsibility_item"
    )


@strawberry.type(description="渠道状态（R4.5） · How far a published item is on a channel (R4.5)")
class CatalogChannel:
    channel: PublicityChannel = member("渠道", "channel", "channel")
    state: DeliveryState = member("状态", "state of the delivery", "state")
    acknowledged_at: Moment | None = member("签收时间", "acknowledged", "acknowledged_at")


@strawberry.type(
    description=(
        "已公开的目录事项：部门自行编制，向所有人公开（R4.5） · A published catalogue item: the "
        "department's own words, open to everybody (R4.5)"
    )
)
@entity("rows:catalogue", OPEN)
class CatalogItem:
    unit: str = open_to_all("单位", "partner that keeps it", "unit")
    code: str = open_to_all("事项编码", "code", "code")
    version: int = open_to_all("版本，自1起", "version, from 1", "version")
    name: str = open_to_all("名称", "name", "name")
    kind: CatalogItemKind = open_to_all("种类", "kind", "kind")
    legal_basis: str = open_to_all("实施依据", "legal basis", "legal_basis")
    authority: str = open_to_all("实施机关", "authority", "authority")
    power_item: str | None = open_to_all("权力清单事项", "item of the power list", "power_item")
    responsibility_item: str | None = open_to_all(
        "责任清单事项", "item of the responsibility list", "responsibility_item"
    )
    effective_from: Date = open_to_all("生效日期", "in force from", "effective_from")
    effective_to: Date | None = open_to_all("被取代或取消的日期", "superseded or retired on", "effective_to")
    standard: str = open_to_all("所对照国家标准的版本", "edition of the national standard", "standard")
    data_items: list[CatalogDataItem] = open_to_all("数据项", "data items", "data_items", Shape.ROWS)
    deviations: list[CatalogDeviation] = open_to_all(
        "与国家标准的偏差（R4.3）", "deviations from the standard (R4.3)", "deviations", Shape.ROWS
    )
    channels: list[CatalogChannel] = open_to_all(
        "两个公开渠道（R4.5）", "its two channels (R4.5)", "channels", Shape.ROWS
    )


@strawberry.type(
    description=(
        "缺口：未编入目录或尚未公示的权力清单事项（R4.1） · An item of the power list that is "
        "not in the catalogue, or not shown yet (R4.1)"
    )
)
class CatalogCoverageGap:
    code: str = member("事项编码", "code", "code")
    name: str = member("事项名称", "name", "name")
    kind: CatalogItemKind = member("种类", "kind", "kind")
    gap: CatalogGap = member("状态", "how far it is", "gap")


@strawberry.type(
    description="应归尽归、应示尽示：目录对本单位权力清单的覆盖（R4.1） · Coverage of a unit's power list by its catalogue (R4.1)"
)
@entity("rows:catalogue_coverage", OPEN)
class CatalogCoverage:
    unit: str = open_to_all("单位", "partner that keeps them", "unit")
    active: int = open_to_all(
        "权力清单中有效的行政许可和行政处罚事项", "active licences and penalties of the power list", "active"
    )
    catalogued: int = open_to_all(
        "在目录中已有有效事项", "with an item in force in the catalogue", "catalogued"
    )
    shown: int = open_to_all("两个渠道均已签收", "with both channels' receipts", "shown")
    per_mille_catalogued: int | None = open_to_all(
        "应归尽归率（千分比）：有效权力事项中已编入目录的；无有效权力事项的为空",
        "catalogued of 1,000 active; null: none",
        "per_mille_catalogued",
    )
    per_mille_shown: int | None = open_to_all(
        "应示尽示率（千分比）：已编入目录中已公示的；无已编入目录的为空",
        "shown of 1,000 catalogued; null: none",
        "per_mille_shown",
    )
    gaps: list[CatalogCoverageGap] = open_to_all("缺口", "the gap list", "gaps", Shape.ROWS)
    without_power: list[str] = open_to_all(
        "有效但无有效权力清单事项对应的目录事项",
        "items in force without an active item of the power list",
        "without_power",
    )


@strawberry.input(description="数据项 · A data item")
class CatalogDataItemInput:
    code: str = supplied("代码", "code")
    name: str = supplied("名称", "name")
    type: DataItemType = supplied("类型", "type")
    length: int | None = supplied("最大长度（字符数）", "characters at most", optional=True)
    requirement: DataItemRequirement = supplied("是否必填", "whether it must be filled")
    masked: bool = supplied("是否脱敏", "whether it is shown masked")
    government_sharing: GovernmentSharing = supplied("共享属性", "sharing among agencies")
    sharing_attribute: SharingAttribute = supplied("公开属性", "openness")


_Number = Annotated[str, parameter("编号", "number of the version's case")]
_Name = Annotated[str, parameter("名称", "name of the item")]
_Basis = Annotated[str, parameter("实施依据", "legal basis")]
_Authority = Annotated[str, parameter("实施机关", "authority")]
_Site = Annotated[CatalogSite, parameter("信用中国（青海）以外的公开网站", "site beside 信用中国(青海)")]
_Power = Annotated[str | None, parameter("权力清单事项", "item of the power list")]
_Responsibility = Annotated[str | None, parameter("责任清单事项", "item of the responsibility list")]
_From = Annotated[
    Date | None, parameter("拟生效日期，此日之前不公开，缺省为今日", "not published before; by default today")
]
_Items = Annotated[
    list[CatalogDataItemInput] | None,
    parameter(
        "数据项，缺省沿用上一版本，没有上一版本的按国家标准",
        "data items; by default those of the version before, else the standard's",
    ),
]
_command = commands_of("catalogue")


@strawberry.type(description="双公示事项目录操作 · Commands of the catalogue")
class CatalogueCommands:
    @_command("起草目录事项的下一版本（R4.4）", "draft the next version of a catalogue item (R4.4)", "draft")
    def draft_catalog_item(
        self,
        code: Annotated[str, parameter("事项编码", "code of the item")],
        kind: Annotated[CatalogItemKind, parameter("种类", "kind")],
        name: _Name,
        legal_basis: _Basis,
        authority: _Authority,
        site: _Site,
        power_item: _Power = None,
        responsibility_item: _Responsibility = None,
        effective_from: _From = None,
        data_items: _Items = None,
    ) -> CatalogItemVersion | None:
        return PLANNED

    @_command(
        "修改目录事项草稿，重新与国家标准比对（R4.3）",
        "revise a draft of a catalogue item; it is compared with the standard anew (R4.3)",
        "revise",
    )
    def revise_catalog_item(
        self,
        number: _Number,
        name: _Name,
        legal_basis: _Basis,
        authority: _Authority,
        site: _Site,
        power_item: _Power = None,
        responsibility_item: _Responsibility = None,
        effective_from: _From = None,
        data_items: _Items = None,
    ) -> CatalogItemVersion | None:
        return PLANNED

    @_command("将目录事项版本提交保密审查", "hand a version in for its secrecy review", "submit")
    def submit_catalog_item(self, number: _Number) -> CatalogItemVersion | None:
        return PLANNED

    @_command(
        "认可目录事项与国家标准的偏差（R4.3）",
        "accept a deviation from the standard (R4.3)",
        "accept",
        Capability.REVIEW,
    )
    def accept_catalog_deviation(
        self,
        number: _Number,
        deviation: Annotated[str, parameter("偏差标识", "key of the deviation")],
        reason: Reason,
    ) -> CatalogItemVersion | None:
        return PLANNED

    @_command(
        "第二人通过目录事项保密审查（R4.2）",
        "pass the secrecy review of a catalogue item, as second person (R4.2)",
        "pass_secrecy",
        Capability.REVIEW,
    )
    def pass_catalog_review(self, number: _Number, opinion: Opinion) -> CatalogItemVersion | None:
        return PLANNED

    @_command("目录事项保密审查不通过", "reject a version of a catalogue item", "reject", Capability.REVIEW)
    def reject_catalog_item(self, number: _Number, reason: Reason) -> CatalogItemVersion | None:
        return PLANNED

    @_command(
        "退回目录事项草稿修改",
        "give a version of a catalogue item back for revision",
        "return",
        Capability.REVIEW,
    )
    def return_catalog_item(self, number: _Number, reason: Reason) -> CatalogItemVersion | None:
        return PLANNED

    @_command(
        "在两个渠道公开目录事项的新版本，取代旧版本（R4.5）",
        "publish a version on both channels; it supersedes the one before (R4.5)",
        "publish",
    )
    def publish_catalog_item(self, number: _Number) -> CatalogItemVersion | None:
        return PLANNED

    @_command("取消目录事项，无后续版本", "retire an item without a successor", "retire")
    def retire_catalog_item(
        self,
        number: _Number,
        reason: Reason,
        document_number: DocumentNumber,
    ) -> CatalogItemVersion | None:
        return PLANNED


@strawberry.type(description="双公示事项目录查询 · Questions about the catalogue")
class CatalogueQueries:
    @governed(
        "已公开的双公示事项目录：某日有效的版本，或某一版本（R4.5）",
        "the published catalogue: the versions in force on a day, or one version (R4.5)",
        OPEN,
        shape=Shape.ROWS,
        target="catalogue",
    )
    def catalog_items(
        self,
        kind: Annotated[CatalogItemKind | None, parameter("种类", "kind")] = None,
        code: Annotated[str | None, parameter("事项编码", "code")] = None,
        version: Annotated[
            int | None, parameter("某一版本，包括已被取代的", "one version, also a superseded one")
        ] = None,
        on: Annotated[
            Date | None, parameter("在此日有效，缺省为今日", "in force on this day; by default today")
        ] = None,
        first: Annotated[
            int, parameter("每次条数，按编码排列", "items at once, in the order of their codes")
        ] = 20,
        after_code: Annotated[str | None, parameter("起始编码，自其后继续", "go on after this code")] = None,
    ) -> list[CatalogItem] | None:
        return PLANNED

    @governed(
        "目录覆盖率及缺口，限办理单位和审计（R4.1）",
        "coverage of the power lists by the catalogue, with the gaps (R4.1); for handling units and auditors",
        OPEN,
        shape=Shape.ROWS,
        target="catalogue_coverage",
        capability=Capability.LINEAGE,
    )
    def catalog_coverage(
        self,
        unit: Annotated[str | None, parameter("某一单位，缺省为全部", "one unit; by default all")] = None,
    ) -> list[CatalogCoverage] | None:
        return PLANNED
