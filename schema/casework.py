"""Cases: what the policy's mechanisms handle, whichever mechanism it is; and what happened to them."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.declaring import column, member, one, withheld
from schema.enums import term
from schema.fields import governed, supplied
from schema.governance import HOLDER, OPEN, ROW, Capability, Mask, Shape, entity
from schema.origin import PageInfo
from schema.scalars import Date, Moment, SM3Digest

if TYPE_CHECKING:
    from schema.subjects import CreditSubject


@strawberry.enum(description="案件所属的机制 · Mechanism of the policy that a case belongs to")
class Mechanism(Enum):
    CHECK = term("CHECK", "信用审查")
    TOLERANCE = term("TOLERANCE", "容缺受理")
    PUBLICITY = term("PUBLICITY", "信用公示")
    LIST_ENTRY = term("LIST_ENTRY", "名单认定")
    MEASURE = term("MEASURE", "联合奖惩措施")
    MEMBER_PUBLICATION = term("MEMBER_PUBLICATION", "会员信用档案公示")
    MERCHANT_ARCHIVE = term("MERCHANT_ARCHIVE", "平台经营者信用档案")
    LIST_CONFLICT = term("LIST_CONFLICT", "红名单与严重失信主体名单冲突")
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


@strawberry.type(
    description="办理过程中的一步；只追加，不更改 · A step in the life of a case; appended, never changed"
)
@entity("case_event", HOLDER)
class CaseEvent:
    at: Moment = member("时间", "when", "at")
    transition: str = member("动作，即流程中的一步", "transition of the state machine", "transition")
    from_state: str | None = member("原状态；立案时为空", "state before; null when opened", "from_state")
    to_state: str = member("新状态", "state after", "to_state")
    partner: str = member("经办单位", "partner that acted", "actor_partner")
    officer: str = member("经办人", "officer that acted", "actor_officer")
    reason: str | None = member("理由", "reason given", "reason")
    document_number: str | None = member("文号", "number of the document", "document_number")


@strawberry.interface(description="案件：某一机制下的一次办理 · A case: one handling under a mechanism")
class Case:
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    number: str = column("编号，即文书上的编号", "number, as it stands on papers", "number")
    mechanism: Mechanism = column("机制", "mechanism", "mechanism")
    state: str = column("在所属机制流程中的状态", "state in the mechanism's machine", "state")
    handler: str = column("办理单位", "partner that handles it", "owner")
    subject: Annotated["CreditSubject", strawberry.lazy("schema.subjects")] | None = one(
        "信用主体", "subject", "fact.subject"
    )
    opened_at: Moment = column("立案时间", "when it was opened", "opened_at")
    due_on: Date | None = column(
        "当前期限的最后一日，至24时止", "last day of the open deadline, until 24:00", "due_on"
    )
    due_is_provisional: bool = column(
        "期限待定：至期限为止的工作日安排尚无放假通知确定",
        "the working calendar up to the deadline is not fixed by a notice yet",
        "due_is_provisional",
    )
    working_days_left: int | None = governed(
        "剩余工作日：自次日起算，期限当日计入；逾期为负数；无当前期限，或距期限超过一年的，为空（R7.2）",
        "working days after today up to the deadline, which is counted; negative once it has passed; null: no open "
        "deadline, or one more than a year away (R7.2)",
        ROW,
        shape=Shape.COMPUTED,
        target="working_days_left",
        mask=Mask.KEEP,
    )
    closed_at: Moment | None = column("办结时间", "when it ended", "closed_at")
    ruleset: str = column("所适用规则的版本", "dated rules it is under", "ruleset")
    events: list[CaseEvent] | None = withheld(
        "办理过程，由先到后；限办理单位和审计：结果向社会公开的案件，限参与办理的单位",
        "what happened, oldest first; for handling units and auditors, and of a case whose result is public for those"
        " that take part in it",
        "case.events",
        Shape.MANY,
        capability=Capability.LINEAGE,
    )


@strawberry.type
class Review:
    """What a second person decided; each mechanism's own type says on what."""

    officer: str = member("审查人", "officer", "officer")
    at: Moment = member("时间", "when", "at")
    opinion: str = member("意见", "opinion", "opinion")


@strawberry.type
class ReviewOfText(Review):
    """A review that holds for one text only."""

    digest: SM3Digest = member("所审查内容的 SM3 摘要", "SM3 digest of what was reviewed", "digest")


@strawberry.type
class Paper:
    """A file that was handed in: the hub keeps its name and digest, not the file."""

    name: str = member("名称", "name", "name")
    digest: SM3Digest = member("文件的 SM3 摘要", "SM3 digest of the file", "digest")


@strawberry.input
class PaperInput:
    """A file that is handed in."""

    name: str = supplied("名称", "name of the file")
    digest: SM3Digest = supplied("文件的 SM3 摘要", "SM3 digest of the file")


@strawberry.type(description="案件及游标 · A case and its cursor")
class CaseEdge:
    cursor: str = governed("游标", "opaque cursor", OPEN, shape=Shape.COMPUTED, target="cursor")
    node: Case = governed("案件", "case", OPEN, shape=Shape.EMBEDDED, target="node")


@strawberry.type(
    description="案件分页；没有总数，因为总数会泄露不可见的案件 · A page of cases; no total, for it would tell of hidden ones"
)
class CaseConnection:
    edges: list[CaseEdge] = governed("案件", "cases", OPEN, shape=Shape.COMPUTED, target="edges")
    page_info: PageInfo = governed("分页", "page", OPEN, shape=Shape.COMPUTED, target="page_info")
