"""Where facts come from: authorities, provenance and the state of the sources."""

import strawberry

from schema.enums import FetchStatus, SourceSystem
from schema.fields import governed
from schema.governance import HOLDER, OPEN, Capability, Mask, Shape, entity
from schema.scalars import USCC, Moment, SM3Digest


@strawberry.type(description="机关或单位 · An authority or unit")
class Authority:
    name: str | None = governed("名称", "name", HOLDER, target="name", mask=Mask.KEEP)
    uscc: USCC | None = governed(
        "统一社会信用代码", "unified social credit code", HOLDER, target="uscc", mask=Mask.KEEP
    )


@strawberry.type(
    description="来源信息：每条事实从何处来、新旧如何 · Where a fact came from and how old it is"
)
class Provenance:
    source: SourceSystem = governed("来源系统", "source system", HOLDER, target="source", mask=Mask.KEEP)
    provider_name: str = governed(
        "提供单位", "providing unit", HOLDER, target="provider_name", mask=Mask.KEEP
    )
    provider_code: USCC | None = governed(
        "提供单位代码", "code of the providing unit", HOLDER, target="provider_code", mask=Mask.KEEP
    )
    catalog_item_code: str = governed(
        "目录事项编码", "catalogue item", HOLDER, target="catalog_item_code", mask=Mask.KEEP
    )
    source_updated_at: Moment | None = governed(
        "来源更新时间", "when the source last changed it", HOLDER, target="source_updated_at", mask=Mask.KEEP
    )
    fetched_at: Moment = governed(
        "获取时间", "when the hub obtained it", HOLDER, target="fetched_at", mask=Mask.KEEP
    )
    recorded_at: Moment = governed(
        "入库时间", "since when the hub has known it", HOLDER, target="recorded_at", mask=Mask.KEEP
    )
    source_record_id: str | None = governed(
        "来源记录号",
        "id of the record at its source",
        HOLDER,
        target="source_record_id",
        capability=Capability.LINEAGE,
    )
    payload_digest: SM3Digest | None = governed(
        "该行数据的 SM3 摘要",
        "SM3 digest of the row",
        HOLDER,
        target="payload_digest",
        capability=Capability.LINEAGE,
    )


@strawberry.type(description="数据来源及其状态 · A source and its state")
@entity("rows:sources", OPEN)
class Source:
    source: SourceSystem = governed("来源系统", "source system", OPEN, target="source", mask=Mask.KEEP)
    title: str = governed("名称", "name", OPEN, target="title", mask=Mask.KEEP)
    status: FetchStatus = governed(
        "状态：能否查询", "whether it could be asked", OPEN, target="status", mask=Mask.KEEP
    )
    as_of: Moment | None = governed(
        "数据时间；实时来源为空，见各答复的 extensions.sources",
        "how recent its facts are; null for a live one, of which each answer tells in extensions.sources",
        OPEN,
        target="as_of",
        mask=Mask.KEEP,
    )
    live: bool = governed("是否实时查询", "asked at query time", OPEN, target="live", mask=Mask.KEEP)
    expected_update_cycle: str = governed(
        "更新周期", "how often it changes", OPEN, target="expected_update_cycle", mask=Mask.KEEP
    )


@strawberry.type(description="分页信息 · Page")
class PageInfo:
    has_next_page: bool = governed(
        "是否有下一页", "whether more rows follow", OPEN, shape=Shape.COMPUTED, target="has_next"
    )
    has_previous_page: bool = governed(
        "是否自某游标（after）之后开始；只能向后翻页",
        "whether the page begins behind a cursor (after); pages go forward only",
        OPEN,
        shape=Shape.COMPUTED,
        target="has_previous",
    )
    start_cursor: str | None = governed(
        "起始游标，限同一调用方的同一查询使用",
        "opaque, bound to caller and query: of the first row",
        OPEN,
        shape=Shape.COMPUTED,
        target="start_cursor",
    )
    end_cursor: str | None = governed(
        "末尾游标，限同一调用方的同一查询使用",
        "opaque, bound to caller and query",
        OPEN,
        shape=Shape.COMPUTED,
        target="end_cursor",
    )
