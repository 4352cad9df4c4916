"""Grades issued by others: shown as given, never computed, never merged."""

import strawberry

from schema.enums import GradeScheme
from schema.fields import governed
from schema.governance import HOLDER, ROW, Mask, Shape, entity
from schema.origin import Authority, Provenance
from schema.scalars import Date


@strawberry.type(
    description=(
        "外部等级：由其他单位评定（海关、税务、外汇、协会、国家） · A grade issued by somebody "
        "else: customs, tax, foreign exchange, an association, the state"
    )
)
@entity("grade", "D14", "D16", "D17", "D19", "D24", "D40")
class ExternalGrade:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    scheme: GradeScheme = governed("等级体系", "scheme", ROW, target="scheme", mask=Mask.KEEP)
    grade_code: str | None = governed("等级代码", "code of the grade", ROW, target="grade_code")
    grade_label: str | None = governed(
        "等级，评定单位原文", "the grade in the issuer's words", ROW, target="grade_label"
    )
    ruleset_version: str = governed(
        "等级所依规则的版本；不同版本的等级不作比较",
        "dated rule set of the level; levels of different sets are not compared",
        ROW,
        target="ruleset_version",
        mask=Mask.KEEP,
    )
    issuer: Authority | None = governed(
        "评定单位", "issuer", ROW, shape=Shape.EMBEDDED, target="issuer_", mask=Mask.KEEP
    )
    period: str | None = governed(
        "评价年度", "period, such as a year of evaluation", ROW, target="period", mask=Mask.KEEP
    )
    effective_from: Date = governed(
        "生效日期", "effective from", ROW, target="effective_from", mask=Mask.KEEP
    )
    effective_to: Date | None = governed(
        "有效期至", "last effective day", ROW, target="effective_to", mask=Mask.KEEP
    )
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )


@strawberry.type(description="档案数据项 · A data item of an archive or record")
class RecordItem:
    code: str = governed("代码", "code", HOLDER, target="code", mask=Mask.KEEP)
    label: str = governed("名称", "label", HOLDER, target="label", mask=Mask.KEEP)
    value: str | None = governed("值", "value", HOLDER, target="value", mask=Mask.KEEP)
