"""Publicity of credit information (信用公示, R7.1-R7.6): drafts, reviews, findings, channels, withdrawal, figures."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case, Review
from schema.declaring import (
    CaseNumber,
    DocumentNumber,
    Opinion,
    Reason,
    SubjectCode,
    commands_of,
    detail,
    many,
    member,
    open_to_all,
    rows,
    screened,
    withheld,
)
from schema.enums import Seriousness, term
from schema.fields import PLANNED, parameter
from schema.governance import HOLDER, OPEN, Capability, Shape, entity
from schema.scalars import USCC, Date, Moment, SM3Digest


@strawberry.enum(description="公示内容种类（实施意见第七条） · What is published (article 七)")
class PublicityKind(Enum):
    LICENSE = term("LICENSE", "行政许可")
    QUALIFICATION = term("QUALIFICATION", "资质认定")
    PENALTY = term("PENALTY", "行政处罚")
    ENFORCEMENT_INSPECTION = term("ENFORCEMENT_INSPECTION", "执法检查")
    JOINT_LIST = term("JOINT_LIST", "联合奖惩对象名单")


@strawberry.enum(description="不予公开的情形（R7.3） · Grounds on which something is not published (R7.3)")
class PublicityExceptionGround(Enum):
    STATE_SECRET = term("STATE_SECRET", "国家秘密")
    TRADE_SECRET = term("TRADE_SECRET", "商业秘密")
    SIMPLE_PROCEDURE = term("SIMPLE_PROCEDURE", "简易程序处罚")
    WARNING_ONLY = term("WARNING_ONLY", "仅警告、通报批评")
    NATURAL_PERSON = term("NATURAL_PERSON", "对自然人的处罚")
    MINOR_PERSON = term("MINOR_PERSON", "涉及未成年人")


@strawberry.enum(description="撤回原因（R7.4） · What became of the decision that was published (R7.4)")
class WithdrawalGround(Enum):
    CHANGED = term("CHANGED", "依法变更")
    REVOKED = term("REVOKED", "依法撤销")
    UNLAWFUL = term("UNLAWFUL", "确认违法")
    VOID = term("VOID", "确认无效")


@strawberry.enum(description="公示渠道 · Channel that shows what is published")
class PublicityChannel(Enum):
    OWN_SITE = term("OWN_SITE", "本单位网站")
    GOVERNMENT_PORTAL = term("GOVERNMENT_PORTAL", "政府门户网站")
    PROVINCIAL_PLATFORM = term("PROVINCIAL_PLATFORM", "省公共信用信息共享交换平台")
    CREDIT_QINGHAI = term("CREDIT_QINGHAI", "信用中国（青海）")


@strawberry.enum(description="要求渠道做什么 · What a channel is asked to do with what it shows")
class DeliveryAction(Enum):
    PUBLISH = term("PUBLISH", "公示，或以新内容替换")
    WITHDRAW = term("WITHDRAW", "撤下并公开说明理由（R7.4）")
    EXIT = term("EXIT", "撤下：退出名单、已修复、暂停公示或期满等（R8.5）")


@strawberry.enum(
    description="推送状态；签收前反复推送 · How far a delivery is; repeated until it is acknowledged"
)
class DeliveryState(Enum):
    PENDING = term("PENDING", "待送")
    SENT = term("SENT", "已送未签收")
    ACKNOWLEDGED = term("ACKNOWLEDGED", "已签收")
    FAILED = term("FAILED", "被拒或已被取代")


@strawberry.type(description="第二人的审查意见（R7.2、R7.3） · What the second person decided (R7.2, R7.3)")
class PublicityReview(Review):
    """Of secrecy, or of content."""


@strawberry.type(
    description="隐私提示：未排除前不能公示（R7.3） · What blocks publication until a person clears it (R7.3)"
)
class PublicityFinding:
    key: str = member("在文本中的标识", "its name within the text", "key")
    kind: str = member(
        "种类：居民身份证号码、电话、银行卡号、住址、未成年人",
        "resident ID, phone, bank card, home, minor",
        "kind",
    )
    sample: str = member("发现的内容，已脱敏", "what was found, masked", "sample")
    cleared_by: str | None = member(
        "排除人；为空的，阻止公示", "officer who cleared it; null: blocks", "cleared_by"
    )
    clearance: str | None = member("排除理由，即为何可以公示", "why it may be published", "clearance")


@strawberry.type(description="不予公开的决定（R7.3） · The recorded decision not to publish (R7.3)")
class PublicityException:
    ground: PublicityExceptionGround = member("情形", "ground", "ground")
    basis: str = member("依据", "legal basis", "basis")
    document_number: str = member("文号", "number of the document", "document_number")
    decided_on: Date = member("决定日期", "day of the decision", "decided_on")


@strawberry.type(
    description="公示期限，起止日均计入（R7.5） · From when to when it is shown (R7.5); all days included"
)
class PublicityPeriod:
    begins: Date = member("公示起", "first day", "begins")
    earliest_end: Date | None = member("最短公示期止", "end of the minimum period", "earliest_end")
    latest_end: Date | None = member("最长公示期止；无截止日的为空", "last day; null: no end", "latest_end")
    ruleset: str | None = member("适用规则", "rules of the periods", "ruleset")


@strawberry.type(
    description="撤回的原因和期限（R7.4） · Why it was withdrawn, and until when it had to be (R7.4)"
)
class PublicityWithdrawal:
    ground: WithdrawalGround = member("原因", "ground", "ground")
    ended_on: Date = member("原决定失效日", "day on which the decision ended", "ended_on")
    reason: str = member("公开说明的理由", "reason told to the public", "reason")
    withdraw_by: Date = member("撤回期限：其后第三个工作日", "third working day after it", "withdraw_by")
    late: int = member("逾期工作日数", "working days late", "late")


@strawberry.type(description="向渠道的推送（R7.1、R7.6） · A delivery to a channel (R7.1, R7.6)")
@entity("delivery_out", HOLDER)
class PublicityDelivery:
    channel: PublicityChannel = member("渠道", "channel", "channel")
    number: str = member(
        "推送编号，渠道据以识别重复推送", "number by which the channel tells repetitions", "idempotency_key"
    )
    action: DeliveryAction = member("要求渠道做什么", "what the channel is asked to do", "action")
    state: DeliveryState = member("状态", "state", "state")
    attempts: int = member("次数", "tries", "attempts")
    sent_at: Moment | None = member("最近送出", "sent last", "sent_at")
    acknowledged_at: Moment | None = member("签收时间", "acknowledged", "acknowledged_at")
    receipt_number: str | None = member("回执号", "receipt", "receipt_no")
    error_code: str | None = member("错误代码", "what went wrong", "error_code")


@strawberry.type(
    description="决定的信用公示案件（R7.1至R7.6） · Something decided, on its way to the public (R7.1-R7.6)"
)
@entity("case_file", "D38", only=("mechanism", ("PUBLICITY",)))
class PublicityCase(Case):
    kind: PublicityKind = detail("种类", "kind", "kind")
    title: str | None = screened(
        "标题；有未排除的隐私提示时，仅办理单位可见",
        "title; for its unit alone while findings stand",
        "title",
    )
    decision_number: str = detail("决定文号", "number of the decision", "decision_number")
    decided_on: Date = detail(
        "决定日期；七个工作日自次日起算（R7.1）",
        "day of the decision; the seven working days begin on the day after it (R7.1)",
        "decided_on",
    )
    authority: str = detail("作出机关", "deciding authority", "authority")
    text: str | None = screened(
        "公示内容；有未排除的隐私提示时，仅办理单位可见",
        "text; for its unit alone while findings stand",
        "text",
    )
    text_digest: SM3Digest = detail("所筛查文本的 SM3 摘要", "SM3 digest of what was screened", "text_digest")
    subject_code: USCC = detail("统一社会信用代码", "code", "subject_code")
    seriousness: Seriousness = detail("不良记录的严重程度", "class of an adverse record", "seriousness")
    # D38 gives a subject its result: who drafted and reviewed it, and on which doubts, is for units and auditors.
    proposed_exceptions: list[PublicityExceptionGround] = detail(
        "按规则建议不予公开的情形，由人工决定（R7.3）",
        "grounds that the rules propose; a person decides (R7.3)",
        "proposed_exceptions",
        capability=Capability.LINEAGE,
    )
    findings: list[PublicityFinding] | None = withheld(
        "隐私提示", "findings of the redactor", "findings", Shape.ROWS, capability=Capability.LINEAGE
    )
    drafted_by: str = detail("起草人", "officer who drafted it", "drafted_by", capability=Capability.LINEAGE)
    secrecy_review: PublicityReview | None = withheld(
        "保密审查", "secrecy review", "secrecy_review", Shape.ROWS, capability=Capability.LINEAGE
    )
    content_review: PublicityReview | None = withheld(
        "内容审核", "content review", "content_review", Shape.ROWS, capability=Capability.LINEAGE
    )
    exception: PublicityException | None = withheld(
        "不予公开", "decision not to publish", "exception", Shape.ROWS
    )
    period: PublicityPeriod | None = rows("公示期限（R7.5）", "period (R7.5)", "period")
    published_on: Date | None = detail("向各渠道发布的日期", "released to the channels on", "published_on")
    published_late: int = detail(
        "向各渠道发布时的逾期工作日数，第七个工作日之后起算；两网站是否按期签收见推送（R7.1）",
        "working days after the seventh, at its release to the channels; whether both sites took it in time, its deliveries"
        " tell (R7.1)",
        "published_late",
    )
    withdrawal: PublicityWithdrawal | None = withheld(
        "撤回（R7.4）", "withdrawal (R7.4)", "withdrawal", Shape.ROWS
    )
    ended_reason: str | None = withheld("终止原因", "why it ended", "ended_reason")
    deliveries: list[PublicityDelivery] | None = many(
        "向渠道的推送，由先到后", "deliveries to the channels, oldest first", "case.deliveries"
    )


@strawberry.type(
    description="公示及时率：某单位某月作出的决定，以本单位网站和政府门户网站均签收之日为公示日（R7.1、R7.6）"
    " · Timeliness of a unit's decisions of one month: shown when the own site and the government portal have both"
    " acknowledged it (R7.1, R7.6)"
)
@entity("rows:publicity_timeliness", OPEN)
class PublicityTimeliness:
    unit: str = open_to_all("单位", "partner that handles them", "unit")
    month: Date = open_to_all("决定月份的首日", "first day of the month of the decisions", "month")
    on_time: int = open_to_all("按期：第七个工作日前（含）已公示", "shown by the 7th working day", "on_time")
    late: int = open_to_all("迟报：其后才公示", "shown later", "late")
    not_published: int = open_to_all(
        "逾期未报：期限已过仍未公示", "past the day and not shown", "not_published"
    )
    pending: int = open_to_all("办理中：尚未公示，期限未过", "not shown yet, in time", "pending")
    excepted: int = open_to_all("记录在案的不予公开", "recorded exceptions", "excepted")
    per_mille_on_time: int | None = open_to_all(
        "及时率（千分比）：期限已过的决定中按期的；没有的为空",
        "on time of 1,000 whose time is over; null: there are none",
        "per_mille_on_time",
    )


_command = commands_of("publicity")


@strawberry.type(description="信用公示操作 · Commands of publicity")
class PublicityCommands:
    @_command(
        "起草决定的公示，工作日期限自作出决定的次日起算（R7.1）",
        "draft the publication of a decision; the working days begin on the day after the decision (R7.1)",
        "draft",
    )
    def draft_publicity(
        self,
        subject: SubjectCode,
        kind: Annotated[PublicityKind, parameter("种类", "kind")],
        title: Annotated[str, parameter("标题", "title", screened=True)],
        decision_number: Annotated[str, parameter("决定文号", "number of the decision")],
        decided_on: Annotated[Date, parameter("决定日期", "day of the decision")],
        authority: Annotated[str, parameter("作出机关", "deciding authority")],
        text: Annotated[str, parameter("公示内容", "text", screened=True)],
        penalty_kinds: Annotated[list[str] | None, parameter("处罚类别", "kinds of penalty")] = None,
        simple_procedure: Annotated[bool, parameter("简易程序", "simple procedure")] = False,
        valid_to: Annotated[
            Date | None, parameter("许可有效期至", "last day of a licence's validity")
        ] = None,
    ) -> PublicityCase | None:
        return PLANNED

    @_command("修改公示草稿，重新筛查", "revise the draft of a publication; it is screened anew", "revise")
    def revise_publicity(
        self,
        number: CaseNumber,
        title: Annotated[str, parameter("标题", "title", screened=True)],
        text: Annotated[str, parameter("公示内容", "text", screened=True)],
        penalty_kinds: Annotated[
            list[str] | None,
            parameter("处罚类别，原填写有误时重新填写", "kinds of penalty, where they were told wrong"),
        ] = None,
        simple_procedure: Annotated[
            bool | None,
            parameter("简易程序，与处罚类别一并重新填写", "simple procedure, told with the kinds of penalty"),
        ] = None,
        valid_to: Annotated[
            Date | None,
            parameter(
                "许可有效期至，原填写有误时重新填写",
                "last day of a licence's validity, where it was told wrong",
            ),
        ] = None,
    ) -> PublicityCase | None:
        return PLANNED

    @_command(
        "将公示草稿提交审查，期限不停（R7.2）",
        "hand a draft of a publication in for review; the clock does not stop (R7.2)",
        "submit",
    )
    def submit_publicity(self, number: CaseNumber) -> PublicityCase | None:
        return PLANNED

    @_command(
        "第二人通过公示的保密审查",
        "pass the secrecy review of a publication, by a second person",
        "pass_secrecy",
        Capability.REVIEW,
    )
    def pass_secrecy_review(self, number: CaseNumber, opinion: Opinion) -> PublicityCase | None:
        return PLANNED

    @_command(
        "逐项排除公示文本的隐私提示（R7.3）",
        "clear one finding of the redactor (R7.3)",
        "clear",
        Capability.REVIEW,
    )
    def clear_publicity_finding(
        self,
        number: CaseNumber,
        finding: Annotated[str, parameter("提示标识", "key of the finding")],
        reason: Reason,
    ) -> PublicityCase | None:
        return PLANNED

    @_command(
        "第二人通过公示内容审核",
        "pass the content review of a publication, by a second person",
        "approve",
        Capability.REVIEW,
    )
    def approve_publicity(
        self,
        number: CaseNumber,
        opinion: Opinion,
        despite: Annotated[
            str | None,
            parameter(
                "虽建议不予公开而仍予公示的理由（R7.3）",
                "why it is published despite a proposed exception (R7.3)",
            ),
        ] = None,
    ) -> PublicityCase | None:
        return PLANNED

    @_command("退回公示草稿修改", "give a publication back for revision", "return", Capability.REVIEW)
    def return_publicity(self, number: CaseNumber, reason: Reason) -> PublicityCase | None:
        return PLANNED

    @_command(
        "决定不予公开并写明依据（R7.3）",
        "decide not to publish a decision, with the basis (R7.3)",
        "except",
        Capability.REVIEW,
    )
    def except_publicity(
        self,
        number: CaseNumber,
        ground: Annotated[PublicityExceptionGround, parameter("情形", "ground")],
        basis: Annotated[str, parameter("依据", "legal basis")],
        document_number: DocumentNumber,
    ) -> PublicityCase | None:
        return PLANNED

    @_command("在各渠道公示决定（R7.1、R7.6）", "publish a decision on all channels (R7.1, R7.6)", "publish")
    def publish_decision(self, number: CaseNumber) -> PublicityCase | None:
        return PLANNED

    @_command("暂停公示", "stop showing a publication for a while", "suspend")
    def suspend_publicity(self, number: CaseNumber, reason: Reason) -> PublicityCase | None:
        return PLANNED

    @_command("恢复已暂停的公示", "show a suspended publication again", "resume")
    def resume_publicity(self, number: CaseNumber) -> PublicityCase | None:
        return PLANNED

    @_command("因信用修复终止公示", "end a publication after repair", "end_repair")
    def end_publicity_by_repair(
        self, number: CaseNumber, document_number: DocumentNumber
    ) -> PublicityCase | None:
        return PLANNED

    @_command(
        "三个工作日内撤回公示并说明理由（R7.4）",
        "withdraw a publication within three working days, and say why (R7.4)",
        "withdraw",
    )
    def withdraw_publicity(
        self,
        number: CaseNumber,
        ground: Annotated[WithdrawalGround, parameter("原因", "ground")],
        ended_on: Annotated[Date, parameter("原决定失效日", "day on which the decision ended")],
        reason: Reason,
        document_number: DocumentNumber,
    ) -> PublicityCase | None:
        return PLANNED
