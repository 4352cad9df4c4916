"""Honest models (诚信典型, article 十六): nominations, what the second person found, and the red list they lead to."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import Opinion, Reason, SubjectCode, commands_of, detail, member, one, rows
from schema.enums import term
from schema.fields import PLANNED, parameter
from schema.governance import Capability, entity
from schema.listings import ListingCase
from schema.scalars import USCC, Moment


@strawberry.enum(description="推荐方 · Who nominates an honest model")
class NominatorKind(Enum):
    UNIT = term("UNIT", "单位推荐")
    ASSOCIATION = term("ASSOCIATION", "行业协会推荐")
    CAMPAIGN = term("CAMPAIGN", "诚信兴商活动推荐")


@strawberry.type(description="第二人的审核意见 · What the second person found")
class Endorsement:
    officer: str = member("审核人", "officer", "officer")
    at: Moment = member("时间", "when", "at")
    opinion: str = member("意见", "opinion", "opinion")


@strawberry.type(
    description="诚信典型推荐（实施意见第十六条） · A nomination of an honest model (article 十六)"
)
@entity("case_file", "D38", only=("mechanism", ("HONEST_MODEL",)))
class HonestModelNomination(Case):
    subject_code: USCC = detail("统一社会信用代码", "code", "subject_code")
    nominator_kind: NominatorKind = detail("推荐方类别", "kind of nominator", "nominator_kind")
    nominator: str = detail("推荐方", "who nominates", "nominator")
    deeds: str = detail("诚信事迹", "for what", "deeds")
    # D38 gives a subject its result, not who took it down and what the second person thought.
    nominated_by: str = detail(
        "经办人", "officer who took it down", "nominated_by", capability=Capability.LINEAGE
    )
    endorsement: Endorsement | None = rows(
        "审核意见", "endorsement", "endorsement", capability=Capability.LINEAGE
    )
    listing_number: str | None = detail("名单案件编号", "number of the red list's case", "listing")
    listing: ListingCase | None = one("名单案件", "its way on the red list", "honest.listing")
    end_reason: str | None = detail("不予通过或撤回理由", "why it ended", "end_reason")


_Number = Annotated[str, parameter("编号", "number of the nomination")]
_command = commands_of("honest")


@strawberry.type(description="诚信典型操作 · Commands of honest models")
class HonestModelCommands:
    @_command("推荐诚信典型（实施意见第十六条）", "nominate an honest model (article 十六)", "nominate")
    def nominate_honest_model(
        self,
        subject: SubjectCode,
        nominator_kind: Annotated[NominatorKind, parameter("推荐方类别", "kind of nominator")],
        nominator: Annotated[str, parameter("推荐方", "who nominates")],
        deeds: Annotated[str, parameter("诚信事迹", "for what")],
    ) -> HonestModelNomination | None:
        return PLANNED

    @_command(
        "第二人审核通过诚信典型", "endorse an honest model, by a second person", "endorse", Capability.REVIEW
    )
    def endorse_honest_model(self, number: _Number, opinion: Opinion) -> HonestModelNomination | None:
        return PLANNED

    @_command(
        "第二人不予通过诚信典型",
        "do not endorse an honest model, by a second person",
        "reject",
        Capability.REVIEW,
    )
    def reject_honest_model(self, number: _Number, reason: Reason) -> HonestModelNomination | None:
        return PLANNED

    @_command(
        "提名诚信典型列入红名单，其后在名单程序中公示（R8.2）",
        "propose an honest model for a red list, where its public notice follows (R8.2)",
        "propose",
    )
    def propose_honest_model(
        self, number: _Number, list_code: Annotated[str, parameter("名单代码", "code of the red list")]
    ) -> HonestModelNomination | None:
        return PLANNED

    @_command("撤回诚信典型推荐", "withdraw a nomination", "withdraw")
    def withdraw_honest_model(self, number: _Number, reason: Reason) -> HonestModelNomination | None:
        return PLANNED
