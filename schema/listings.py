"""Proceedings of lists (红黑名单, R8.1-R8.5): proposal, notice, defence, recognition, publication, exit; conflicts."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import (
    CaseNumber,
    DocumentNumber,
    Reason,
    SubjectCode,
    commands_of,
    detail,
    member,
    one,
    open_to_all,
    rows,
    withheld,
)
from schema.enums import ListColor, term
from schema.fields import PLANNED, parameter
from schema.governance import OPEN, Capability, Shape, entity
from schema.lists import ListEntry
from schema.scalars import USCC, Date


@strawberry.enum(description="列入严重失信主体名单的法定情形 · Grounds of a black list (国办发〔2020〕49号)")
class BlackListGround(Enum):
    PUBLIC_HEALTH_AND_SAFETY = term("PUBLIC_HEALTH_AND_SAFETY", "严重危害人民群众身体健康和生命安全")
    MARKET_ORDER = term("MARKET_ORDER", "严重破坏市场公平竞争秩序和社会正常秩序")
    REFUSAL_OF_DUTIES = term("REFUSAL_OF_DUTIES", "拒不履行法定义务严重影响司法机关、行政机关公信力")
    NATIONAL_DEFENCE = term("NATIONAL_DEFENCE", "拒不履行国防义务")


@strawberry.enum(description="复核结果 · What a look at the lists did")
class RecheckOutcome(Enum):
    SUSPENDED = term("SUSPENDED", "已中止红名单")
    CONFLICT = term("CONFLICT", "已列入冲突处理")


@strawberry.type(
    description="立项时的名单定义（R8.1） · The list as it was defined when the place was proposed (R8.1)"
)
class ListingDefinition:
    code: str = member("名单代码", "code", "code")
    name: str = member("名单名称", "name", "name")
    color: ListColor = member("类别", "colour", "color")
    recognizer: str = member("认定单位", "recognizing authority", "recognizer")
    legal_basis: str = member("依据", "legal basis", "legal_basis")
    basis_level: str = member("依据层级", "level of the basis", "basis_level")
    criteria: str | None = member("列入标准", "what puts a subject on it", "criteria")
    measures: str | None = member("列入后的措施", "what follows from it", "measures")


@strawberry.type(description="认定前的告知书 · What the subject was told before the decision")
class ListingNotice:
    document_number: str = member("文号", "number of the document", "document_number")
    facts: str = member("事实", "facts", "facts")
    reasons: str = member("理由", "reasons", "reasons")
    basis: str = member("依据", "legal basis", "basis")
    measures: str = member("拟采取措施", "measures that may follow", "measures")
    served_on: Date | None = member("送达日期", "served on", "served_on")


@strawberry.type(description="陈述申辩或异议 · A defence or an objection")
class ListingDefence:
    at: Date = member("日期", "day", "at")
    by: str = member(
        "陈述人：SUBJECT（主体本人）或登记单位", "SUBJECT, or the partner that recorded it", "by"
    )
    statement: str = member("内容", "what was said", "statement")


@strawberry.type(
    description="认定决定与信用修复告知书（两书同达） · The decision and the notice on repair, together"
)
class ListingRecognition:
    document_number: str = member("决定文号", "number of the decision", "document_number")
    recognized_on: Date = member("认定日期", "day of recognition", "recognized_on")
    repair_notice_number: str | None = member(
        "修复告知书文号", "number of the notice on repair", "repair_notice_number"
    )
    defence_answer: str | None = member("申辩答复", "answer to the defence", "defence_answer")


@strawberry.type(
    description="名单认定案件：列入名单的全过程（R8.1至R8.5） · The proceedings of a place on a list (R8.1-R8.5)"
)
@entity("case_file", "D38", only=("mechanism", ("LIST_ENTRY",)))
class ListingCase(Case):
    subject_code: USCC = detail("统一社会信用代码", "code", "subject_code")
    definition: ListingDefinition = rows("名单定义", "the list", "definition")
    cause: str | None = withheld("列入事由", "cause", "cause")
    ground: BlackListGround | None = detail("法定情形", "ground of a black list", "ground")
    notice: ListingNotice | None = withheld("事先告知", "notice before the decision", "notice", Shape.ROWS)
    defences: list[ListingDefence] | None = withheld("陈述申辩", "defences", "defences", Shape.ROWS)
    recognition: ListingRecognition | None = withheld("认定", "recognition", "recognition", Shape.ROWS)
    earliest_repair_on: Date | None = detail(
        "最早可申请修复日", "earliest day to apply for repair", "earliest_repair_on"
    )
    publicity_ends_on: Date | None = detail("公示至", "last day of publicity", "publicity_ends_on")
    published_on: Date | None = detail("公布日期", "published on", "published_on")
    published_late: int = detail(
        "公布逾期工作日数，第七个工作日之后起算（R8）",
        "working days after the seventh (R8)",
        "published_late",
    )
    exited_on: Date | None = detail("退出日期", "left on", "exited_on")
    exit_reason: str | None = withheld("退出或中止原因", "why it left or is suspended", "exit_reason")
    entry: ListEntry | None = one(
        "名单条目，以可见者为限", "the entry, as far as it is shown", "case.list_entry"
    )


@strawberry.type(
    description="同时列入红名单和严重失信主体名单的冲突，由人工决定（R8.4） · On a red and a black list at once; decided by a person (R8.4)"
)
@entity("case_file", "D38", only=("mechanism", ("LIST_CONFLICT",)))
class ListConflict(Case):
    red_entry: strawberry.ID = detail("红名单条目", "the red entry", "red_entry")
    black_entry: strawberry.ID = detail("严重失信主体名单条目", "the black entry", "black_entry")


@strawberry.type(description="名单复核的一行 · A row of a look at the lists")
@entity("rows:command", OPEN)
class ListRecheckRow:
    position: int = open_to_all("序号，自1起", "place, from 1", "position")
    outcome: RecheckOutcome = open_to_all("结果", "what was done", "outcome")
    case: Case | None = open_to_all("案件", "the case", "command.case", Shape.ONE)


_command = commands_of("list")


@strawberry.type(description="名单认定操作 · Commands of lists")
class ListCommands:
    @_command(
        "提出拟列入名单的建议，仅为建议（R8.1、R8.2）",
        "propose a place on a list; nothing but a proposal (R8.1, R8.2)",
        "propose",
    )
    def propose_listing(
        self,
        subject: SubjectCode,
        list_code: Annotated[str, parameter("名单代码", "code of the list")],
        cause: Annotated[str, parameter("列入事由", "cause")],
        ground: Annotated[BlackListGround | None, parameter("法定情形", "ground of a black list")] = None,
    ) -> ListingCase | None:
        return PLANNED

    @_command("认定前制作列入名单告知书", "make out the notice before the decision on a list", "notify")
    def notify_listing(
        self,
        number: CaseNumber,
        document_number: DocumentNumber,
        facts: Annotated[str, parameter("事实", "facts")],
        reasons: Annotated[str, parameter("理由", "reasons")],
        basis: Annotated[str, parameter("依据", "legal basis")],
        measures: Annotated[str, parameter("拟采取措施", "measures that may follow")],
        right_to_defend: Annotated[
            bool, parameter("已告知陈述申辩权利", "it tells the right to state and defend")
        ],
    ) -> ListingCase | None:
        return PLANNED

    @_command(
        "登记送达列入名单告知书，申辩期开始",
        "the notice before a place on a list was served: the period for defence begins",
        "serve",
    )
    def serve_listing_notice(
        self,
        number: CaseNumber,
        served_on: Annotated[
            Date,
            parameter("送达日期，不早于告知书制作之日", "served on; not before the notice was made out"),
        ],
    ) -> ListingCase | None:
        return PLANNED

    @_command(
        "对列入名单陈述申辩",
        "state one's defence against a place on a list",
        "state_defence",
        Capability.APPLY,
    )
    def state_listing_defence(
        self, number: CaseNumber, statement: Annotated[str, parameter("内容", "statement")]
    ) -> ListingCase | None:
        return PLANNED

    @_command(
        "登记列入名单的申辩或异议",
        "record a defence or an objection against a place on a list",
        "record_defence",
    )
    def record_listing_defence(
        self, number: CaseNumber, statement: Annotated[str, parameter("内容", "statement")]
    ) -> ListingCase | None:
        return PLANNED

    @_command("不予认定列入名单", "do not recognize a place on a list", "decline")
    def decline_listing(self, number: CaseNumber, reason: Reason) -> ListingCase | None:
        return PLANNED

    @_command(
        "认定列入名单，决定与信用修复告知书一并作出",
        "recognize a place on a list, with the decision and the notice on repair together",
        "recognize",
        Capability.REVIEW,
    )
    def recognize_listing(
        self,
        number: CaseNumber,
        document_number: DocumentNumber,
        repair_notice_number: Annotated[
            str | None, parameter("信用修复告知书文号", "number of the notice on repair")
        ] = None,
        defence_answer: Annotated[str | None, parameter("申辩答复", "answer to the defence")] = None,
    ) -> ListingCase | None:
        return PLANNED

    @_command(
        "公布名单条目并推送各渠道（R8.5）",
        "publish a place on a list and push it to the channels (R8.5)",
        "publish",
    )
    def publish_listing(self, number: CaseNumber) -> ListingCase | None:
        return PLANNED

    @_command("中止红名单条目", "suspend a red entry", "suspend")
    def suspend_listing(
        self,
        number: CaseNumber,
        reason: Reason,
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
    ) -> ListingCase | None:
        return PLANNED

    @_command("恢复已中止的红名单条目", "put a suspended red entry in force again", "reinstate")
    def reinstate_listing(
        self,
        number: CaseNumber,
        reason: Reason,
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
    ) -> ListingCase | None:
        return PLANNED

    @_command(
        "撤销列入名单的认定，撤下并说明理由",
        "annul the decision on a list: withdrawn with its reason",
        "revoke",
        Capability.REVIEW,
    )
    def revoke_listing(
        self, number: CaseNumber, reason: Reason, document_number: DocumentNumber
    ) -> ListingCase | None:
        return PLANNED

    @_command("取消已中止的红名单资格（R8.3）", "disqualify a suspended red entry (R8.3)", "disqualify")
    def disqualify_listing(
        self, number: CaseNumber, reason: Reason, document_number: DocumentNumber
    ) -> ListingCase | None:
        return PLANNED

    @_command("主动退出红名单", "give up one's place on a red list", "give_up", Capability.APPLY)
    def leave_red_list(
        self,
        number: CaseNumber,
        reason: Annotated[str | None, parameter("理由", "reason")] = None,
    ) -> ListingCase | None:
        return PLANNED

    @_command(
        "复核名单：中止失信的红名单条目，列出名单冲突（R8.3、R8.4）",
        "look at the lists: suspend spoilt red entries, queue conflicts (R8.3, R8.4)",
        "recheck",
    )
    def recheck_lists(self) -> list[ListRecheckRow] | None:
        return PLANNED

    @_command(
        "处理红名单与严重失信主体名单冲突（R8.4）", "decide a conflict of lists (R8.4)", "resolve_conflict"
    )
    def resolve_list_conflict(
        self, number: CaseNumber, reason: Reason, document_number: DocumentNumber
    ) -> ListConflict | None:
        return PLANNED
