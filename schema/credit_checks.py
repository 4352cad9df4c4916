"""Credit checks before a handling (凡办必查, R5.1-R5.7): results, eligibility, frozen evidence, feedback, tolerance."""

from __future__ import annotations

from enum import Enum

import strawberry

from schema.casework import Case
from schema.enums import FetchStatus, Purpose, SourceSystem, Tristate, term
from schema.governance import HOLDER, OPEN, ROW, Capability, Mask, Shape, entity, governed, supplied
from schema.scalars import USCC, Date, Moment, SM3Digest


@strawberry.enum(
    description="审查结论:仅供参考,由办理人决定 · Conclusion; the hub advises, the official decides (R5.3)"
)
class CheckConclusion(Enum):
    GREEN_CHANNEL = term("GREEN_CHANNEL", "可实施绿色通道")
    NORMAL = term("NORMAL", "正常办理")
    REMIND = term("REMIND", "提示")
    STRICT_REVIEW = term("STRICT_REVIEW", "从严审查")
    RESTRICT = term("RESTRICT", "服务受限")
    BLOCK = term("BLOCK", "市场禁入")
    INDETERMINATE = term("INDETERMINATE", "无法确定")


@strawberry.enum(description="办理结果 · What the official decided, fed back")
class HandlingDecision(Enum):
    GRANTED = term("GRANTED", "准予")
    GRANTED_SIMPLIFIED = term("GRANTED_SIMPLIFIED", "绿色通道准予")
    GRANTED_TOLERANTLY = term("GRANTED_TOLERANTLY", "容缺准予")
    RESTRICTED = term("RESTRICTED", "限制办理")
    REFUSED = term("REFUSED", "不予")
    WITHDRAWN = term("WITHDRAWN", "申请人撤回")


@strawberry.enum(description="逐户状态 · What became of one row of a batch")
class CheckRowStatus(Enum):
    CHECKED = term("CHECKED", "已审查")
    UNKNOWN_SUBJECT = term("UNKNOWN_SUBJECT", "无此主体")
    INVALID_CODE = term("INVALID_CODE", "代码无效")
    DUPLICATE = term("DUPLICATE", "重复")


@strawberry.type(description="理由 · A reason, by code and in words")
class CheckReason:
    code: str = governed("代码", "code", HOLDER, target="code", mask=Mask.KEEP)
    text: str = governed("文字", "in words", HOLDER, target="text", mask=Mask.KEEP)


@strawberry.type(description="绿色通道资格,三值 · Eligibility for the green channel, three-valued (R5.4)")
class GreenChannelEligibility:
    answer: Tristate = governed("资格", "answer", HOLDER, target="answer", mask=Mask.KEEP)
    basis: str | None = governed(
        "依据", "HONEST_MODEL or THREE_YEARS_CLEAN", HOLDER, target="basis", mask=Mask.KEEP
    )
    window_from: Date = governed(
        "考察期起(不含)", "window, its first day not included", HOLDER, target="window_from", mask=Mask.KEEP
    )
    window_to: Date = governed(
        "考察期止", "last day of the window", HOLDER, target="window_to", mask=Mask.KEEP
    )
    reasons: list[CheckReason] = governed(
        "理由", "why", HOLDER, shape=Shape.ROWS, target="reasons", mask=Mask.KEEP
    )
    missing_sources: list[str] = governed(
        "未能查询的来源",
        "required sources that could not vouch",
        HOLDER,
        target="missing_sources",
        mask=Mask.KEEP,
    )


@strawberry.type(description="审查依据中的一条 · A record, list entry or commitment as the check saw it")
class CheckEvidenceItem:
    kind: str = governed(
        "种类", "RECORD, LIST_ENTRY, COMMITMENT or MEASURE", HOLDER, target="kind", mask=Mask.KEEP
    )
    id: strawberry.ID = governed("标识", "opaque id of what was seen", HOLDER, target="id", mask=Mask.KEEP)
    data_class: str = governed("数据类别", "data class", HOLDER, target="data_class", mask=Mask.KEEP)
    grade: str = governed(
        "性质", "seriousness of a record, colour of a list", HOLDER, target="grade", mask=Mask.KEEP
    )
    title: str | None = governed("名称", "title or list", HOLDER, target="title", mask=Mask.KEEP)
    document_number: str | None = governed(
        "文号", "document", HOLDER, target="document_number", mask=Mask.KEEP
    )
    dated: Date | None = governed(
        "日期", "day of decision or recognition", HOLDER, target="dated", mask=Mask.KEEP
    )
    under_objection: bool = governed(
        "异议中", "objection pending", HOLDER, target="under_objection", mask=Mask.KEEP
    )
    version: str = governed("版本", "version of the row", HOLDER, target="version", mask=Mask.KEEP)
    digest: SM3Digest | None = governed("摘要", "digest of the row", HOLDER, target="digest", mask=Mask.KEEP)


