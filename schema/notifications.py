"""Notifications between agencies (信用通报, article 十三, R13.1-R13.3): facts for sender, addressees and auditors only."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.casework import Case
from schema.enums import term
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
from schema.scalars import USCC, Date, Moment, SM3Digest


@strawberry.enum(description="通报种类 · Kind of notification")
class NotificationKind(Enum):
    CREDIT = term("CREDIT", "信用通报")
    OBJECTION_ENQUIRY = term("OBJECTION_ENQUIRY", "异议核查函")


@strawberry.enum(description="核查意见 · What the provider of a record found about an objection to it")
class EnquiryOutcome(Enum):
    UPHELD = term("UPHELD", "异议成立")
    REJECTED = term("REJECTED", "异议不成立")


def _member(zh: str, en: str, target: str) -> Any:
    return governed(zh, en, HOLDER, target=target, mask=Mask.KEEP)


def _text(zh: str, en: str, target: str, shape: Shape = Shape.DETAIL) -> Any:
    """Words that may name a person: withheld from who is shown the case masked."""
    return governed(zh, en, ROW, shape=shape, target=target)


def _detail(zh: str, en: str, target: str, shape: Shape = Shape.DETAIL) -> Any:
    return governed(zh, en, ROW, shape=shape, target=target, mask=Mask.KEEP)


@strawberry.type(description="佐证材料 · A file behind the facts; it stays with the sender")
class NotificationEvidence:
    name: str = _member("名称", "name", "name")
    digest: SM3Digest = _member("摘要", "SM3 digest of the file", "digest")


@strawberry.type(description="签收回执 · An addressee's receipt (R13.1)")
class NotificationReceipt:
    partner: str = _member("单位", "addressee", "partner")
    officer: str = _member("经办人", "officer", "officer")
    at: Moment = _member("时间", "when", "at")


@strawberry.type(description="反馈 · What an addressee fed back")
class NotificationAnswer:
    partner: str = _member("单位", "addressee", "partner")
    officer: str = _member("经办人", "officer", "officer")
    at: Moment = _member("时间", "when", "at")
    text: str = _member("内容", "text", "text")
    document_number: str | None = _member("文号", "number of the document", "document_number")
    outcome: EnquiryOutcome | None = _member("核查意见", "on an enquiry: what it found; null else", "outcome")


@strawberry.type(description="依认定归集的记录 · A finding that was filed as a record (R13.3)")
class NotificationFinding:
    authority: str = _member("认定机关", "party that decided", "authority")
    document_number: str = _member("文号", "number of the decision", "document_number")
    decided_on: Date = _member("决定日期", "day of the decision", "decided_on")
    record: strawberry.ID = _member("记录标识", "opaque id of the record", "record")


@strawberry.type(
    description="信用通报;不是信用记录 · A notification: seen by its parties and auditors, and no record (R13.2, R13.3)"
)
@entity("case_file", "D35", only=("mechanism", ("NOTIFICATION",)))
class CreditNotification(Case):
    kind: NotificationKind = _detail("种类", "kind", "kind")
    sender: str = _detail("发送单位", "from", "sender")
    addressees: list[str] = _detail("收件单位", "to", "addressees")
    subject_code: USCC | None = _detail("统一社会信用代码", "code of the subject", "subject_code")
    topic: str | None = _text("主题", "topic", "topic")
    facts: str | None = _text("事实", "facts", "facts")
    evidence: list[NotificationEvidence] | None = _text("佐证材料", "evidence", "evidence", Shape.ROWS)
    feedback_by: Date = _detail("反馈期限", "day by which addressees feed back", "feedback_by")
    issued_on: Date | None = _detail("发出日期", "issued on; null: draft", "issued_on")
    receipts: list[NotificationReceipt] = _detail("签收回执", "receipts", "receipts", Shape.ROWS)
    answers: list[NotificationAnswer] | None = _text("反馈", "what came back", "answers", Shape.ROWS)
    findings: list[NotificationFinding] = _detail(
        "依认定归集的记录", "records filed on a finding", "findings", Shape.ROWS
    )


@strawberry.input(description="佐证材料 · A file behind the facts")
class NotificationEvidenceInput:
    name: str = supplied("名称", "name of the file")
    digest: SM3Digest = supplied("摘要", "SM3 digest of the file")


_Number = Annotated[str, parameter("编号", "number of the case")]
_Document = Annotated[str, parameter("文号", "number of the document")]


def _command(zh: str, en: str, name: str, capability: Capability = Capability.NOTIFY) -> Any:
    return governed(zh, en, OPEN, shape=Shape.COMMAND, target=f"notification.{name}", capability=capability)


@strawberry.type(description="信用通报操作 · Commands of notifications")
class NotificationCommands:
    @_command("起草通报", "draft a notification; its addressees do not see it yet (R13.2)", "draft")
    def draft_notification(
        self,
        subject: Annotated[USCC, parameter("统一社会信用代码", "unified social credit code")],
        to: Annotated[list[str], parameter("收件单位", "addressees")],
        topic: Annotated[str, parameter("主题", "topic")],
        facts: Annotated[str, parameter("事实", "facts")],
        evidence: Annotated[
            list[NotificationEvidenceInput] | None, parameter("佐证材料", "files behind the facts")
        ] = None,
        feedback_by: Annotated[
            Date | None, parameter("反馈期限", "day by which to feed back; by default as the rules say")
        ] = None,
    ) -> CreditNotification | None:
        return PLANNED

    @_command("发出通报", "issue to all addressees (R13.1)", "issue")
    def issue_notification(self, number: _Number) -> CreditNotification | None:
        return PLANNED

    @_command("签收通报", "acknowledge as an addressee (R13.1)", "receive")
    def acknowledge_notification(self, number: _Number) -> CreditNotification | None:
        return PLANNED

    @_command("反馈通报", "feed back as an addressee", "answer")
    def answer_notification(
        self,
        number: _Number,
        text: Annotated[str, parameter("内容", "text")],
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
        outcome: Annotated[
            EnquiryOutcome | None, parameter("核查意见", "what was found; on an enquiry, and only there")
        ] = None,
    ) -> CreditNotification | None:
        return PLANNED

    @_command("办结通报", "close what all have answered", "close")
    def close_notification(self, number: _Number) -> CreditNotification | None:
        return PLANNED

    @_command("撤回通报", "withdraw, as its sender", "withdraw")
    def withdraw_notification(
        self, number: _Number, reason: Annotated[str, parameter("理由", "reason")]
    ) -> CreditNotification | None:
        return PLANNED

    @_command(
        "依认定归集记录",
        "file a penalty that a party decided as a record: the only way from a notification to a record (R13.3)",
        "file_finding",
        Capability.CASEWORK,
    )
    def file_notified_finding(
        self,
        number: _Number,
        authority: Annotated[str, parameter("认定机关", "party that decided")],
        document_number: _Document,
        decided_on: Annotated[Date, parameter("决定日期", "day of the decision")],
        title: Annotated[str, parameter("标题", "title of the record")],
        facts: Annotated[str, parameter("违法事实", "facts, as decided")],
        basis: Annotated[str, parameter("处罚依据", "legal basis")],
        penalty_kinds: Annotated[list[str], parameter("处罚类别", "kinds of penalty")],
    ) -> CreditNotification | None:
        return PLANNED
