"""Credit records: administrative licences and penalties of 双公示, and every other catalogue record."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import OriginClass, RecordKind, RecordLifecycle, Seriousness, SharingAttribute, SourceSystem
from schema.fields import condition, governed
from schema.governance import OPEN, ROW, Mask, Shape, entity
from schema.grades import RecordItem
from schema.node import Node
from schema.origin import Authority, PageInfo, Provenance
from schema.scalars import USCC, Date, Yuan

if TYPE_CHECKING:
    from schema.subjects import CreditSubject


@strawberry.interface(description="信用记录 · A credit record")
class CreditRecord(Node):
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    kind: RecordKind = governed("类别", "kind", ROW, target="kind", mask=Mask.KEEP)
    subject: Annotated["CreditSubject", strawberry.lazy("schema.subjects")] | None = governed(
        "信用主体", "subject", ROW, shape=Shape.ONE, target="fact.subject", mask=Mask.KEEP
    )
    title: str | None = governed("标题", "title", ROW, target="title")
    document_number: str | None = governed(
        "文书号", "document number", ROW, target="document_number", mask=Mask.KEEP
    )
    authority: Authority | None = governed(
        "作出机关", "deciding authority", ROW, shape=Shape.EMBEDDED, target="authority_", mask=Mask.KEEP
    )
    decided_on: Date = governed("决定日期", "day of the decision", ROW, target="decided_on", mask=Mask.KEEP)
    valid_from: Date | None = governed("有效期自", "valid from", ROW, target="valid_from", mask=Mask.KEEP)
    valid_to: Date | None = governed(
        "有效期至；无截止日的为空",
        "last day of validity; null: no end",
        ROW,
        target="valid_to",
        mask=Mask.KEEP,
    )
    usable_until: Date | None = governed(
        "可共享和使用的最后一日",
        "last day on which the record may be shared and used",
        ROW,
        target="usable_until",
        mask=Mask.KEEP,
    )
    seriousness: Seriousness = governed(
        "不良记录的严重程度", "class of an adverse record", ROW, target="seriousness", mask=Mask.KEEP
    )
    lifecycle: RecordLifecycle = governed(
        "记录所处状态",
        "life of the record",
        ROW,
        shape=Shape.COMPUTED,
        target="lifecycle",
        mask=Mask.KEEP,
    )
    under_objection: bool | None = governed(
        "异议中", "objection pending", "D37", target="under_objection", mask=Mask.KEEP
    )
    origin_class: OriginClass = governed(
        "信息性质：公共信用信息或市场信用信息",
        "public or market credit information",
        ROW,
        target="origin_class",
        mask=Mask.KEEP,
    )
    sharing_attribute: SharingAttribute = governed(
        "公开属性", "openness", ROW, target="sharing_attribute", mask=Mask.KEEP
    )
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )
    catalog_item_version: int | None = governed(
        "记录归集时的目录事项版本；当时未公开目录事项的为空（R4.4）",
        "version of its catalogue item under which it was filed; null: none was published then (R4.4)",
        ROW,
        shape=Shape.COMPUTED,
        target="catalog_item_version",
        mask=Mask.KEEP,
    )


@strawberry.type(description="行政许可（双公示 XK_*） · Administrative licence (dual publicity, XK_*)")
@entity("record", "D4", "D5", only=("kind", ("LICENSE",)))
class AdministrativeLicense(CreditRecord):
    document_name: str | None = governed(
        "决定文书名称",
        "name of the document",
        ROW,
        shape=Shape.DETAIL,
        target="document_name",
    )
    license_categories: list[str] | None = governed(
        "许可类别", "kinds of licence", ROW, target="categories", mask=Mask.KEEP
    )
    certificate_name: str | None = governed(
        "许可证书名称",
        "name of the certificate",
        ROW,
        shape=Shape.DETAIL,
        target="certificate_name",
    )
    certificate_number: str | None = governed(
        "许可编号", "number of the certificate", ROW, shape=Shape.DETAIL, target="certificate_number"
    )
    content: str | None = governed("许可内容", "what is licensed", ROW, shape=Shape.DETAIL, target="content")
    currently_valid: bool | None = governed(
        "当前有效", "in force today", ROW, shape=Shape.COMPUTED, target="currently_valid", mask=Mask.KEEP
    )


@strawberry.type(description="行政处罚（双公示 CF_*） · Administrative penalty (dual publicity, CF_*)")
@entity("record", "D6", "D7", "D8", only=("kind", ("PENALTY",)))
class AdministrativePenalty(CreditRecord):
    simple_procedure: bool | None = governed(
        "简易程序", "simple procedure", ROW, target="simple_procedure", mask=Mask.KEEP
    )
    violation_type: str | None = governed(
        "违法行为类型", "type of violation", ROW, shape=Shape.DETAIL, target="violation_type"
    )
    facts: str | None = governed("违法事实", "facts", ROW, shape=Shape.DETAIL, target="facts")
    basis: str | None = governed(
        "处罚依据", "legal basis", ROW, shape=Shape.DETAIL, target="basis", mask=Mask.KEEP
    )
    penalty_categories: list[str] | None = governed(
        "处罚类别", "kinds of penalty", ROW, target="categories", mask=Mask.KEEP
    )
    content: str | None = governed("处罚内容", "what was imposed", ROW, shape=Shape.DETAIL, target="content")
    fine_amount: Yuan | None = governed("罚款金额（元）", "fine in yuan", ROW, target="fine_amount")
    confiscated_amount: Yuan | None = governed(
        "没收金额（元）", "confiscated, in yuan", ROW, target="confiscated_amount"
    )
    revoked_certificate: str | None = governed(
        "暂扣或吊销的证照",
        "suspended or revoked certificate",
        ROW,
        shape=Shape.DETAIL,
        target="revoked_certificate",
    )


@strawberry.type(description="其他目录记录 · Any other catalogue record")
@entity("record", "D7", "D23", "D33", "D34", "D40", "D41", only=("kind", ("GENERIC",)))
class GenericCreditRecord(CreditRecord):
    record_type: str | None = governed(
        "记录类型", "type of record", ROW, target="record_type", mask=Mask.KEEP
    )
    items: list[RecordItem] | None = governed("数据项", "data items", ROW, shape=Shape.ROWS, target="items")


@strawberry.type(description="记录及游标 · A record and its cursor")
class RecordEdge:
    cursor: str = governed("游标", "opaque cursor", OPEN, shape=Shape.COMPUTED, target="cursor")
    node: CreditRecord = governed("记录", "record", OPEN, shape=Shape.EMBEDDED, target="node")


@strawberry.type(
    description="记录分页；没有总数，因为总数会泄露不可见的记录 · A page of records; no total, for a total would tell of hidden ones"
)
class RecordConnection:
    edges: list[RecordEdge] = governed("记录", "records", OPEN, shape=Shape.COMPUTED, target="edges")
    page_info: PageInfo = governed("分页", "page", OPEN, shape=Shape.COMPUTED, target="page_info")


@strawberry.input(description="记录筛选：各条件同时成立 · Filter of records: all conditions hold together")
class RecordFilter:
    kinds: list[RecordKind] | None = condition("类别", "kinds", "CreditRecord.kind", "in")
    sources: list[SourceSystem] | None = condition(
        "来源",
        "sources",
        "CreditRecord.provenance",
        "in",
        column="source",
        also=("Provenance.source",),
    )
    seriousness: list[Seriousness] | None = condition("严重程度", "classes", "CreditRecord.seriousness", "in")
    decided_from: Date | None = condition(
        "决定日期起", "decided on or after", "CreditRecord.decidedOn", "gte"
    )
    decided_to: Date | None = condition("决定日期止", "decided on or before", "CreditRecord.decidedOn", "lte")
    document_number: str | None = condition(
        "文书号，须完全一致", "document number, exact", "CreditRecord.documentNumber", "eq"
    )
    authority: USCC | None = condition(
        "作出机关代码",
        "code of the deciding authority",
        "CreditRecord.authority",
        "eq",
        column="authority_uscc",
        also=("Authority.uscc",),
    )
    catalog_item_codes: list[str] | None = condition(
        "目录事项编码",
        "catalogue items",
        "CreditRecord.provenance",
        "in",
        column="catalog_item_code",
        also=("Provenance.catalogItemCode",),
    )
    fine_at_least: Yuan | None = condition(
        "罚款不少于（元）", "fine of at least, in yuan", "AdministrativePenalty.fineAmount", "gte"
    )