@strawberry.type(description="审查时来源的状态 · State of a source when the check was run")
class CheckSource:
    source: SourceSystem = governed("来源系统", "source system", HOLDER, target="source", mask=Mask.KEEP)
    status: FetchStatus = governed(
        "状态", "whether it could be asked", HOLDER, target="status", mask=Mask.KEEP
    )
    as_of: Moment | None = governed("数据时间", "how recent", HOLDER, target="as_of", mask=Mask.KEEP)
    required: bool = governed("必查", "required for the matter", HOLDER, target="required", mask=Mask.KEEP)


@strawberry.type(description="封存的审查依据 · Evidence, frozen: later changes do not alter it (R5.2)")
class CheckEvidence:
    items: list[CheckEvidenceItem] = governed(
        "所见记录", "what was seen", HOLDER, shape=Shape.ROWS, target="items", mask=Mask.KEEP
    )
    sources: list[CheckSource] = governed(
        "来源", "the sources", HOLDER, shape=Shape.ROWS, target="sources", mask=Mask.KEEP
    )
    view: str = governed(
        "视图摘要", "digest of the rights it was seen with", HOLDER, target="view", mask=Mask.KEEP
    )
    policy_version: str = governed(
        "规则版本", "version of the rules", HOLDER, target="policy_version", mask=Mask.KEEP
    )


@strawberry.type(description="办理反馈 · The official's decision, fed back")
class CheckFeedback:
    decision: HandlingDecision = governed("办理结果", "decision", HOLDER, target="decision", mask=Mask.KEEP)
    decided_on: Date = governed(
        "决定日期", "day of the decision", HOLDER, target="decided_on", mask=Mask.KEEP
    )
    document_number: str | None = governed(
        "文号", "document", HOLDER, target="document_number", mask=Mask.KEEP
    )
    recorded_at: Moment = governed(
        "反馈时间", "when it was fed back", HOLDER, target="recorded_at", mask=Mask.KEEP
    )


@strawberry.type(description="容缺材料 · A paper that is missing")
class MissingPaper:
    name: str = governed("材料名称", "name of the paper", HOLDER, target="name", mask=Mask.KEEP)


@strawberry.input(description="容缺材料 · A paper that is missing; core papers cannot be")
class MissingPaperInput:
    name: str = supplied("材料名称", "name of the paper")
    core: bool = supplied("是否核心材料", "whether it is a core paper")


@strawberry.type(description="容缺受理 · Tolerant acceptance: papers promised by a day (R5.6)")
@entity("case_file", "D38", only=("mechanism", ("TOLERANCE",)))
class TolerantAcceptance(Case):
    missing_papers: list[MissingPaper] | None = governed(
        "容缺材料", "papers that are missing", ROW, shape=Shape.ROWS, target="missing_papers"
    )
    commitment: str | None = governed(
        "书面承诺", "written commitment", ROW, shape=Shape.DETAIL, target="commitment"
    )
    commitment_digest: SM3Digest = governed(
        "承诺书摘要",
        "SM3 digest of the signed file",
        ROW,
        shape=Shape.DETAIL,
        target="commitment_digest",
        mask=Mask.KEEP,
    )


