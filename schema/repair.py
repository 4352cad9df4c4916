"""Credit repair (信用修复, R9.2, R9.3): what one may apply for and from when, the application, its decision and its effect."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import (
    CaseNumber,
    DocumentNumber,
    Opinion,
    Reason,
    commands_of,
    copied,
    detail,
    many,
    member,
    one,
    open_to_all,
    rows,
    withheld,
)
from schema.enums import ListColor, Seriousness, term
from schema.fields import PLANNED, governed, parameter, supplied
from schema.governance import OPEN, Capability, Mask, Shape, entity
from schema.lists import ListEntry
from schema.publicity import PublicityDelivery
from schema.records import CreditRecord
from schema.scalars import USCC, Date, Moment, SM3Digest


@strawberry.enum(description="修复对象 · What is repaired")
class RepairTarget(Enum):
    RECORD = term("RECORD", "失信记录")
    LIST_ENTRY = term("LIST_ENTRY", "名单条目")


@strawberry.enum(description="修复材料种类（R9.2、R9.3） · Kinds of evidence (R9.2, R9.3)")
class RepairEvidenceKind(Enum):
    PERFORMANCE = term("PERFORMANCE", "履行义务、纠正失信行为的证明")
    COMMITMENT = term("COMMITMENT", "信用承诺书")
    TRAINING = term("TRAINING", "信用修复培训记录")
    PUBLIC_SERVICE = term("PUBLIC_SERVICE", "社会公益服务证明（仅个人，仅作补充）")
    OTHER = term("OTHER", "其他材料")


@strawberry.type(description="修复障碍 · What stands in the way of a repair")
class RepairBlocker:
    code: str = member("代码", "code", "code")
    text: str | None = member("说明", "in words", "text")
    until: Date | None = member("自何日起消除", "day from which it ends by itself", "until")


@strawberry.type(description="修复材料（R9.2、R9.3） · A paper handed in (R9.2, R9.3)")
class RepairEvidence:
    kind: RepairEvidenceKind = member("种类", "kind", "kind")
    title: str = member("名称", "title", "title")
    handed_in_on: Date = member("提交日期", "handed in on", "handed_in_on")
    file_digest: SM3Digest | None = member("文件的 SM3 摘要", "SM3 digest of the file", "file_digest")
    organizer: str | None = member(
        "公益服务或培训的组织单位", "organizer of a service or training", "organizer"
    )
    hours: int | None = member("服务时长（小时）", "hours of service", "hours")
    certificate: str | None = member("证书编号", "number of the certificate", "certificate")
    held_on: Date | None = member("培训举办日期", "day of the training", "held_on")


@strawberry.input(description="修复材料 · A paper to hand in")
class RepairEvidenceInput:
    kind: RepairEvidenceKind = supplied("种类", "kind")
    title: str = supplied("名称", "title")
    file_digest: SM3Digest | None = supplied("文件的 SM3 摘要", "SM3 digest of the file", optional=True)
    organizer: str | None = supplied(
        "公益服务或培训的组织单位", "organizer of a service or training", optional=True
    )
    hours: int | None = supplied("服务时长（小时）", "hours of service", optional=True)
    certificate: str | None = supplied("证书编号", "number of the certificate", optional=True)
    held_on: Date | None = supplied("培训举办日期", "day of the training", optional=True)


@strawberry.type(description="审核认定 · What the officer found")
class RepairFindings:
    corrected: bool = member("已纠正", "the conduct is corrected", "corrected")
    performed: bool = member("已履行", "the obligations are performed", "performed")
    unmet: list[str] = member("未满足的其他条件", "conditions of other laws not met", "unmet")
    opinion: str = member("意见", "opinion", "opinion")
    officer: str = member(
        "审核人，限办理单位和审计",
        "officer; for handling units and auditors",
        "officer",
        capability=Capability.LINEAGE,
    )
    at: Moment = member("时间", "when", "at")


@strawberry.type(description="第二人作出的修复决定 · The decision, by a second person")
class RepairDecision:
    approved: bool = member("准予", "approved", "approved")
    document_number: str = member("文号", "number of the document", "document_number")
    reason: str | None = member("理由", "reason", "reason")
    officer: str = member(
        "决定人，限办理单位和审计",
        "officer; for handling units and auditors",
        "officer",
        capability=Capability.LINEAGE,
    )
    decided_on: Date = member("决定日期", "decided on", "decided_on")


@strawberry.type(
    description="信用修复案件（R9.2、R9.3） · An application to repair a record or a place on a list (R9.2, R9.3)"
)
@entity("case_file", "D36", only=("mechanism", ("REPAIR",)))
class RepairCase(Case):
    target_kind: RepairTarget = detail("修复对象", "what is repaired", "target_kind")
    target: strawberry.ID = detail("对象标识", "opaque id of the record or entry", "target")
    target_title: str | None = copied(
        "记录标题或名单名称，以可见者为限",
        "title of the record, or the list, as far as that is shown",
        "target_title",
        Mask.WITHHELD,
    )
    document_number: str | None = copied(
        "决定文号，以可见者为限", "number of the decision, as far as that is shown", "document_number"
    )
    authority: str = detail(
        "认定单位，修复亦由其办理", "authority that recognized it, and repairs it", "authority"
    )
    decided_on: Date | None = copied(
        "认定日期，以可见者为限", "day of the decision, as far as that is shown", "decided_on"
    )
    seriousness: Seriousness | None = copied(
        "严重程度，以可见者为限", "class, as far as that is shown", "seriousness"
    )
    color: ListColor | None = copied(
        "名单类别，以可见者为限", "colour of the list, as far as that is shown", "color"
    )
    subject_code: USCC | None = detail(
        "统一社会信用代码；自然人为空", "code; null for persons", "subject_code"
    )
    applied_on: Date = detail(
        "申请日期，据以确定适用规则（5.5）", "day of application: decides the rules (5.5)", "applied_on"
    )
    pushed_on: Date = detail("认定部门收到的日期", "day on which it reached the department", "pushed_on")
    applied_by: str = detail(
        "申请途径：SUBJECT（主体本人）或登记单位", "SUBJECT, or the partner that recorded it", "applied_by"
    )
    agent: USCC | None = detail("代理提交机构的代码", "code of the agent that handed it in", "agent")
    statement: str | None = withheld("申请理由", "why", "statement")
    evidence: list[RepairEvidence] | None = withheld("材料", "evidence", "evidence", Shape.ROWS)
    eligible_from: Date | None = detail(
        "最早可申请日；不可修复的为空", "first day on which one may apply; null: never", "eligible_from"
    )
    blockers: list[RepairBlocker] = rows("障碍", "what stands in the way", "blockers")
    notes: list[str] | None = withheld("需人工核查的提示", "what a person should look at", "notes")
    assessed_on: Date = detail("上述评估的基准日", "day as of which that holds", "assessed_on")
    answer_by: Date = detail(
        "答复期限（10个工作日）", "last day for the answer (10 working days)", "answer_by"
    )
    findings: RepairFindings | None = withheld("审核认定", "findings", "findings", Shape.ROWS)
    extension_reason: str | None = withheld("延期理由", "why it was extended", "extension_reason")
    rejection_reason: str | None = withheld("不予受理理由", "why it was not accepted", "rejection_reason")
    decision: RepairDecision | None = withheld("决定", "decision", "decision", Shape.ROWS)
    effectuated_on: Date | None = detail(
        "全部渠道同步完成的日期", "day on which the last channel had followed", "effectuated_on"
    )
    propagated_late: int = detail(
        "同步逾期工作日数", "working days the channels were late", "propagated_late"
    )
    answered_on: Date | None = detail("反馈日期", "answered on", "answered_on")
    answer: str | None = withheld("向申请人反馈的内容", "answer to the applicant", "answer")
    answered_late: int = detail("反馈逾期工作日数", "working days the answer was late", "answered_late")
    revoked_on: Date | None = detail("撤销修复日期", "repair revoked on", "revoked_on")
    revocation_reason: str | None = withheld("撤销修复理由", "why it was revoked", "revocation_reason")
    record: CreditRecord | None = one(
        "失信记录，以可见者为限", "the record, as far as it is shown", "case.record"
    )
    entry: ListEntry | None = one(
        "名单条目，以可见者为限", "the entry, as far as it is shown", "case.list_entry"
    )
    deliveries: list[PublicityDelivery] | None = many(
        "本案向各渠道的推送，限办理单位和审计",
        "pushes of this case to the channels; for handling units and auditors",
        "case.deliveries",
        capability=Capability.LINEAGE,
    )


@strawberry.type(
    description=(
        "修复前景：记录或名单条目何时可修复、有何障碍（R9.2） · From when a record or entry may "
        "be repaired, and what stands in the way (R9.2)"
    )
)
@entity("rows:repair_outlook", OPEN)
class RepairOutlook:
    ruleset: str | None = open_to_all("今日申请所适用的规则", "rules for an application of today", "ruleset")
    eligible_from: Date | None = open_to_all(
        "最早可申请日；不可修复或不由本部门修复的为空",
        "first day on which one may apply; null: never, or not here",
        "eligible_from",
    )
    eligible_today: bool = open_to_all("今日可申请", "one may apply today", "eligible_today")
    conditions: list[str] = open_to_all("须证明的修复条件", "what must be shown", "conditions")
    blockers: list[RepairBlocker] = open_to_all("障碍", "what stands in the way", "blockers", Shape.ROWS)
    notes: list[str] = open_to_all("需人工核查的提示", "what a person should look at", "notes")


@strawberry.type(description="信用修复查询 · Queries of repair")
class RepairQueries:
    @governed(
        "记录或名单条目的最早可修复日和障碍；不明或不可见时为 null（R9.2）",
        "from when a record or list entry may be repaired, and what blocks it; null when unknown or not visible (R9.2)",
        OPEN,
        shape=Shape.ROWS,
        target="repair_outlook",
    )
    def repair_outlook(
        self,
        target: Annotated[
            strawberry.ID, parameter("记录或名单条目的标识", "opaque id of the record or entry")
        ],
    ) -> RepairOutlook | None:
        return PLANNED


_Target = Annotated[strawberry.ID, parameter("记录或名单条目的标识", "opaque id of the record or entry")]
_Statement = Annotated[str, parameter("申请理由", "why")]
_Papers = Annotated[list[RepairEvidenceInput], parameter("材料", "evidence")]
_Agent = Annotated[USCC | None, parameter("代理提交机构的代码", "code of the agent that hands it in")]
_command = commands_of("repair")


@strawberry.type(description="信用修复操作 · Commands of repair")
class RepairCommands:
    @_command(
        "申请修复本人的记录或名单条目（R9.2）",
        "apply for the repair of one's own record or entry (R9.2)",
        "apply",
        Capability.APPLY,
    )
    def apply_for_repair(
        self, target: _Target, statement: _Statement, evidence: _Papers, agent: _Agent = None
    ) -> RepairCase | None:
        return PLANNED

    @_command(
        "登记送达认定部门的信用修复申请（R9.2）",
        "record an application that reached the department that recognized it (R9.2)",
        "record",
    )
    def record_repair_application(
        self,
        target: _Target,
        statement: _Statement,
        evidence: _Papers,
        agent: _Agent = None,
        applied_on: Annotated[
            Date | None, parameter("申请日期，缺省为今日", "day of application, by default today")
        ] = None,
        pushed_on: Annotated[
            Date | None, parameter("收到日期，缺省为今日", "day it came in, by default today")
        ] = None,
    ) -> RepairCase | None:
        return PLANNED

    @_command("提交信用修复的补充材料", "hand in further papers for a repair", "supplement", Capability.APPLY)
    def supplement_repair(self, number: CaseNumber, evidence: _Papers) -> RepairCase | None:
        return PLANNED

    @_command("登记信用修复的补充材料", "record further papers of a repair", "record_supplement")
    def record_repair_supplement(self, number: CaseNumber, evidence: _Papers) -> RepairCase | None:
        return PLANNED

    @_command(
        "三个工作日内受理信用修复申请",
        "accept an application for repair, within three working days",
        "accept",
    )
    def accept_repair(self, number: CaseNumber) -> RepairCase | None:
        return PLANNED

    @_command(
        "不予受理信用修复申请并说明理由",
        "do not accept an application for repair, and say why",
        "reject_intake",
    )
    def reject_repair(self, number: CaseNumber, reason: Reason) -> RepairCase | None:
        return PLANNED

    @_command("开始审核信用修复申请", "begin the review of an application for repair", "begin_review")
    def begin_repair_review(self, number: CaseNumber) -> RepairCase | None:
        return PLANNED

    @_command("延长复杂信用修复案件的期限并说明理由", "extend a complex repair, and say why", "extend")
    def extend_repair(self, number: CaseNumber, reason: Reason) -> RepairCase | None:
        return PLANNED

    @_command(
        "记录信用修复的审核情况（R9.2、R9.3）",
        "say what the review of a repair found (R9.2, R9.3)",
        "examine",
    )
    def examine_repair(
        self,
        number: CaseNumber,
        corrected: Annotated[bool, parameter("已纠正", "the conduct is corrected")],
        performed: Annotated[bool, parameter("已履行", "the obligations are performed")],
        opinion: Opinion,
        unmet: Annotated[
            list[str] | None, parameter("未满足的其他条件", "conditions of other laws not met")
        ] = None,
    ) -> RepairCase | None:
        return PLANNED

    @_command(
        "准予信用修复，公示、共享、使用和措施即时终止（R9.1、R9.2）",
        "approve a repair: publicity, sharing, use and measures end at once (R9.1, R9.2)",
        "approve",
        Capability.REVIEW,
    )
    def approve_repair(
        self,
        number: CaseNumber,
        document_number: DocumentNumber,
        reason: Annotated[str | None, parameter("理由", "reason")] = None,
    ) -> RepairCase | None:
        return PLANNED

    @_command("不予信用修复并说明理由", "refuse a repair, and say why", "refuse", Capability.REVIEW)
    def refuse_repair(
        self, number: CaseNumber, document_number: DocumentNumber, reason: Reason
    ) -> RepairCase | None:
        return PLANNED

    @_command(
        "十个工作日内答复信用修复申请人", "answer the applicant for repair, within ten working days", "answer"
    )
    def answer_repair(
        self, number: CaseNumber, answer: Annotated[str, parameter("反馈内容", "answer")]
    ) -> RepairCase | None:
        return PLANNED

    @_command(
        "撤销以虚假材料取得的信用修复，恢复原状（R9.2）",
        "revoke a repair by false materials: it is as it was (R9.2)",
        "revoke",
        Capability.REVIEW,
    )
    def revoke_repair(
        self, number: CaseNumber, document_number: DocumentNumber, reason: Reason
    ) -> RepairCase | None:
        return PLANNED
