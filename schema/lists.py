"""Red, watch and serious dishonesty lists, and who is on them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import ListColor, ListEntryState
from schema.fields import governed
from schema.governance import OPEN, ROW, Mask, Shape, entity
from schema.node import Node
from schema.origin import Authority, PageInfo, Provenance
from schema.scalars import Date

if TYPE_CHECKING:
    from schema.subjects import CreditSubject


@strawberry.type(
    description=(
        "名单定义：无依据不设名单（国办发〔2020〕49号，R8.1） · Definition of a list: none "
        "without a legal basis (国办发〔2020〕49号, R8.1)"
    )
)
@entity("list_definition", "D10", "D12", "D13")
class CreditListDefinition:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    code: str = governed("名单代码", "code", ROW, target="code", mask=Mask.KEEP)
    name: str = governed("名单名称", "name", ROW, target="name", mask=Mask.KEEP)
    color: ListColor = governed("类别", "colour", ROW, target="color", mask=Mask.KEEP)
    recognizer: Authority | None = governed(
        "认定单位", "recognizing authority", ROW, shape=Shape.EMBEDDED, target="recognizer_", mask=Mask.KEEP
    )
    legal_basis: str = governed("依据", "legal basis", ROW, target="legal_basis", mask=Mask.KEEP)
    basis_level: str = governed("依据层级", "level of the basis", ROW, target="basis_level", mask=Mask.KEEP)
    criteria: str | None = governed(
        "列入标准", "what puts a subject on it", ROW, target="criteria", mask=Mask.KEEP
    )
    measures: str | None = governed(
        "列入后的措施", "what follows from it", ROW, target="measures", mask=Mask.KEEP
    )
    min_publicity_months: int | None = governed(
        "最短公示期（月）", "shortest publicity, months", ROW, target="min_publicity_months", mask=Mask.KEEP
    )
    max_publicity_months: int | None = governed(
        "最长公示期（月）", "longest publicity, months", ROW, target="max_publicity_months", mask=Mask.KEEP
    )
    effective_from: Date = governed(
        "生效日期", "effective from", ROW, target="effective_from", mask=Mask.KEEP
    )
    effective_to: Date | None = governed(
        "失效日期", "last effective day", ROW, target="effective_to", mask=Mask.KEEP
    )


@strawberry.type(description="名单条目 · An entry of a list")
@entity("list_entry", "D10", "D11", "D12", "D13", "D18")
class ListEntry(Node):
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    color: ListColor = governed("类别", "colour", ROW, target="color", mask=Mask.KEEP)
    list: CreditListDefinition | None = governed(
        "所属名单", "list", ROW, shape=Shape.ONE, target="list_entry.list", mask=Mask.KEEP
    )
    subject: Annotated["CreditSubject", strawberry.lazy("schema.subjects")] | None = governed(
        "信用主体", "subject", ROW, shape=Shape.ONE, target="fact.subject", mask=Mask.KEEP
    )
    state: ListEntryState = governed(
        "状态", "state", ROW, shape=Shape.COMPUTED, target="entry_state", mask=Mask.KEEP
    )
    cause: str | None = governed("列入事由", "cause", ROW, target="cause")
    decision_number: str | None = governed(
        "决定文号", "number of the decision", ROW, target="decision_number", mask=Mask.KEEP
    )
    recognized_on: Date | None = governed(
        "认定日期", "recognized on", ROW, target="recognized_on", mask=Mask.KEEP
    )
    publicity_from: Date | None = governed(
        "公示起始", "published from", ROW, target="publicity_from", mask=Mask.KEEP
    )
    earliest_repair_on: Date | None = governed(
        "最早可申请修复日", "earliest day of repair", ROW, target="earliest_repair_on", mask=Mask.KEEP
    )
    publicity_ends_on: Date | None = governed(
        "公示至", "last day of publicity", ROW, target="publicity_ends_on", mask=Mask.KEEP
    )
    exited_on: Date | None = governed("退出日期", "exited on", ROW, target="exited_on", mask=Mask.KEEP)
    exit_reason: str | None = governed("退出原因", "reason of exit", ROW, target="exit_reason")
    under_objection: bool | None = governed(
        "异议中", "objection pending", "D37", target="under_objection", mask=Mask.KEEP
    )
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )


@strawberry.type(description="名单条目及游标 · An entry and its cursor")
class ListEntryEdge:
    cursor: str = governed("游标", "opaque cursor", OPEN, shape=Shape.COMPUTED, target="cursor")
    node: ListEntry = governed("条目", "entry", OPEN, shape=Shape.EMBEDDED, target="node")


@strawberry.type(
    description="名单条目分页；没有总数，因为总数会泄露不可见的条目 · A page of entries; no total, for a total would tell of hidden ones"
)
class ListEntryConnection:
    edges: list[ListEntryEdge] = governed("条目", "entries", OPEN, shape=Shape.COMPUTED, target="edges")
    page_info: PageInfo = governed("分页", "page", OPEN, shape=Shape.COMPUTED, target="page_info")
