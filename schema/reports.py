"""The quarterly report (季度报告, R18.1-R18.3): figures that the hub counted and the reporter confirms, and its way."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import Reason, commands_of, detail, member, rows
from schema.enums import term
from schema.fields import PLANNED, parameter, supplied
from schema.governance import Capability, Shape, entity
from schema.scalars import Date, Moment


@strawberry.enum(description="指标类型 · Kind of a figure")
class FigureKind(Enum):
    COUNT = term("COUNT", "件数")
    RATIO = term("RATIO", "比率（0至1）")
    DAYS = term("DAYS", "平均工作日")
    TEXT = term("TEXT", "文字")


@strawberry.enum(
    description="报送情况，以首次报送为准（R18.1） · Whether it was submitted on time; the first submission counts (R18.1)"
)
class ReportStanding(Enum):
    ON_TIME = term("ON_TIME", "按期报送")
    LATE = term("LATE", "逾期报送")


@strawberry.type(
    description="期限日逢休息日的提示；期限不顺延（R18.2） · A day of the deadline that is a rest day; nothing moves (R18.2)"
)
class ReportRestDay:
    day: Date = member("日期", "the rest day", "day")
    work_before: Date = member("此前最后一个工作日", "last working day before it", "work_before")
    provisional: bool = member("放假安排未定", "no notice has fixed that day yet", "provisional")


@strawberry.type(description="分项 · A part of a figure")
class FigureShare:
    key: str = member("代码", "codes of what it is broken down by", "key")
    label: str = member("名称", "its name in Chinese", "label")
    count: int = member("件数", "how many", "count")


@strawberry.type(
    description="季报指标：系统统计值和上报值（R18.3） · A figure of the report: what the hub counted and what is reported (R18.3)"
)
class ReportFigure:
    code: str = member("代码", "code", "code")
    name_zh: str = member("名称", "name in Chinese", "zh")
    name_en: str = member("英文名称", "name in English", "en")
    kind: FigureKind = member("类型", "kind", "kind")
    prefilled: float | None = member(
        "系统按事件统计的预填值；无可统计的为空",
        "what the hub counted from its events; null: nothing to count",
        "prefilled",
    )
    part: int | None = member("比率的分子：符合条件的数量", "of a ratio: those that count", "part")
    whole: int | None = member("比率或平均值的分母：全部数量", "of a ratio or a mean: all", "whole")
    shares: list[FigureShare] = member("分项", "its parts", "shares", Shape.ROWS)
    drill: str | None = member(
        "追溯标识，用于查询计入的案件：cases(countedIn:)",
        "asks for the cases that it counts: cases(countedIn:)",
        "drill",
    )
    stated: bool = member("报送人已确认或修改", "the reporter has confirmed or overridden it", "stated")
    value: float | None = member("上报值", "what is reported", "value")
    text: str | None = member("文字", "words that are reported", "text")
    reason: str | None = member("上报值与预填值不同的理由", "why another value is reported", "reason")
    stated_by: str | None = member("确认人", "officer", "stated_by")
    stated_at: Moment | None = member("确认时间", "when", "stated_at")


@strawberry.type(
    description="季度报告（实施意见第十八条） · The quarterly report of a commerce department (article 十八)"
)
@entity("case_file", "D43", only=("mechanism", ("QUARTERLY_REPORT",)))
class QuarterlyReport(Case):
    year: int = detail("年度", "year", "year")
    quarter: int = detail("季度，1至4", "quarter, 1 to 4", "quarter")
    region: str = detail("行政区划代码", "code of the region", "region")
    region_name: str = detail("报告地区", "region", "region_name")
    agency: str = detail("报送单位", "department that reports", "agency")
    target: Date = detail("目标日，即应报到之日：9日", "day on which it should be in: the 9th", "target")
    late_from: Moment = detail(
        "逾期起算：11日零时（R18.1）", "first moment that is late: the 11th, 0:00 (R18.1)", "late_from"
    )
    warnings: list[ReportRestDay] = rows(
        "期限日逢休息日的提示", "days of the deadline that are rest days", "warnings"
    )
    departments: list[str] = detail(
        "统计单位，即案件计入的单位", "partners whose cases are counted", "departments"
    )
    department_names: list[str] | None = detail(
        "统计单位名称，预填时共享协议所载；留存名称之前预填的为空",
        "their names, as the agreements had them when it was pre-filled; null: pre-filled before they were kept",
        "department_names",
    )
    figures: list[ReportFigure] = rows("各项指标，依次排列", "the figures, in their order", "figures")
    open_figures: list[str] = detail(
        "待确认指标的代码", "codes of figures nobody has confirmed", "open_figures"
    )
    prefilled_at: Moment | None = detail(
        "统计指标并预填的时间", "when the figures were counted", "prefilled_at"
    )
    submitted_at: Moment | None = detail("首次报送时间", "first submitted", "submitted_at")
    submitted_by: str | None = detail("报送人", "officer who submitted it", "submitted_by")
    standing: ReportStanding | None = detail(
        "报送情况：按期或逾期；未报送的为空", "on time or late; null: not submitted", "standing"
    )
    resubmitted_at: Moment | None = detail("重新报送时间", "submitted again", "resubmitted_at")
    return_reason: str | None = detail("退回理由", "why it was given back", "return_reason")
    accepted_at: Moment | None = detail("接收时间", "accepted", "accepted_at")


@strawberry.input(
    description="确认或修改一项指标（R18.3） · Confirm a figure, or override it with a reason (R18.3)"
)
class ReportFigureInput:
    code: str = supplied("代码", "code of the figure")
    value: float | None = supplied(
        "上报值；不填即按预填值", "another value; left out: as pre-filled", optional=True
    )
    text: str | None = supplied("文字，限文字类指标", "words, of a figure in words", optional=True)
    reason: str | None = supplied("上报值与预填值不同的理由", "why the value differs", optional=True)


_Number = Annotated[str, parameter("编号", "number of the report")]
_command = commands_of("report", Capability.REPORT)


@strawberry.type(description="季度报告操作 · Commands of the quarterly report")
class ReportCommands:
    @_command(
        "打开已结束季度的报告，新建的予以预填（R18.1）",
        "the report on a quarter that is over; pre-filled when it is new (R18.1)",
        "open",
    )
    def open_quarterly_report(
        self,
        year: Annotated[int, parameter("年度", "year")],
        quarter: Annotated[int, parameter("季度，1至4", "quarter, 1 to 4")],
    ) -> QuarterlyReport | None:
        return PLANNED

    @_command(
        "按事件重新预填季度报告的指标（R18.3）",
        "count the figures of a quarterly report anew from events (R18.3)",
        "prefill",
    )
    def prefill_quarterly_report(self, number: _Number) -> QuarterlyReport | None:
        return PLANNED

    @_command(
        "确认季度报告的指标，或说明理由后修改（R18.3）",
        "confirm figures of a quarterly report, or override them with a reason (R18.3)",
        "state",
    )
    def state_report_figures(
        self,
        number: _Number,
        figures: Annotated[list[ReportFigureInput], parameter("指标", "figures")],
    ) -> QuarterlyReport | None:
        return PLANNED

    @_command(
        "各项指标确认后报送季度报告（R18.1）",
        "submit a quarterly report, when every figure is confirmed (R18.1)",
        "submit",
    )
    def submit_quarterly_report(self, number: _Number) -> QuarterlyReport | None:
        return PLANNED

    @_command(
        "退回季度报告更正", "give a quarterly report back for a correction", "return", Capability.REVIEW
    )
    def return_quarterly_report(self, number: _Number, reason: Reason) -> QuarterlyReport | None:
        return PLANNED

    @_command("接收报送的季度报告", "accept a quarterly report", "accept", Capability.REVIEW)
    def accept_quarterly_report(self, number: _Number) -> QuarterlyReport | None:
        return PLANNED
