"""Notifications between agencies (信用通报, article 十三, R13.1-R13.3): facts for sender, addressees and auditors only."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case, Paper, PaperInput
from schema.declaring import (
    CaseNumber,
    DocumentNumber,
    Reason,
    SubjectCode,
    commands_of,
    detail,
    member,
    rows,
    withheld,
)
from schema.enums import term
from schema.fields import PLANNED, parameter
from schema.governance import Capability, Shape, entity
from schema.scalars import USCC, Date, Moment


@strawberry.enum(description="通报种类 · Kind of notification")
class NotificationKind(Enum):
    CREDIT = term("CREDIT", "信用通报")
    OBJECTION_ENQUIRY = term("OBJECTION_ENQUIRY", "异议核查函")


@strawberry.enum(description="核查意见 · What the provider of a record found about an objection to it")
class EnquiryOutcome(Enum):
    UPHELD = term("UPHELD", "异议成立")
    REJECTED = term("REJECTED", "异议不成立")


@strawberry.type(
    description="佐证材料；文件留存于发送单位 · A file behind the facts; it stays with the sender"
)
class NotificationEvidence(Paper):
    """Named in the notification."""


@strawberry.type(description="签收回执（R13.1） · An addressee's receipt (R13.1)")
class NotificationReceipt:
    partner: str = member("单位", "addressee", "partner")
    officer: str = member("经办人", "officer", "officer")
    at: Moment = member("时间", "when", "at")


@strawberry.type(description="反馈 · What an addressee fed back")
class NotificationAnswer:
    partner: str = member("单位", "addressee", "partner")
    officer: str = member("经办人", "officer", "officer")
    at: Moment = member("时间", "when", "at")
    text: str = member("内容", "text", "text")
    document_number: str | None = member("文号", "number of the document", "document_number")
    outcome: EnquiryOutcome | None = member(
        "核查意见，限核查函；其他为空", "on an enquiry: what it found; null else", "outcome"
    )


@strawberry.type(
    description="依认定纳入信用记录的记录（R13.3） · A finding that was filed as a record (R13.3)"
)
class NotificationFinding:
    authority: str = member("认定机关", "party that decided", "authority")
    document_number: str = member("文号", "number of the decision", "document_number")
    decided_on: Date = member("决定日期", "day of the decision", "decided_on")
    record: strawberry.ID = member("记录标识", "opaque id of the record", "record")


@strawberry.type(
    description=(
        "信用通报：仅收发单位和审计可见，不是信用记录（R13.2、R13.3） · A notification: seen by "
        "its parties and auditors, and no record (R13.2, R13.3)"
    )
)
@entity("case_file", "D35", only=("mechanism", ("NOTIFICATION",)))
class CreditNotification(Case):
    kind: NotificationKind = detail("种类", "kind", "kind")
    sender: str = detail("发送单位", "from", "sender")
    addressees: list[str] = detail("收件单位", "to", "addressees")
    subject_code: USCC | None = detail("统一社会信用代码", "code of the subject", "subject_code")
    topic: str | None = withheld("主题", "topic", "topic")
    facts: str | None = withheld("事实", "facts", "facts")
    evidence: list[NotificationEvidence] | None = withheld("佐证材料", "evidence", "evidence", Shape.ROWS)
    feedback_by: Date = detail("收件单位的反馈期限", "day by which addressees feed back", "feedback_by")
    issued_on: Date | None = detail("发出日期；草稿为空", "issued on; null: draft", "issued_on")
    receipts: list[NotificationReceipt] = rows("签收回执", "receipts", "receipts")
    answers: list[NotificationAnswer] | None = withheld("反馈", "what came back", "answers", Shape.ROWS)
    findings: list[NotificationFinding] = rows(
        "依认定纳入信用记录的记录", "records filed on a finding", "findings"
    )


@strawberry.input(description="佐证材料 · A file behind the facts")
class NotificationEvidenceInput(PaperInput):
    """Named in a draft."""


_command = commands_of("notification")


@strawberry.type(description="信用通报操作 · Commands of notifications")
class NotificationCommands:
    @_command(
        "起草信用通报，收件单位尚不可见（R13.2）",
        "draft a notification; its addressees do not see it yet (R13.2)",
        "draft",
        Capability.NOTIFY,
    )
    def draft_notification(
        self,
        subject: SubjectCode,
        to: Annotated[list[str], parameter("收件单位", "addressees")],
        topic: Annotated[str, parameter("主题", "topic")],
        facts: Annotated[str, parameter("事实", "facts")],
        evidence: Annotated[
            list[NotificationEvidenceInput] | None, parameter("佐证材料", "files behind the facts")
        ] = None,
        feedback_by: Annotated[
            Date | None,
            parameter("反馈期限，缺省按规则确定", "day by which to feed back; by default as the rules say"),
        ] = None,
    ) -> CreditNotification | None:
        return PLANNED

    @_command(
        "向全部收件单位发出信用通报（R13.1）",
        "issue a notification to all addressees (R13.1)",
        "issue",
        Capability.NOTIFY,
    )
    def issue_notification(self, number: CaseNumber) -> CreditNotification | None:
        return PLANNED

    @_command(
        "收件单位签收信用通报（R13.1）",
        "acknowledge a notification as an addressee (R13.1)",
        "receive",
        Capability.NOTIFY,
    )
    def acknowledge_notification(self, number: CaseNumber) -> CreditNotification | None:
        return PLANNED

    @_command(
        "收件单位反馈信用通报", "feed back on a notification as an addressee", "answer", Capability.NOTIFY
    )
    def answer_notification(
        self,
        number: CaseNumber,
        text: Annotated[str, parameter("内容", "text")],
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
        outcome: Annotated[
            EnquiryOutcome | None,
            parameter("核查意见，核查函必填，其他不填", "what was found; on an enquiry, and only there"),
        ] = None,
    ) -> CreditNotification | None:
        return PLANNED

    @_command(
        "办结全部收件单位已反馈的信用通报",
        "close a notification that all have answered",
        "close",
        Capability.NOTIFY,
    )
    def close_notification(self, number: CaseNumber) -> CreditNotification | None:
        return PLANNED

    @_command("发出单位撤回信用通报", "withdraw a notification, as its sender", "withdraw", Capability.NOTIFY)
    def withdraw_notification(self, number: CaseNumber, reason: Reason) -> CreditNotification | None:
        return PLANNED

    @_command(
        "将当事单位的处罚决定纳入信用记录，为通报成为记录的唯一途径（R13.3）",
        "file a penalty that a party decided as a record: the only way from a notification to a record (R13.3)",
        "file_finding",
    )
    def file_notified_finding(
        self,
        number: CaseNumber,
        authority: Annotated[str, parameter("认定机关", "party that decided")],
        document_number: DocumentNumber,
        decided_on: Annotated[Date, parameter("决定日期", "day of the decision")],
        title: Annotated[str, parameter("标题", "title of the record")],
        facts: Annotated[str, parameter("违法事实", "facts, as decided")],
        basis: Annotated[str, parameter("处罚依据", "legal basis")],
        penalty_kinds: Annotated[list[str], parameter("处罚类别", "kinds of penalty")],
        conduct_ended_on: Annotated[
            Date | None, parameter("行为终止日期，已知的填写", "end of the conduct, where it is known")
        ] = None,
    ) -> CreditNotification | None:
        return PLANNED
