"""Public anomalies that a live source states of a trader: asked when asked for, never stored."""

import strawberry

from schema.fields import governed
from schema.governance import ROW, Mask, Shape, entity
from schema.origin import Authority, Provenance
from schema.scalars import Date


@strawberry.type(
    description="公开的异常信息（海关等），查询时在来源处有效 · A public anomaly, of customs and others, in force at its source when asked"
)
@entity("anomaly", "D14")
class PublicAnomaly:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    title: str | None = governed(
        "异常情形，来源原文", "the anomaly in the source's words", ROW, target="title"
    )
    authority: Authority | None = governed(
        "列入机关", "authority that states it", ROW, shape=Shape.EMBEDDED, target="authority_", mask=Mask.KEEP
    )
    entered_on: Date = governed("列入日期", "since when", ROW, target="decided_on", mask=Mask.KEEP)
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )
