"""Implementation plans (实施方案, article 十五): the official who answers for a plan, its tasks, and how far each is."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import DocumentNumber, Reason, commands_of, detail, member, rows
from schema.enums import term
from schema.fields import PLANNED, parameter, supplied
from schema.governance import entity
from schema.scalars import Date


@strawberry.enum(description="任务状态 · How far a task is")
class PlanTaskStatus(Enum):
    OPEN = term("OPEN", "未开始")
    UNDER_WAY = term("UNDER_WAY", "进行中")
    DONE = term("DONE", "已完成")
    DROPPED = term("DROPPED", "不再实施")


@strawberry.type(description="任务 · A task of a plan")
class PlanTask:
    place: int = member("序号，自1起", "place, from 1", "place")
    title: str = member("任务", "what is to be done", "title")
    responsible: str = member("责任人", "who answers for it", "responsible")
    due_on: Date = member("期限", "by when", "due_on")
    status: PlanTaskStatus = member("状态", "how far it is", "status")
    done_on: Date | None = member("完成日期", "done on", "done_on")
    note: str | None = member("说明", "note", "note")


@strawberry.type(
    description="实施方案（实施意见第十五条） · The implementation plan of a commerce department (article 十五)"
)
@entity("case_file", "D43", only=("mechanism", ("IMPLEMENTATION_PLAN",)))
class ImplementationPlan(Case):
    title: str = detail("名称", "title", "title")
    region: str = detail("行政区划代码", "code of the region", "region")
    begins: Date = detail("起", "first day", "begins")
    ends: Date = detail("止", "last day", "ends")
    responsible: str = detail("对方案负责的责任人", "official who answers for it", "responsible")
    post: str = detail("职务", "the official's post", "post")
    document_number: str | None = detail("印发文号", "document that adopted it", "document_number")
    adopted_on: Date | None = detail("印发日期", "adopted on", "adopted_on")
    tasks: list[PlanTask] = rows("任务，依次排列", "tasks, in their order", "tasks")
    open_tasks: int = detail("未完成任务数", "tasks neither done nor dropped", "open_tasks")
    end_reason: str | None = detail("终止原因", "why it was given up", "end_reason")


@strawberry.input(description="方案任务 · A task to be planned")
class PlanTaskInput:
    title: str = supplied("任务", "what is to be done")
    responsible: str = supplied("责任人", "who answers for it")
    due_on: Date = supplied("期限，在方案起止日之内", "by when, within the plan's days")


_Number = Annotated[str, parameter("编号", "number of the plan")]
_command = commands_of("implementation")


@strawberry.type(description="实施方案操作 · Commands of implementation plans")
class PlanCommands:
    @_command(
        "起草本地区实施方案（实施意见第十五条）", "draft the plan of one's region (article 十五)", "draft"
    )
    def draft_implementation_plan(
        self,
        title: Annotated[str, parameter("名称", "title")],
        begins: Annotated[Date, parameter("起", "first day")],
        ends: Annotated[Date, parameter("止", "last day")],
        responsible: Annotated[str, parameter("对方案负责的责任人", "official who answers for it")],
        post: Annotated[str, parameter("职务", "the official's post")],
        tasks: Annotated[list[PlanTaskInput], parameter("任务", "tasks")],
    ) -> ImplementationPlan | None:
        return PLANNED

    @_command("以文件印发实施方案", "adopt an implementation plan by a document", "adopt")
    def adopt_implementation_plan(
        self, number: _Number, document_number: DocumentNumber
    ) -> ImplementationPlan | None:
        return PLANNED

    @_command("登记实施方案任务的进展", "record how far a task of a plan is", "record")
    def record_plan_task(
        self,
        number: _Number,
        task: Annotated[int, parameter("任务序号", "place of the task")],
        status: Annotated[PlanTaskStatus, parameter("状态", "how far it is")],
        note: Annotated[
            str | None, parameter("说明，不再实施的必填", "note; needed where it is dropped")
        ] = None,
    ) -> ImplementationPlan | None:
        return PLANNED

    @_command(
        "任务全部完成或取消后办结实施方案",
        "complete a plan of which every task is done or dropped",
        "complete",
    )
    def complete_implementation_plan(self, number: _Number) -> ImplementationPlan | None:
        return PLANNED

    @_command("终止实施方案", "abandon an implementation plan", "abandon")
    def abandon_implementation_plan(self, number: _Number, reason: Reason) -> ImplementationPlan | None:
        return PLANNED
