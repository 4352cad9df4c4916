"""Honest models (诚信典型, article 十六): nominations, what the second person found, and the red list they lead to."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.casework import Case
from schema.enums import term
from schema.governance import HOLDER, OPEN, PLANNED, ROW, Capability, Mask, Shape, entity, governed, parameter
from schema.listings import ListingCase
from schema.scalars import USCC, Moment


@strawberry.enum(description="推荐方 · Who nominates an honest model")
class NominatorKind(Enum):
    UNIT = term("UNIT", "单位推荐")
    ASSOCIATION = term("ASSOCIATION", "行业协会推荐")
    CAMPAIGN = term("CAMPAIGN", "诚信兴商活动推荐")


def _detail(zh: str, en: str, target: str, shape: Shape = Shape.DETAIL) -> Any:
    return governed(zh, en, ROW, shape=shape, target=target, mask=Mask.KEEP)


def _member(zh: str, en: str, target: str) -> Any:
    return governed(zh, en, HOLDER, target=target, mask=Mask.KEEP)


@strawberry.type(description="审核意见 · What the second person found")
class Endorsement:
    officer: str = _member("审核人", "officer", "officer")
    at: Moment = _member("时间", "when", "at")
    opinion: str = _member("意见", "opinion", "opinion")


@strawberry.type(description="诚信典型推荐 · A nomination of an honest model (article 十六)")
@entity("case_file", "D38", only=("mechanism", ("HONEST_MODEL",)))
class HonestModelNomination(Case):
    subject_code: USCC = _detail("统一社会信用代码", "code", "subject_code")
    nominator_kind: NominatorKind = _detail("推荐方类别", "kind of nominator", "nominator_kind")
    nominator: str = _detail("推荐方", "who nominates", "nominator")
    deeds: str = _detail("诚信事迹", "for what", "deeds")
    nominated_by: str = _detail("经办人", "officer who took it down", "nominated_by")
    endorsement: Endorsement | None = _detail("审核意见", "endorsement", "endorsement", Shape.ROWS)
    listing_number: str | None = _detail("名单案件编号", "number of the red list's case", "listing")
    listing: ListingCase | None = _detail("名单案件", "its way on the red list", "honest.listing", Shape.ONE)
    end_reason: str | None = _detail("不予通过或撤回理由", "why it ended", "end_reason")


_Number = Annotated[str, parameter("编号", "number of the nomination")]
_Reason = Annotated[str, parameter("理由", "reason")]


def _command(zh: str, en: str, name: str, capability: Capability = Capability.CASEWORK) -> Any:
    return governed(zh, en, OPEN, shape=Shape.COMMAND, target=f"honest.{name}", capability=capability)


@strawberry.type(description="诚信典型操作 · Commands of honest models")
class HonestModelCommands:
    @_command("推荐诚信典型", "nominate an honest model (article 十六)", "nominate")
    def nominate_honest_model(
        self,
        subject: Annotated[USCC, parameter("统一社会信用代码", "unified social credit code")],
        nominator_kind: Annotated[NominatorKind, parameter("推荐方类别", "kind of nominator")],
        nominator: Annotated[str, parameter("推荐方", "who nominates")],
        deeds: Annotated[str, parameter("诚信事迹", "for what")],
    ) -> HonestModelNomination | None:
        return PLANNED

    @_command("审核通过诚信典型", "endorse, by a second person", "endorse", Capability.REVIEW)
    def endorse_honest_model(
        self, number: _Number, opinion: Annotated[str, parameter("意见", "opinion")]
    ) -> HonestModelNomination | None:
        return PLANNED

    @_command("诚信典型审核不通过", "do not endorse", "reject", Capability.REVIEW)
    def reject_honest_model(self, number: _Number, reason: _Reason) -> HonestModelNomination | None:
        return PLANNED

    @_command("提名红名单", "propose for a red list, where its public notice follows (R8.2)", "propose")
    def propose_honest_model(
        self, number: _Number, list_code: Annotated[str, parameter("名单代码", "code of the red list")]
    ) -> HonestModelNomination | None:
        return PLANNED

    @_command("撤回推荐", "withdraw a nomination", "withdraw")
    def withdraw_honest_model(self, number: _Number, reason: _Reason) -> HonestModelNomination | None:
        return PLANNED
