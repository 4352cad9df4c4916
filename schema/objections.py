"""Objections (异议处理, 5.10): the file of one, and the notices to those who had been told of a record that was wrong."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case, Paper, PaperInput
from schema.declaring import CaseNumber, DocumentNumber, Reason, commands_of, detail, member, rows
from schema.enums import Seriousness, SourceSystem, term
from schema.fields import PLANNED, parameter, supplied
from schema.governance import Capability, entity
from schema.notifications import EnquiryOutcome
from schema.scalars import USCC, Date, Moment, SM3Digest, Yuan


@strawberry.enum(description="异议理由 · What is said to be wrong with a record")
class ObjectionGround(Enum):
    INCORRECT = term("INCORRECT", "信息有误")
    OUTDATED = term("OUTDATED", "信息已过时")
    NOT_ABOUT_US = term("NOT_ABOUT_US", "非本主体信息")


@strawberry.enum(description="异议对象 · What is objected to")
class ObjectionTarget(Enum):
    RECORD = term("RECORD", "信用记录")
    LIST_ENTRY = term("LIST_ENTRY", "名单条目")


@strawberry.enum(description="更正方式 · What becomes of a record that was wrong")
class ObjectionRemedy(Enum):
    CORRECT = term("CORRECT", "更正")
    REVOKE = term("REVOKE", "撤销")


@strawberry.enum(description="录入方 · Who entered an objection")
class ObjectionEntry(Enum):
    SUBJECT = term("SUBJECT", "主体自行提出")
    DEPARTMENT = term("DEPARTMENT", "受理单位代录")


@strawberry.type(description="佐证材料 · A paper that was handed in")
class ObjectionEvidence(Paper):
    """Named in the objection."""


@strawberry.type(description="记录提供单位的核查答复 · What the provider of the record found")
class ObjectionAnswer:
    provider: str = member("提供单位", "provider", "provider")
    outcome: EnquiryOutcome = member("意见", "what it found", "outcome")
    text: str = member("说明", "in words", "text")
    document_number: str | None = member("文号", "number of the document", "document_number")
    answered_on: Date = member("答复日期", "day of the answer", "answered_on")


@strawberry.type(description="处理决定，告知主体 · What the subject was told")
class ObjectionDecision:
    outcome: EnquiryOutcome = member("结论", "upheld or rejected", "outcome")
    remedy: ObjectionRemedy | None = member("更正方式", "what became of the record", "remedy")
    reason: str = member("理由", "reason", "reason")
    document_number: str = member("文号", "number of the document", "document_number")
    decided_at: Moment = member("时间", "when", "decided_at")
    late: int = member("逾期工作日数，期限届满后起算", "working days after the limit", "late")
    corrected: strawberry.ID | None = member(
        "更正后的记录；没有，或者由来源另行送来的，为空",
        "the record in its place; null: none, or it comes from its source",
        "corrected",
    )


@strawberry.type(
    description=(
        "异议案件：办理期间标注记录，异议成立的，记录在各处终止 · An objection: the record is "
        "marked while it runs, and ends everywhere when it is upheld"
    )
)
@entity("case_file", "D36", only=("mechanism", ("OBJECTION",)))
class ObjectionCase(Case):
    target: strawberry.ID = detail("异议对象标识", "opaque id of the record or entry", "target")
    target_kind: ObjectionTarget = detail("异议对象", "what is objected to", "target_kind")
    source: SourceSystem = detail("记录的来源", "source of the record", "source")
    provider: str | None = detail(
        "负责答复的提供单位；为空的，以函件向作出单位核查",
        "partner that answers for it; null: its agency is asked by letter",
        "provider",
    )
    subject_code: USCC | None = detail("统一社会信用代码", "code of the subject", "subject_code")
    ground: ObjectionGround = detail("理由", "ground", "ground")
    statement: str = detail("陈述", "statement", "statement")
    evidence: list[ObjectionEvidence] = rows("佐证材料", "evidence", "evidence")
    entered_by: ObjectionEntry = detail("录入方", "who entered it", "entered_by")
    agent: USCC | None = detail("代理机构代码", "code of the agent", "agent")
    forward_by: Date | None = detail(
        "转办期限；本单位记录为空", "day by which it is forwarded; null: own record", "forward_by"
    )
    answer_by: Date = detail("答复期限", "day by which it is answered", "answer_by")
    marked_at: Moment | None = detail("标注时间", "when the record was marked", "marked_at")
    forwarded_on: Date | None = detail("转办日期", "forwarded on", "forwarded_on")
    forwarded_late: int = detail(
        "转办逾期工作日数", "working days that forwarding was late", "forwarded_late"
    )
    enquiry: str | None = detail("核查函编号", "number of the enquiry to the provider", "enquiry")
    provider_answer: ObjectionAnswer | None = rows("提供单位答复", "its answer", "provider_answer")
    decision: ObjectionDecision | None = rows("处理决定", "decision", "decision")
    notified: list[str] = detail(
        "已通知的单位，即此前获知该记录的单位",
        "partners that had been told of the record and got a notice",
        "notified",
    )


@strawberry.type(
    description="更正通知：发给此前获知该记录的单位 · A notice that a record ended, to one partner that had been told of it"
)
@entity("case_file", "D37", only=("mechanism", ("CORRECTION",)))
class CorrectionNotice(Case):
    target: strawberry.ID = detail("记录标识", "opaque id of the record or entry that ended", "target")
    target_kind: ObjectionTarget = detail("对象：信用记录或名单条目", "record or list entry", "target_kind")
    remedy: ObjectionRemedy = detail("更正方式", "what became of it", "remedy")
    ended_at: Moment = detail("终止时间", "when it ended", "ended_at")
    last_told_at: Moment = detail(
        "收件单位最近一次获知该主体此类记录的时间",
        "when the recipient was told of the subject's records of this class last",
        "last_told_at",
    )
    corrected: strawberry.ID | None = detail("更正后的记录", "the record in its place", "corrected")


@strawberry.input(description="佐证材料 · A paper that was handed in")
class ObjectionEvidenceInput(PaperInput):
    """Named by who objects."""


@strawberry.input(description="更正内容：只填需更正的项 · What the record should say; only what differs")
class RecordCorrectionInput:
    title: str | None = supplied("标题", "title", optional=True)
    document_number: str | None = supplied("文书号", "document number", optional=True)
    decided_on: Date | None = supplied("决定日期", "day of the decision", optional=True)
    seriousness: Seriousness | None = supplied("严重程度", "class", optional=True)
    fine_amount: Yuan | None = supplied("罚款金额（元）", "fine in yuan", optional=True)


_Target = Annotated[strawberry.ID, parameter("异议对象标识", "opaque id of the record or list entry")]
_Ground = Annotated[ObjectionGround, parameter("理由", "what is wrong")]
_Statement = Annotated[str, parameter("陈述", "statement")]
_Evidence = Annotated[list[ObjectionEvidenceInput] | None, parameter("佐证材料", "papers")]
_Agent = Annotated[USCC | None, parameter("代理机构代码，有代理的填写", "code of the agent, where one acts")]
_Authorization = Annotated[
    SM3Digest | None, parameter("代理授权书的 SM3 摘要", "SM3 digest of the agent's authorization")
]
_objection = commands_of("objection")
_correction = commands_of("correction", Capability.RECEIVE)


@strawberry.type(description="异议操作 · Commands of objections")
class ObjectionCommands:
    @_objection(
        "对本人的记录提出异议，记录即时标注",
        "object to a record of one's own; it is marked at once",
        "submit",
        Capability.APPLY,
    )
    def submit_objection(
        self,
        target: _Target,
        ground: _Ground,
        statement: _Statement,
        evidence: _Evidence = None,
        agent: _Agent = None,
        authorization_digest: _Authorization = None,
    ) -> ObjectionCase | None:
        return PLANNED

    @_objection(
        "代录书面异议，记录即时标注",
        "enter an objection that came on paper; the record is marked at once",
        "record",
    )
    def record_objection(
        self,
        target: _Target,
        ground: _Ground,
        statement: _Statement,
        evidence: _Evidence = None,
        agent: _Agent = None,
        authorization_digest: _Authorization = None,
    ) -> ObjectionCase | None:
        return PLANNED

    @_objection(
        "以核查函将异议转办提供单位",
        "forward an objection to the provider of the record, as an enquiry",
        "forward",
    )
    def forward_objection(self, number: CaseNumber) -> ObjectionCase | None:
        return PLANNED

    @_objection(
        "登记非接入单位对异议的书面答复",
        "record what an agency that is no partner answered to an objection",
        "record_answer",
    )
    def record_objection_answer(
        self,
        number: CaseNumber,
        provider: Annotated[str, parameter("答复单位", "name of the agency")],
        outcome: Annotated[EnquiryOutcome, parameter("意见", "what it found")],
        text: Annotated[str, parameter("说明", "in words")],
        document_number: DocumentNumber,
    ) -> ObjectionCase | None:
        return PLANNED

    @_objection(
        "异议成立，记录在各处终止并告知获知单位",
        "uphold an objection: the record ends everywhere, recipients are told",
        "uphold",
        Capability.REVIEW,
    )
    def uphold_objection(
        self,
        number: CaseNumber,
        remedy: Annotated[ObjectionRemedy, parameter("更正方式", "what becomes of the record")],
        reason: Reason,
        document_number: DocumentNumber,
        correction: Annotated[
            RecordCorrectionInput | None,
            parameter("更正内容，限本单位记录", "of an own record: what it should say"),
        ] = None,
    ) -> ObjectionCase | None:
        return PLANNED

    @_objection(
        "异议不成立，取消标注", "reject an objection: the mark is taken away", "reject", Capability.REVIEW
    )
    def reject_objection(
        self, number: CaseNumber, reason: Reason, document_number: DocumentNumber
    ) -> ObjectionCase | None:
        return PLANNED

    @_objection("撤回本人的异议", "withdraw one's objection", "withdraw", Capability.APPLY)
    def withdraw_objection(self, number: CaseNumber) -> ObjectionCase | None:
        return PLANNED

    @_objection("登记书面撤回异议", "record that an objection was withdrawn on paper", "record_withdrawal")
    def record_objection_withdrawal(self, number: CaseNumber, reason: Reason) -> ObjectionCase | None:
        return PLANNED

    @_correction("签收更正通知", "acknowledge a notice of correction", "acknowledge")
    def acknowledge_correction(self, number: CaseNumber) -> CorrectionNotice | None:
        return PLANNED