@strawberry.type(description="信用审查 · A credit check and what it found (R5.1-R5.7)")
@entity("case_file", "D38", only=("mechanism", ("CHECK",)))
class CreditCheck(Case):
    purpose: Purpose = governed(
        "使用目的", "kind of handling", ROW, shape=Shape.DETAIL, target="purpose", mask=Mask.KEEP
    )
    matter: str = governed(
        "事项代码", "matter code", ROW, shape=Shape.DETAIL, target="matter", mask=Mask.KEEP
    )
    matter_name: str = governed(
        "事项名称", "matter", ROW, shape=Shape.DETAIL, target="matter_name", mask=Mask.KEEP
    )
    case_number: str = governed(
        "办件编号", "number of the handling", ROW, shape=Shape.DETAIL, target="case_number", mask=Mask.KEEP
    )
    subject_code: USCC = governed(
        "统一社会信用代码",
        "code of the subject",
        ROW,
        shape=Shape.DETAIL,
        target="subject_code",
        mask=Mask.KEEP,
    )
    conclusion: CheckConclusion = governed(
        "结论", "conclusion", ROW, shape=Shape.DETAIL, target="conclusion", mask=Mask.KEEP
    )
    reasons: list[CheckReason] = governed(
        "理由", "what the conclusion rests on", ROW, shape=Shape.ROWS, target="reasons", mask=Mask.KEEP
    )
    reminders: list[CheckReason] = governed(
        "提示",
        "wording of the reminders; no punishment by themselves (R5.5)",
        ROW,
        shape=Shape.ROWS,
        target="reminders",
        mask=Mask.KEEP,
    )
    eligibility: GreenChannelEligibility = governed(
        "绿色通道资格",
        "eligibility for the green channel",
        ROW,
        shape=Shape.ROWS,
        target="eligibility",
        mask=Mask.KEEP,
    )
    valid_until: Date = governed(
        "有效期至",
        "last day on which it may be relied on, until 24:00 (R5.7)",
        ROW,
        shape=Shape.DETAIL,
        target="valid_until",
        mask=Mask.KEEP,
    )
    currently_valid: bool = governed(
        "当前是否有效", "valid today", ROW, shape=Shape.COMPUTED, target="check_valid", mask=Mask.KEEP
    )
    evidence: CheckEvidence | None = governed(
        "封存依据",
        "evidence, for the handling unit and auditors only",
        ROW,
        shape=Shape.ROWS,
        target="evidence",
        capability=Capability.LINEAGE,
    )
    evidence_digest: SM3Digest | None = governed(
        "依据摘要",
        "SM3 digest of the canonical evidence",
        ROW,
        shape=Shape.DETAIL,
        target="evidence_digest",
        mask=Mask.KEEP,
        capability=Capability.LINEAGE,
    )
    feedback: CheckFeedback | None = governed(
        "办理反馈", "the official's decision", ROW, shape=Shape.ROWS, target="feedback", mask=Mask.KEEP
    )
    tolerances: list[TolerantAcceptance] | None = governed(
        "容缺受理",
        "tolerant acceptances under this check",
        ROW,
        shape=Shape.MANY,
        target="case.targeting",
        mask=Mask.KEEP,
    )


@strawberry.type(description="批量审查的一行 · A row of a batch of checks")
@entity("rows:command", OPEN)
class CreditCheckRow:
    position: int = governed("序号", "place in the request, from 1", OPEN, target="position", mask=Mask.KEEP)
    code: str = governed("所给代码", "code as given", OPEN, target="code", mask=Mask.KEEP)
    status: CheckRowStatus = governed("状态", "what became of it", OPEN, target="status", mask=Mask.KEEP)
    check: CreditCheck | None = governed(
        "审查", "the check", OPEN, shape=Shape.ONE, target="command.case", mask=Mask.KEEP
    )


@strawberry.type(description="审查编号核验 · Whether a check number holds, and nothing more (R5.1)")
@entity("rows:check_verification", OPEN)
class CreditCheckVerification:
    valid: bool = governed(
        "是否有效",
        "issued for this subject and matter, and in force then",
        OPEN,
        target="valid",
        mask=Mask.KEEP,
    )
    number: str = governed("审查编号", "number as given", OPEN, target="number", mask=Mask.KEEP)
    subject: USCC = governed("统一社会信用代码", "code as given", OPEN, target="subject", mask=Mask.KEEP)
    matter: str = governed("事项代码", "matter as given", OPEN, target="matter", mask=Mask.KEEP)
    checked_at: Moment | None = governed(
        "审查时间", "when it was run; null when not valid", OPEN, target="checked_at", mask=Mask.KEEP
    )
    valid_until: Date | None = governed(
        "有效期至", "last day; null when not valid", OPEN, target="valid_until", mask=Mask.KEEP
    )
