"""Credit checks before a handling (凡办必查, R5.1-R5.7): results, eligibility, frozen evidence, feedback, tolerance."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import SubjectCode, commands_of, detail, many, member, open_to_all, rows, withheld
from schema.enums import FetchStatus, Purpose, SourceSystem, Tristate, term
from schema.fields import PLANNED, governed, parameter, supplied
from schema.governance import OPEN, ROW, Capability, Mask, Shape, entity
from schema.scalars import USCC, Date, Moment, SM3Digest


@strawberry.enum(
    description="审查结论：仅供参考，由办理人决定（R5.3） · Conclusion; the hub advises, the official decides (R5.3)"
)
class CheckConclusion(Enum):
    GREEN_CHANNEL = term("GREEN_CHANNEL", "可实施绿色通道")
    NORMAL = term("NORMAL", "正常办理")
    REMIND = term("REMIND", "提示")
    STRICT_REVIEW = term("STRICT_REVIEW", "从严审查")
    RESTRICT = term("RESTRICT", "服务受限")
    BLOCK = term("BLOCK", "市场禁入")
    INDETERMINATE = term("INDETERMINATE", "无法确定")


@strawberry.enum(description="办理结果：办理人所作并反馈的决定 · What the official decided, fed back")
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
    FORBIDDEN = term("FORBIDDEN", "无权审查")
    DUPLICATE = term("DUPLICATE", "重复")


@strawberry.type(description="理由 · A reason, by code and in words")
class CheckReason:
    code: str = member("代码", "code", "code")
    text: str = member("文字", "in words", "text")


@strawberry.type(
    description="绿色通道资格，三值（R5.4） · Eligibility for the green channel, three-valued (R5.4)"
)
class GreenChannelEligibility:
    answer: Tristate = member("资格", "answer", "answer")
    basis: str | None = member(
        "依据：HONEST_MODEL（诚信典型）或 THREE_YEARS_CLEAN（连续三年无不良记录）",
        "HONEST_MODEL, or THREE_YEARS_CLEAN: three years without adverse record",
        "basis",
    )
    window_from: Date = member("考察期起（不含）", "window, its first day not included", "window_from")
    window_to: Date = member("考察期止（含）", "last day of the window", "window_to")
    reasons: list[CheckReason] = member("理由", "why", "reasons", Shape.ROWS)
    missing_sources: list[str] = member(
        "未能作出答复的必查来源", "required sources that could not vouch", "missing_sources"
    )


@strawberry.type(
    description="审查依据中的一条：审查时所见的记录、名单条目、承诺或措施 · A record, list entry, commitment or measure as the check saw it"
)
class CheckEvidenceItem:
    kind: str = member(
        "种类：RECORD（记录）、LIST_ENTRY（名单条目）、COMMITMENT（承诺）或 MEASURE（措施）",
        "RECORD, LIST_ENTRY, COMMITMENT or MEASURE",
        "kind",
    )
    # Not `id`: clients that keep objects by their ids would take what two checks saw of one record for one thing.
    object: strawberry.ID = member("所见对象的标识", "opaque id of what was seen", "id")
    data_class: str = member("数据类别", "data class", "data_class")
    grade: str = member(
        "性质：记录的严重程度、名单的类别，承诺、措施的状态",
        "seriousness of a record, colour of a list, state of a commitment or measure",
        "grade",
    )
    title: str | None = member("标题或名单", "title or list", "title")
    document_number: str | None = member("文号", "document", "document_number")
    dated: Date | None = member(
        "决定、认定日期，承诺、措施的立案日期",
        "day of decision or recognition, day on which a commitment or measure was opened",
        "dated",
    )
    under_objection: bool = member("异议中", "objection pending", "under_objection")
    version: str = member("该行数据的版本", "version of the row", "version")
    digest: SM3Digest | None = member("该行数据的摘要", "digest of the row", "digest")


@strawberry.type(description="审查时来源的状态 · State of a source when the check was run")
class CheckSource:
    source: SourceSystem = member("来源系统", "source system", "source")
    status: FetchStatus = member("状态：能否查询", "whether it could be asked", "status")
    as_of: Moment | None = member("数据时间", "how recent", "as_of")
    required: bool = member("是否为该事项的必查来源", "required for the matter", "required")


@strawberry.type(
    description="封存的审查依据，不因其后的变化而改变（R5.2） · Evidence, frozen: later changes do not alter it (R5.2)"
)
class CheckEvidence:
    items: list[CheckEvidenceItem] = member("所见记录", "what was seen", "items", Shape.ROWS)
    sources: list[CheckSource] = member("来源", "the sources", "sources", Shape.ROWS)
    view: str = member("审查时查阅权限的摘要", "digest of the rights it was seen with", "view")
    policy_version: str = member("规则版本", "version of the rules", "policy_version")


@strawberry.type(description="办理反馈：办理人的决定 · The official's decision, fed back")
class CheckFeedback:
    decision: HandlingDecision = member("办理结果", "decision", "decision")
    decided_on: Date = member("决定日期", "day of the decision", "decided_on")
    document_number: str | None = member("文号", "document", "document_number")
    recorded_at: Moment = member("反馈时间", "when it was fed back", "recorded_at")


@strawberry.type(description="容缺材料 · A paper that is missing")
class MissingPaper:
    name: str = member("材料名称", "name of the paper", "name")


@strawberry.input(description="容缺材料；核心材料不得容缺 · A paper that is missing; core papers cannot be")
class MissingPaperInput:
    name: str = supplied("材料名称", "name of the paper")
    core: bool = supplied("是否核心材料", "whether it is a core paper")


@strawberry.type(
    description="容缺受理：承诺限期补齐材料（R5.6） · Tolerant acceptance: papers promised by a day (R5.6)"
)
@entity("case_file", "D38", only=("mechanism", ("TOLERANCE",)))
class TolerantAcceptance(Case):
    missing_papers: list[MissingPaper] | None = withheld(
        "容缺材料", "papers that are missing", "missing_papers", Shape.ROWS
    )
    commitment: str | None = withheld("书面承诺", "written commitment", "commitment")
    commitment_digest: SM3Digest = detail(
        "签署文件的 SM3 摘要", "SM3 digest of the signed file", "commitment_digest"
    )


@strawberry.type(description="信用审查及其结果（R5.1至R5.7） · A credit check and what it found (R5.1-R5.7)")
@entity("case_file", "D38", only=("mechanism", ("CHECK",)))
class CreditCheck(Case):
    purpose: Purpose = detail("使用目的", "kind of handling", "purpose")
    matter: str = detail("事项编码", "matter code", "matter")
    matter_name: str = detail("事项名称", "matter", "matter_name")
    case_number: str = detail("办件编号", "number of the handling", "case_number")
    subject_code: USCC = detail("统一社会信用代码", "code of the subject", "subject_code")
    conclusion: CheckConclusion = detail("结论", "conclusion", "conclusion")
    reasons: list[CheckReason] = rows("结论的依据", "what the conclusion rests on", "reasons")
    reminders: list[CheckReason] = rows(
        "提示内容；提示本身不是惩戒（R5.5）",
        "wording of the reminders; no punishment by themselves (R5.5)",
        "reminders",
    )
    eligibility: GreenChannelEligibility = rows(
        "绿色通道资格", "eligibility for the green channel", "eligibility"
    )
    valid_until: Date = detail(
        "可作依据的最后一日，至24时止（R5.7）",
        "last day on which it may be relied on, until 24:00 (R5.7)",
        "valid_until",
    )
    currently_valid: bool = governed(
        "今日是否有效", "valid today", ROW, shape=Shape.COMPUTED, target="check_valid", mask=Mask.KEEP
    )
    evidence: CheckEvidence | None = withheld(
        "封存的依据，仅限办理单位和审计",
        "evidence, for the handling unit and auditors only",
        "evidence",
        Shape.ROWS,
        capability=Capability.LINEAGE,
    )
    evidence_digest: SM3Digest | None = detail(
        "依据规范文本的 SM3 摘要",
        "SM3 digest of the canonical evidence",
        "evidence_digest",
        capability=Capability.LINEAGE,
    )
    feedback: CheckFeedback | None = rows("办理反馈：办理人的决定", "the official's decision", "feedback")
    tolerances: list[TolerantAcceptance] | None = many(
        "本次审查项下的容缺受理", "tolerant acceptances under this check", "case.targeting"
    )


@strawberry.type(description="批量审查的一行 · A row of a batch of checks")
@entity("rows:command", OPEN)
class CreditCheckRow:
    position: int = open_to_all("在请求中的序号，自1起", "place in the request, from 1", "position")
    code: str = open_to_all("所给代码", "code as given", "code")
    status: CheckRowStatus = open_to_all("状态", "what became of it", "status")
    check: CreditCheck | None = open_to_all("审查", "the check", "command.case", Shape.ONE)


@strawberry.type(
    description="审查编号核验：只答是否有效（R5.1） · Whether a check number holds, and nothing more (R5.1)"
)
@entity("rows:check_verification", OPEN)
class CreditCheckVerification:
    valid: bool = open_to_all(
        "是否为该主体、该事项出具且当时有效", "issued for this subject and matter, and in force then", "valid"
    )
    number: str = open_to_all("所给审查编号", "number as given", "number")
    subject: USCC = open_to_all("所给统一社会信用代码", "code as given", "subject")
    matter: str = open_to_all("所给事项编码", "matter as given", "matter")
    checked_at: Moment | None = open_to_all(
        "审查时间；无效时为空", "when it was run; null when not valid", "checked_at"
    )
    valid_until: Date | None = open_to_all(
        "有效期至；无效时为空", "last day; null when not valid", "valid_until"
    )


_check = commands_of("check", Capability.CHECK)
_tolerance = commands_of("tolerance", Capability.CHECK)


@strawberry.type(description="信用审查操作 · Commands of checks and of tolerant acceptance")
class CheckCommands:
    @_check(
        "办理前审查一个主体；使用目的、事项编码、办件编号以请求为准（R5.1）",
        "check a subject before a handling; the purpose, matter and case are the request's (R5.1)",
        "run",
    )
    def run_credit_check(self, subject: SubjectCode) -> CreditCheck | None:
        return PLANNED

    @_check(
        "批量信用审查，至多 500 个主体，按所问次序逐行返回",
        "check up to 500 subjects, one row each, in the order asked",
        "run_batch",
    )
    def run_credit_checks(
        self, subjects: Annotated[list[str], parameter("统一社会信用代码", "unified social credit codes")]
    ) -> list[CreditCheckRow] | None:
        return PLANNED

    @_check("反馈信用审查后的办理结果（R5.3）", "feed back what the official decided (R5.3)", "feedback")
    def record_check_feedback(
        self,
        number: Annotated[str, parameter("审查编号", "number of the check")],
        decision: Annotated[HandlingDecision, parameter("办理结果", "decision")],
        decided_on: Annotated[Date, parameter("决定日期", "day of the decision")],
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
        reason: Annotated[
            str | None, parameter("理由，与审查结论不一致的填写", "reason, where it differs from the advice")
        ] = None,
    ) -> CreditCheck | None:
        return PLANNED

    @_tolerance(
        "凭书面承诺容缺受理非核心材料，限期补齐（R5.6）",
        "accept with non-core papers missing, on a written commitment and by a day (R5.6)",
        "accept",
    )
    def accept_tolerantly(
        self,
        number: Annotated[str, parameter("审查编号", "number of the check")],
        missing_papers: Annotated[list[MissingPaperInput], parameter("容缺材料", "papers that are missing")],
        commitment: Annotated[str, parameter("书面承诺", "text of the written commitment")],
        commitment_digest: Annotated[
            SM3Digest, parameter("签署文件的 SM3 摘要", "SM3 digest of the signed file")
        ],
        due_on: Annotated[Date, parameter("补正期限", "last day for the papers")],
    ) -> TolerantAcceptance | None:
        return PLANNED

    @_tolerance("容缺受理的材料已补齐", "the missing papers of a tolerant acceptance came", "complete")
    def complete_tolerance(
        self,
        number: Annotated[str, parameter("容缺受理编号", "number of the tolerant acceptance")],
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
    ) -> TolerantAcceptance | None:
        return PLANNED

    @_tolerance(
        "容缺受理的材料到期未补齐，即为违背承诺",
        "the day of a tolerant acceptance passed without the papers: a breach of the commitment",
        "fail",
    )
    def fail_tolerance(
        self,
        number: Annotated[str, parameter("容缺受理编号", "number of the tolerant acceptance")],
        reason: Annotated[str, parameter("理由", "what was found")],
    ) -> TolerantAcceptance | None:
        return PLANNED
