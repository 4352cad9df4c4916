"""What a caller may see, and why."""

import strawberry

from schema.enums import DisclosureLevel, Purpose
from schema.fields import governed
from schema.governance import OPEN, Mask, Shape, entity
from schema.scalars import Date


@strawberry.type(description="数据类别及可见程度 · A data class and how far this caller sees it")
class ClassAccess:
    data_class: str = governed("数据类别", "data class", OPEN, target="data_class", mask=Mask.KEEP)
    title: str = governed("名称", "name", OPEN, target="title", mask=Mask.KEEP)
    level: DisclosureLevel = governed("最高披露级别", "strongest level", OPEN, target="level", mask=Mask.KEEP)
    scope: str | None = governed("行范围", "rows it holds for", OPEN, target="scope", mask=Mask.KEEP)
    reason: str = governed("理由代码", "reason code", OPEN, target="reason", mask=Mask.KEEP)
    legal_basis: str | None = governed("法律依据", "legal basis", OPEN, target="legal_basis", mask=Mask.KEEP)


@strawberry.type(
    description="配额及今日余量，以他人视角查看时仍为本单位的 · The quota and what is left of it, through another's eyes still one's own"
)
class Quota:
    subjects_per_day: int = governed(
        "每日可查询的主体数", "subjects that may be asked about in a day", OPEN,
        target="subjects_per_day", mask=Mask.KEEP,
    )  # fmt: skip
    subjects_left: int = governed(
        "今日尚可查询的主体数，已扣除本次请求，北京时间零时重新计算",
        "subjects left today, those of this request taken off; whole again at midnight, Asia/Shanghai", OPEN,
        target="subjects_left", mask=Mask.KEEP,
    )  # fmt: skip
    requests_per_second: int = governed(
        "每秒请求数，按服务进程计", "requests a second, in each server process", OPEN,
        target="requests_per_second", mask=Mask.KEEP,
    )  # fmt: skip


@strawberry.type(description="当前调用方 · The caller of this request")
@entity("rows:me", OPEN)
class Me:
    partner: str = governed("单位代号", "partner id", OPEN, target="partner", mask=Mask.KEEP)
    name: str = governed("单位名称", "name of the agency", OPEN, target="name", mask=Mask.KEEP)
    partner_class: str = governed("单位类别", "partner class", OPEN, target="partner_class", mask=Mask.KEEP)
    agreement: str = governed(
        "共享协议文号", "number of the agreement", OPEN, target="agreement", mask=Mask.KEEP
    )
    valid_to: Date = governed(
        "协议有效期至", "last day of the agreement", OPEN, target="valid_to", mask=Mask.KEEP
    )
    purpose: Purpose = governed(
        "本次使用目的", "purpose of this request", OPEN, target="purpose", mask=Mask.KEEP
    )
    purposes: list[Purpose] = governed(
        "本单位可声明的目的", "purposes this partner may declare", OPEN, target="purposes", mask=Mask.KEEP
    )
    capabilities: list[str] = governed(
        "可用的查询方式", "ways of asking", OPEN, target="capabilities", mask=Mask.KEEP
    )
    quota: Quota = governed(
        "配额及余量，查询本身不占主体数",
        "quota, and what is left of it; asking for it takes no subject",
        OPEN,
        shape=Shape.ROWS,
        target="quota",
        mask=Mask.KEEP,
    )
    access: list[ClassAccess] = governed(
        "本次目的下可见的数据类别",
        "data classes visible for this purpose",
        OPEN,
        shape=Shape.ROWS,
        target="access",
        mask=Mask.KEEP,
    )


@strawberry.type(description="解释：为何可见或不可见 · Why a coordinate is visible or not")
@entity("rows:explanations", OPEN)
class Explanation:
    coordinate: str = governed("坐标", "schema coordinate", OPEN, target="coordinate", mask=Mask.KEEP)
    purpose: Purpose = governed("使用目的", "purpose", OPEN, target="purpose", mask=Mask.KEEP)
    data_class: str | None = governed("数据类别", "data class", OPEN, target="data_class", mask=Mask.KEEP)
    level: DisclosureLevel = governed("披露级别", "level", OPEN, target="level", mask=Mask.KEEP)
    scope: str | None = governed("行范围", "rows it holds for", OPEN, target="scope", mask=Mask.KEEP)
    applies_to_subject: bool | None = governed(
        "该主体在范围内；取决于单条数据或者授权同意的，为空",
        "whether the named subject is within that scope; null where its single rows, or a consent, decide",
        OPEN,
        target="applies_to_subject",
        mask=Mask.KEEP,
    )
    reason: str = governed("理由代码", "reason code", OPEN, target="reason", mask=Mask.KEEP)
    legal_basis: str | None = governed("法律依据", "legal basis", OPEN, target="legal_basis", mask=Mask.KEEP)
    agreement: str = governed(
        "共享协议文号", "number of the agreement", OPEN, target="agreement", mask=Mask.KEEP
    )
