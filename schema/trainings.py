"""The training log (培训, article 十七): what was taught, and which firms attended with which certificate."""

from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import Reason, SubjectCode, commands_of, detail, member, rows
from schema.fields import PLANNED, parameter
from schema.governance import entity
from schema.scalars import USCC, Date


@strawberry.type(
    description="参训企业记录；证明可作为信用修复材料（R9.2） · A firm that attended; the certificate is evidence in repair (R9.2)"
)
class TrainingAttendance:
    subject_code: USCC = member("统一社会信用代码", "code", "subject_code")
    subject_name: str = member("名称", "name", "subject_name")
    attendee: str = member("参训人", "who attended for it", "attendee")
    hours: int = member("学时", "hours", "hours")
    certificate: str = member("证明编号", "number of the certificate", "certificate")


@strawberry.type(description="信用培训（实施意见第十七条） · A training of the log (article 十七)")
@entity("case_file", "D43", only=("mechanism", ("TRAINING",)))
class Training(Case):
    topic: str = detail("主题", "topic", "topic")
    organiser: str = detail("主办单位", "organiser", "organiser")
    place: str = detail("地点", "place", "place")
    held_on: Date = detail("日期", "held on", "held_on")
    hours: int = detail("学时", "hours", "hours")
    officers: int = detail("参训干部人数", "officers who were there", "officers")
    attendances: list[TrainingAttendance] = rows("参训企业", "firms that attended", "attendances")


_Number = Annotated[str, parameter("编号", "number of the training")]
_command = commands_of("training")


@strawberry.type(description="信用培训操作 · Commands of the training log")
class TrainingCommands:
    @_command("登记培训（实施意见第十七条）", "put a training on the log (article 十七)", "log")
    def log_training(
        self,
        topic: Annotated[str, parameter("主题", "topic")],
        organiser: Annotated[str, parameter("主办单位", "organiser")],
        place: Annotated[str, parameter("地点", "place")],
        held_on: Annotated[Date, parameter("日期", "day on which it is held")],
        hours: Annotated[int, parameter("学时", "hours")],
        officers: Annotated[int, parameter("参训干部人数", "officers who take part")] = 0,
    ) -> Training | None:
        return PLANNED

    @_command(
        "登记参训企业并给出证明编号（R9.2）",
        "record a firm that attended; gives its certificate (R9.2)",
        "attend",
    )
    def record_training_attendance(
        self,
        number: _Number,
        subject: SubjectCode,
        attendee: Annotated[str, parameter("参训人", "who attended for it")],
        hours: Annotated[int, parameter("学时", "hours")],
    ) -> Training | None:
        return PLANNED

    @_command(
        "撤销登记有误的参训企业，其证明编号不再使用",
        "strike a firm that was recorded by mistake; the number of its certificate is not given again",
        "strike",
    )
    def strike_training_attendance(
        self,
        number: _Number,
        certificate: Annotated[str, parameter("证明编号", "number of its certificate")],
        reason: Reason,
    ) -> Training | None:
        return PLANNED

    @_command("办结培训登记", "close the log of a training", "close")
    def close_training(self, number: _Number) -> Training | None:
        return PLANNED

    @_command("登记参训企业之前取消培训", "cancel a training, before anybody is recorded", "cancel")
    def cancel_training(self, number: _Number, reason: Reason) -> Training | None:
        return PLANNED
