"""Cases: what the policy's mechanisms handle, whichever mechanism it is; and what happened to them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import term
from schema.governance import HOLDER, OPEN, ROW, Capability, Mask, Shape, entity, governed
from schema.origin import PageInfo
from schema.scalars import Date, Moment

if TYPE_CHECKING:
    from schema.subjects import CreditSubject


@strawberry.enum(description="机制 · Mechanism of the policy that a case belongs to")
class Mechanism(Enum):
    CHECK = term("CHECK", "信用审查")
    TOLERANCE = term("TOLERANCE", "容缺受理")
    PUBLICITY = term("PUBLICITY", "信用公示")
    LIST_ENTRY = term("LIST_ENTRY", "红黑名单认定")
    MEASURE = term("MEASURE", "联合奖惩措施")
    MEMBER_PUBLICATION = term("MEMBER_PUBLICATION", "会员信用档案公示")
    MERCHANT_ARCHIVE = term("MERCHANT_ARCHIVE", "平台经营者信用档案")
    LIST_CONFLICT = term("LIST_CONFLICT", "红黑名单冲突")
    NOTIFICATION = term("NOTIFICATION", "信用通报")
    REPAIR = term("REPAIR", "信用修复")
    QUARTERLY_REPORT = term("QUARTERLY_REPORT", "季度报告")
    CATALOG_ITEM = term("CATALOG_ITEM", "双公示事项目录")
    POWER_ITEM = term("POWER_ITEM", "权力清单")
    SUPERVISION_TIER = term("SUPERVISION_TIER", "监管分类")
    CASE_DISCLOSURE = term("CASE_DISCLOSURE", "典型案件曝光")
    COMMITMENT = term("COMMITMENT", "信用承诺")
    INSPECTION_PLAN = term("INSPECTION_PLAN", "双随机抽查计划")
    COMMITMENT_INSPECTION = term("COMMITMENT_INSPECTION", "承诺检查")
    IMPLEMENTATION_PLAN = term("IMPLEMENTATION_PLAN", "实施方案")
    HONEST_MODEL = term("HONEST_MODEL", "诚信典型")
    TRAINING = term("TRAINING", "信用培训")
    OBJECTION = term("OBJECTION", "异议处理")
    CORRECTION = term("CORRECTION", "更正通知")
    OUTBOUND_ADVERSE = term("OUTBOUND_ADVERSE", "对外投资合作不良行为")
    INVESTMENT_CONTRACT = term("INVESTMENT_CONTRACT", "招商引资合同履约")


@strawberry.type(description="办理过程中的一步 · A step in the life of a case; appended, never changed")
@entity("case_event", HOLDER)
class CaseEvent:
    at: Moment = governed("时间", "when", HOLDER, target="at", mask=Mask.KEEP)
    transition: str = governed(
        "动作", "transition of the state machine", HOLDER, target="transition", mask=Mask.KEEP
    )
    from_state: str | None = governed(
        "原状态", "state before; null when opened", HOLDER, target="from_state", mask=Mask.KEEP
    )
    to_state: str = governed("新状态", "state after", HOLDER, target="to_state", mask=Mask.KEEP)
    partner: str = governed("办理单位", "partner that acted", HOLDER, target="actor_partner", mask=Mask.KEEP)
    officer: str = governed("经办人", "officer that acted", HOLDER, target="actor_officer", mask=Mask.KEEP)
    reason: str | None = governed("理由", "reason given", HOLDER, target="reason", mask=Mask.KEEP)
    document_number: str | None = governed(
        "文号", "number of the document", HOLDER, target="document_number", mask=Mask.KEEP
    )


@strawberry.interface(description="案件:某一机制下的一次办理 · A case: one handling under a mechanism")
class Case:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    number: str = governed("编号", "number, as it stands on papers", ROW, target="number", mask=Mask.KEEP)
    mechanism: Mechanism = governed("机制", "mechanism", ROW, target="mechanism", mask=Mask.KEEP)
    state: str = governed("状态", "state in the mechanism's machine", ROW, target="state", mask=Mask.KEEP)
    handler: str = governed("办理单位", "partner that handles it", ROW, target="owner", mask=Mask.KEEP)
    subject: Annotated[CreditSubject, strawberry.lazy("schema.subjects")] | None = governed(
        "信用主体", "subject", ROW, shape=Shape.ONE, target="fact.subject", mask=Mask.KEEP
    )
    opened_at: Moment = governed("立案时间", "when it was opened", ROW, target="opened_at", mask=Mask.KEEP)
    due_on: Date | None = governed(
        "期限", "last day of the open deadline, until 24:00", ROW, target="due_on", mask=Mask.KEEP
    )
    due_is_provisional: bool = governed(
        "期限待定",
        "the working calendar up to the deadline is not fixed by a notice yet",
        ROW,
        target="due_is_provisional",
        mask=Mask.KEEP,
    )
    closed_at: Moment | None = governed("办结时间", "when it ended", ROW, target="closed_at", mask=Mask.KEEP)
    ruleset: str = governed("适用规则", "dated rules it is under", ROW, target="ruleset", mask=Mask.KEEP)
    events: list[CaseEvent] | None = governed(
        "办理过程",
        "what happened, oldest first; for handling units and auditors",
        ROW,
        shape=Shape.MANY,
        target="case.events",
        capability=Capability.LINEAGE,
    )


@strawberry.type(description="案件及游标 · A case and its cursor")
class CaseEdge:
    cursor: str = governed("游标", "opaque cursor", OPEN, shape=Shape.COMPUTED, target="cursor")
    node: Case = governed("案件", "case", OPEN, shape=Shape.EMBEDDED, target="node")


@strawberry.type(
    description="案件分页;没有总数 · A page of cases; no total, for it would tell of hidden ones"
)
class CaseConnection:
    edges: list[CaseEdge] = governed("案件", "cases", OPEN, shape=Shape.COMPUTED, target="edges")
    page_info: PageInfo = governed("分页", "page", OPEN, shape=Shape.COMPUTED, target="page_info")
