"""Credit archives (信用档案): kept by others, shown as given in two labelled sections, never merged into one value (R14.1)."""

import strawberry

from schema.enums import OriginClass
from schema.fields import governed
from schema.governance import ROW, Mask, Shape, entity
from schema.grades import RecordItem
from schema.origin import Authority, Provenance
from schema.scalars import Date

# Of the archives' classes D29 is missing: a domestic worker's archive is never kept (R12.1, see schema.domestic).
ARCHIVES = (*(f"D{number}" for number in range(20, 29)), "D30", "D31", "D32", "D41")


@strawberry.type(
    description=(
        "信用档案：由协会、平台或机关保管；披露程度不同的部分各为一行 · A credit archive kept by "
        "an association, a platform or an agency; one row for each part that is disclosed "
        "differently"
    )
)
@entity("archive", *ARCHIVES)
class CreditArchive:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    archive_type: str = governed(
        "档案类别",
        "type: ASSOCIATION, ASSOCIATION_INTERNAL, MERCHANT, REVIEW_SUMMARY, PREPAID_ISSUER, PREPAID_BALANCE,"
        " REFINED_OIL, TRACEABILITY, DOMESTIC_AGENCY, OUTBOUND_CERTIFICATE, OUTBOUND_PROJECT, FDI_REPORT …",
        ROW,
        target="archive_type",
        mask=Mask.KEEP,
    )
    origin_class: OriginClass = governed(
        "信息性质：公共信用信息或市场信用信息（R14.1）",
        "public or market credit information (R14.1)",
        ROW,
        target="origin_class",
        mask=Mask.KEEP,
    )
    keeper: Authority | None = governed(
        "保管单位", "keeper", ROW, shape=Shape.EMBEDDED, target="keeper_", mask=Mask.KEEP
    )
    opened_on: Date | None = governed("建档日期", "opened on", ROW, target="opened_on", mask=Mask.KEEP)
    last_updated_on: Date | None = governed(
        "最近更新", "last updated on", ROW, target="last_updated_on", mask=Mask.KEEP
    )
    stale: bool | None = governed(
        "逾本类两个更新周期未更新；该类无更新周期时为空（R14.3）",
        "not renewed for two cycles of its type (R14.3); null: its type has no clock",
        ROW,
        shape=Shape.COMPUTED,
        target="stale",
        mask=Mask.KEEP,
    )
    items: list[RecordItem] | None = governed("数据项", "data items", ROW, shape=Shape.ROWS, target="items")
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )
