"""Applications of measures (联合奖惩措施, R9.1): who initiated, who implements, from when to when, on which basis."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import CaseNumber, Reason, commands_of, detail, member, one, rows, withheld
from schema.enums import ListColor, Purpose, term
from schema.fields import PLANNED, parameter
from schema.governance import Capability, Shape, entity
from schema.lists import ListEntry
from schema.scalars import Date, Moment


@strawberry.enum(description="措施效果 · What a measure does to a handling")
class MeasureEffect(Enum):
    BLOCK = term("BLOCK", "市场禁入")
    RESTRICT = term("RESTRICT", "限制享受")
    KEY_SUPERVISION = term("KEY_SUPERVISION", "纳入重点监管")
    INCENTIVE = term("INCENTIVE", "激励")


@strawberry.enum(description="依据层级 · Level of a legal basis")
class BasisLevel(Enum):
    LAW = term("LAW", "法律")
    REGULATION = term("REGULATION", "行政法规")
    STATE_COUNCIL = term("STATE_COUNCIL", "党中央、国务院文件")
    LOCAL_REGULATION = term("LOCAL_REGULATION", "地方性法规")
    RULE = term("RULE", "规章")
    POLICY = term("POLICY", "规范性文件")


@strawberry.type(description="接收回执 · The implementer's receipt")
class MeasureReceipt:
    at: Moment = member("时间", "when", "at")
    officer: str = member("经办人", "officer", "officer")
    number: str | None = member("回执编号", "number of the receipt", "number")


@strawberry.type(description="实施反馈：实施该措施的一次办理 · A handling in which the measure was applied")
class MeasureFeedback:
    applied_on: Date = member("实施日期", "day", "applied_on")
    case_number: str = member("办件编号", "number of the handling", "case_number")
    result: str = member("结果", "what came of it", "result")


@strawberry.type(
    description=(
        "联合奖惩措施的实施；未生效的仅当事单位可见（R9.1） · Application of a measure; only in "
        "effect it is more than its parties' (R9.1)"
    )
)
@entity("case_file", "D10", only=("mechanism", ("MEASURE",)))
class MeasureApplication(Case):
    measure: str = detail("措施", "measure", "measure")
    effect: MeasureEffect = detail("效果", "effect", "effect")
    national_catalogue_code: str | None = detail(
        "全国失信惩戒措施基础清单编码", "item of the national list of measures", "national_catalogue_code"
    )
    legal_basis: str | None = detail("规定该措施的法律依据", "the law that orders it", "legal_basis")
    basis_level: BasisLevel | None = detail("该法律依据的层级", "level of that law", "basis_level")
    legal_basis_checked_on: Date | None = detail(
        "依据核对日期", "day on which the basis was checked", "legal_basis_checked_on"
    )
    memorandum: str | None = detail("备忘录，本身不作为依据", "memorandum; no basis by itself", "memorandum")
    list_name: str = detail("名单", "list", "list_name")
    color: ListColor = detail("名单类别", "colour of the list", "color")
    initiator: str = detail("发起单位", "initiator", "initiator")
    implementer: str = detail("实施单位", "implementer", "implementer")
    begins: Date = detail("起始日期", "first day", "begins")
    ends: Date = detail("终止日期", "last day", "ends")
    matters: list[str] = detail("适用事项", "matters that it covers", "matters")
    purposes: list[Purpose] = detail("适用的使用目的", "kinds of handling that it covers", "purposes")
    receipt: MeasureReceipt | None = rows("接收回执", "receipt", "receipt", capability=Capability.LINEAGE)
    # Words of the implementer, which may name a person: withheld from who is shown the case masked.
    feedback: list[MeasureFeedback] | None = withheld(
        "实施反馈", "feedback", "feedback", Shape.ROWS, capability=Capability.LINEAGE
    )
    feedback_due: Date | None = detail(
        "首次反馈期限",
        "day by which its first feedback is expected",
        "feedback_due",
        capability=Capability.LINEAGE,
    )
    stopped_on: Date | None = detail(
        "中止后实施部门报告的停止实施日期；恢复实施即清除",
        "day from which, once suspended, its implementer says that it applies it no longer; null once it is resumed",
        "stopped_on",
    )
    ended_on: Date | None = detail("终止于", "day on which it ended", "ended_on")
    end_reason: str | None = withheld("终止原因", "why it ended", "end_reason", capability=Capability.LINEAGE)
    entry: ListEntry | None = one("名单条目", "the list entry", "case.list_entry")


_Receipt = Annotated[str | None, parameter("回执编号", "number of the receipt")]
_Applied = Annotated[Date, parameter("实施日期", "day on which it was applied")]
_Stopped = Annotated[Date, parameter("停止实施日期", "day of the stop")]
_Handling = Annotated[str, parameter("办件编号", "number of the handling")]
_Result = Annotated[str, parameter("结果", "what came of it")]
_command = commands_of("measure")


@strawberry.type(description="联合奖惩措施操作 · Commands of measures")
class MeasureCommands:
    @_command(
        "对有效的名单条目发起奖惩措施（R9.1）",
        "initiate a measure on a list entry in force (R9.1)",
        "initiate",
    )
    def initiate_measure(
        self,
        entry: Annotated[strawberry.ID, parameter("名单条目", "list entry")],
        implementer: Annotated[str, parameter("实施单位", "partner that implements it")],
        measure: Annotated[str, parameter("措施", "measure")],
        effect: Annotated[MeasureEffect, parameter("效果", "effect")],
        begins: Annotated[
            Date,
            parameter(
                "起始日期，不早于名单条目的认定日期",
                "first day, at least that on which the entry was recognized",
            ),
        ],
        ends: Annotated[
            Date,
            parameter(
                "终止日期，晚于名单条目终止日期的以后者为准", "last day; the entry's, where that is earlier"
            ),
        ],
        national_catalogue_code: Annotated[
            str | None, parameter("全国失信惩戒措施基础清单编码", "item of the national list of measures")
        ] = None,
        legal_basis: Annotated[
            str | None, parameter("规定该措施的法律依据", "the law that orders it")
        ] = None,
        basis_level: Annotated[BasisLevel | None, parameter("该法律依据的层级", "level of that law")] = None,
        memorandum: Annotated[str | None, parameter("备忘录", "memorandum")] = None,
        matters: Annotated[list[str] | None, parameter("适用事项", "matters that it covers")] = None,
        purposes: Annotated[list[Purpose] | None, parameter("适用的使用目的", "kinds of handling")] = None,
    ) -> MeasureApplication | None:
        return PLANNED

    @_command(
        "实施部门签收奖惩措施", "acknowledge a measure as its implementer", "acknowledge", Capability.RECEIVE
    )
    def acknowledge_measure(
        self, number: CaseNumber, document_number: _Receipt = None
    ) -> MeasureApplication | None:
        return PLANNED

    @_command("由本单位实施奖惩措施", "implement one's own measure", "take_over")
    def take_over_measure(
        self, number: CaseNumber, document_number: _Receipt = None
    ) -> MeasureApplication | None:
        return PLANNED

    @_command(
        "实施部门不予实施奖惩措施", "decline a measure as its implementer", "decline", Capability.RECEIVE
    )
    def decline_measure(self, number: CaseNumber, reason: Reason) -> MeasureApplication | None:
        return PLANNED

    @_command(
        "奖惩措施生效，须有全国清单编码和依据",
        "put a measure in effect: on catalogue code and basis only",
        "activate",
    )
    def activate_measure(
        self,
        number: CaseNumber,
        legal_basis_checked_on: Annotated[Date, parameter("依据核对日期", "day of the check of the basis")],
        national_catalogue_code: Annotated[
            str | None, parameter("全国失信惩戒措施基础清单编码", "item of the national list of measures")
        ] = None,
        legal_basis: Annotated[
            str | None, parameter("规定该措施的法律依据", "the law that orders it")
        ] = None,
        basis_level: Annotated[BasisLevel | None, parameter("该法律依据的层级", "level of that law")] = None,
    ) -> MeasureApplication | None:
        return PLANNED

    @_command(
        "实施部门反馈奖惩措施实施情况",
        "feed back an application, as implementer",
        "feed_back",
        Capability.RECEIVE,
    )
    def feed_back_measure(
        self, number: CaseNumber, applied_on: _Applied, case_number: _Handling, result: _Result
    ) -> MeasureApplication | None:
        return PLANNED

    @_command("反馈本单位实施奖惩措施的情况", "feed back one's own application", "feed_back_own")
    def feed_back_own_measure(
        self, number: CaseNumber, applied_on: _Applied, case_number: _Handling, result: _Result
    ) -> MeasureApplication | None:
        return PLANNED

    @_command(
        "奖惩措施中止期间，实施部门报告已停止实施",
        "report that one has stopped a suspended measure, as implementer",
        "report_stop",
        Capability.RECEIVE,
    )
    def report_measure_stopped(self, number: CaseNumber, stopped_on: _Stopped) -> MeasureApplication | None:
        return PLANNED

    @_command(
        "奖惩措施中止期间，本单位报告已停止实施",
        "report that one has stopped one's own suspended measure",
        "report_stop_own",
    )
    def report_own_measure_stopped(
        self, number: CaseNumber, stopped_on: _Stopped
    ) -> MeasureApplication | None:
        return PLANNED

    @_command("解除奖惩措施", "lift a measure", "lift")
    def lift_measure(self, number: CaseNumber, reason: Reason) -> MeasureApplication | None:
        return PLANNED
