"""Objections (异议处理, 5.10): the file of one, and the notices to those who had been told of a record that was wrong."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.casework import Case
from schema.enums import Seriousness, SourceSystem, term
from schema.governance import (
    HOLDER,
    OPEN,
    PLANNED,
    ROW,
    Capability,
    Mask,
    Shape,
    entity,
    governed,
    parameter,
    supplied,
)
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


def _member(zh: str, en: str, target: str) -> Any:
    return governed(zh, en, HOLDER, target=target, mask=Mask.KEEP)


def _detail(zh: str, en: str, target: str, shape: Shape = Shape.DETAIL) -> Any:
    return governed(zh, en, ROW, shape=shape, target=target, mask=Mask.KEEP)


@strawberry.type(description="佐证材料 · A paper that was handed in")
class ObjectionEvidence:
    name: str = _member("名称", "name", "name")
    digest: SM3Digest = _member("摘要", "SM3 digest of the file", "digest")


@strawberry.type(description="提供单位答复 · What the provider of the record found")
class ObjectionAnswer:
    provider: str = _member("提供单位", "provider", "provider")
    outcome: EnquiryOutcome = _member("意见", "what it found", "outcome")
    text: str = _member("说明", "in words", "text")
    document_number: str | None = _member("文号", "number of the document", "document_number")
    answered_on: Date = _member("答复日期", "day of the answer", "answered_on")


@strawberry.type(description="处理决定 · What the subject was told")
class ObjectionDecision:
    outcome: EnquiryOutcome = _member("结论", "upheld or rejected", "outcome")
    remedy: ObjectionRemedy | None = _member("更正方式", "what became of the record", "remedy")
    reason: str = _member("理由", "reason", "reason")
    document_number: str = _member("文号", "number of the document", "document_number")
    decided_at: Moment = _member("时间", "when", "decided_at")
    late: int = _member("逾期工作日数", "working days after the limit", "late")
    corrected: strawberry.ID | None = _member(
        "更正后的记录", "the record in its place; null: none, or it comes from its source", "corrected"
    )


@strawberry.type(
    description="异议案件 · An objection: the record is marked while it runs, and ends everywhere when it is upheld"
)
@entity("case_file", "D36", only=("mechanism", ("OBJECTION",)))
class ObjectionCase(Case):
    target: strawberry.ID = _detail("异议对象标识", "opaque id of the record or entry", "target")
    target_kind: ObjectionTarget = _detail("异议对象", "what is objected to", "target_kind")
    source: SourceSystem = _detail("来源", "source of the record", "source")
    provider: str | None = _detail(
        "提供单位", "partner that answers for it; null: its agency is asked by letter", "provider"
    )
    subject_code: USCC | None = _detail("统一社会信用代码", "code of the subject", "subject_code")
    ground: ObjectionGround = _detail("理由", "ground", "ground")
    statement: str = _detail("陈述", "statement", "statement")
    evidence: list[ObjectionEvidence] = _detail("佐证材料", "evidence", "evidence", Shape.ROWS)
    entered_by: ObjectionEntry = _detail("录入方", "who entered it", "entered_by")
    agent: USCC | None = _detail("代理机构", "code of the agent", "agent")
    forward_by: Date | None = _detail(
        "转办期限", "day by which it is forwarded; null: own record", "forward_by"
    )
    answer_by: Date = _detail("答复期限", "day by which it is answered", "answer_by")
    marked_at: Moment | None = _detail("标注时间", "when the record was marked", "marked_at")
    forwarded_on: Date | None = _detail("转办日期", "forwarded on", "forwarded_on")
    forwarded_late: int = _detail(
        "转办逾期工作日数", "working days that forwarding was late", "forwarded_late"
    )
    enquiry: str | None = _detail("核查函编号", "number of the enquiry to the provider", "enquiry")
    provider_answer: ObjectionAnswer | None = _detail(
        "提供单位答复", "its answer", "provider_answer", Shape.ROWS
    )
    decision: ObjectionDecision | None = _detail("处理决定", "decision", "decision", Shape.ROWS)
    notified: list[str] = _detail(
        "已通知单位", "partners that had been told of the record and got a notice", "notified"
    )


@strawberry.type(
    description="更正通知:发给此前获知该记录的单位 · A notice that a record ended, to one partner that had been told of it"
)
@entity("case_file", "D37", only=("mechanism", ("CORRECTION",)))
class CorrectionNotice(Case):
    target: strawberry.ID = _detail("记录标识", "opaque id of the record or entry that ended", "target")
    target_kind: ObjectionTarget = _detail("对象", "record or list entry", "target_kind")
    remedy: ObjectionRemedy = _detail("更正方式", "what became of it", "remedy")
    ended_at: Moment = _detail("终止时间", "when it ended", "ended_at")
    last_told_at: Moment = _detail(
        "最近获知时间",
        "when the recipient was told of the subject's records of this class last",
        "last_told_at",
    )
    corrected: strawberry.ID | None = _detail("更正后的记录", "the record in its place", "corrected")


@strawberry.input(description="佐证材料 · A paper that was handed in")
class ObjectionEvidenceInput:
    name: str = supplied("名称", "name of the file")
    digest: SM3Digest = supplied("摘要", "SM3 digest of the file")


@strawberry.input(description="更正内容:只填需更正的项 · What the record should say; only what differs")
class RecordCorrectionInput:
    title: str | None = supplied("标题", "title", optional=True)
    document_number: str | None = supplied("文书号", "document number", optional=True)
    decided_on: Date | None = supplied("决定日期", "day of the decision", optional=True)
    seriousness: Seriousness | None = supplied("严重程度", "class", optional=True)
    fine_amount: Yuan | None = supplied("罚款金额(元)", "fine in yuan", optional=True)


_Number = Annotated[str, parameter("编号", "number of the case")]
_Document = Annotated[str, parameter("文号", "number of the document")]
_Reason = Annotated[str, parameter("理由", "reason")]
_Target = Annotated[strawberry.ID, parameter("异议对象标识", "opaque id of the record or list entry")]
_Ground = Annotated[ObjectionGround, parameter("理由", "what is wrong")]
_Statement = Annotated[str, parameter("陈述", "statement")]
_Evidence = Annotated[list[ObjectionEvidenceInput] | None, parameter("佐证材料", "papers")]
_Agent = Annotated[USCC | None, parameter("代理机构", "code of the agent, where one acts")]
_Authorization = Annotated[
    SM3Digest | None, parameter("授权书摘要", "SM3 digest of the agent's authorization")
]


def _command(zh: str, en: str, name: str, capability: Capability = Capability.CASEWORK) -> Any:
    return governed(zh, en, OPEN, shape=Shape.COMMAND, target=name, capability=capability)


@strawberry.type(description="异议操作 · Commands of objections")
class ObjectionCommands:
    @_command(
        "提出异议",
        "object to a record of one's own; it is marked at once",
        "objection.submit",
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

    @_command(
        "代录异议", "enter an objection that came on paper; the record is marked at once", "objection.record"
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

    @_command("转办异议", "forward to the provider of the record, as an enquiry", "objection.forward")
    def forward_objection(self, number: _Number) -> ObjectionCase | None:
        return PLANNED

    @_command("记录书面答复", "record what an agency answered that is no partner", "objection.record_answer")
    def record_objection_answer(
        self,
        number: _Number,
        provider: Annotated[str, parameter("答复单位", "name of the agency")],
        outcome: Annotated[EnquiryOutcome, parameter("意见", "what it found")],
        text: Annotated[str, parameter("说明", "in words")],
        document_number: _Document,
    ) -> ObjectionCase | None:
        return PLANNED

    @_command(
        "异议成立",
        "uphold: the record ends everywhere, recipients are told",
        "objection.uphold",
        Capability.REVIEW,
    )
    def uphold_objection(
        self,
        number: _Number,
        remedy: Annotated[ObjectionRemedy, parameter("更正方式", "what becomes of the record")],
        reason: _Reason,
        document_number: _Document,
        correction: Annotated[
            RecordCorrectionInput | None, parameter("更正内容", "of an own record: what it should say")
        ] = None,
    ) -> ObjectionCase | None:
        return PLANNED

    @_command("异议不成立", "reject: the mark is taken away", "objection.reject", Capability.REVIEW)
    def reject_objection(
        self, number: _Number, reason: _Reason, document_number: _Document
    ) -> ObjectionCase | None:
        return PLANNED

    @_command("撤回异议", "withdraw one's objection", "objection.withdraw", Capability.APPLY)
    def withdraw_objection(self, number: _Number) -> ObjectionCase | None:
        return PLANNED

    @_command("记录撤回异议", "record that it was withdrawn on paper", "objection.record_withdrawal")
    def record_objection_withdrawal(self, number: _Number, reason: _Reason) -> ObjectionCase | None:
        return PLANNED

    @_command(
        "签收更正通知", "acknowledge a notice of correction", "correction.acknowledge", Capability.RECEIVE
    )
    def acknowledge_correction(self, number: _Number) -> CorrectionNotice | None:
        return PLANNED
