"""Exposure of typical and major cases (典型案件曝光, R10.4): text, anonymisation review, channels, end."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.casework import Case
from schema.enums import term
from schema.governance import HOLDER, OPEN, PLANNED, ROW, Capability, Mask, Shape, entity, governed, parameter
from schema.publicity import PublicityDelivery
from schema.records import CreditRecord
from schema.scalars import Date, Moment, SM3Digest


@strawberry.enum(description="案件种类 · Kind of a case that is exposed")
class DisclosedCaseKind(Enum):
    TYPICAL = term("TYPICAL", "典型案件")
    MAJOR = term("MAJOR", "重大案件")


def _member(zh: str, en: str, target: str) -> Any:
    return governed(zh, en, HOLDER, target=target, mask=Mask.KEEP)


def _detail(zh: str, en: str, target: str, capability: Capability | None = None) -> Any:
    return governed(zh, en, ROW, shape=Shape.DETAIL, target=target, mask=Mask.KEEP, capability=capability)


def _rows(zh: str, en: str, target: str) -> Any:
    return governed(
        zh, en, ROW, shape=Shape.ROWS, target=target, mask=Mask.KEEP, capability=Capability.LINEAGE
    )


@strawberry.type(description="脱敏提示:须从文本中删去 · What tells of a person; it goes from the text")
class DisclosureFinding:
    key: str = _member("标识", "its place in the text", "key")
    kind: str = _member("种类", "resident ID, phone, bank card, home, minor", "kind")
    sample: str = _member("脱敏片段", "what was found, masked", "sample")


@strawberry.type(description="脱敏审查 · Anonymisation review, by a second person (R10.4)")
class AnonymisationReview:
    officer: str = _member("审查人", "officer", "officer")
    at: Moment = _member("时间", "when", "at")
    opinion: str = _member("意见", "opinion", "opinion")
    digest: SM3Digest = _member("内容摘要", "SM3 digest of what was reviewed", "digest")


@strawberry.type(
    description="典型案件曝光 · A case that is exposed; before and afterwards it exists for its unit alone (R10.4)"
)
@entity("case_file", "D6", only=("mechanism", ("CASE_DISCLOSURE",)))
class CaseDisclosure(Case):
    kind: DisclosedCaseKind = _detail("种类", "kind", "kind")
    title: str = _detail("标题", "title", "title")
    text: str = _detail("内容", "text, without persons", "text")
    penalty_number: str = _detail("处罚决定文号", "number of the penalty's decision", "penalty_number")
    authority: str = _detail("处罚机关", "deciding authority", "authority")
    penalty_ends: Date | None = _detail(
        "公示截止", "last day of the penalty's publicity as it stood when drafted", "penalty_ends"
    )
    disclosed_on: Date | None = _detail("曝光日期", "disclosed on", "disclosed_on")
    ended_reason: str | None = _detail("终止原因", "why it ended", "ended_reason", Capability.LINEAGE)
    text_digest: SM3Digest = _detail(
        "内容摘要", "SM3 digest of title and text", "text_digest", Capability.LINEAGE
    )
    findings: list[DisclosureFinding] | None = _rows("脱敏提示", "findings of the redactor", "findings")
    drafted_by: str | None = _detail("起草人", "officer who drafted it", "drafted_by", Capability.LINEAGE)
    review: AnonymisationReview | None = _rows("脱敏审查", "anonymisation review", "review")
    penalty: CreditRecord | None = governed(
        "处罚记录", "the penalty", ROW, shape=Shape.ONE, target="case.record", mask=Mask.KEEP
    )
    deliveries: list[PublicityDelivery] | None = governed(
        "渠道送达",
        "deliveries to the channels, oldest first",
        ROW,
        shape=Shape.MANY,
        target="case.deliveries",
        mask=Mask.KEEP,
        capability=Capability.LINEAGE,
    )


_Number = Annotated[str, parameter("编号", "number of the case")]
_Title = Annotated[str, parameter("标题", "title")]
_Text = Annotated[str, parameter("内容", "text, without persons")]
_Reason = Annotated[str, parameter("理由", "reason")]


def _command(zh: str, en: str, name: str, capability: Capability = Capability.CASEWORK) -> Any:
    return governed(zh, en, OPEN, shape=Shape.COMMAND, target=f"disclosure.{name}", capability=capability)


@strawberry.type(description="典型案件曝光操作 · Commands of exposures")
class DisclosureCommands:
    @_command("起草曝光", "draft the exposure of a penalty in publicity (R10.4)", "draft")
    def draft_case_disclosure(
        self,
        penalty: Annotated[strawberry.ID, parameter("处罚记录", "penalty record")],
        kind: Annotated[DisclosedCaseKind, parameter("种类", "kind")],
        title: _Title,
        text: _Text,
    ) -> CaseDisclosure | None:
        return PLANNED

    @_command("修改曝光草稿", "revise the text; it is screened anew", "revise")
    def revise_case_disclosure(self, number: _Number, title: _Title, text: _Text) -> CaseDisclosure | None:
        return PLANNED

    @_command("提交脱敏审查", "hand in for the anonymisation review", "submit")
    def submit_case_disclosure(self, number: _Number) -> CaseDisclosure | None:
        return PLANNED

    @_command("脱敏审查通过", "pass the anonymisation review, as second person", "approve", Capability.REVIEW)
    def approve_case_disclosure(
        self, number: _Number, opinion: Annotated[str, parameter("意见", "opinion")]
    ) -> CaseDisclosure | None:
        return PLANNED

    @_command("退回曝光草稿", "give an exposure back for revision", "return", Capability.REVIEW)
    def return_case_disclosure(self, number: _Number, reason: _Reason) -> CaseDisclosure | None:
        return PLANNED

    @_command("曝光", "disclose on all channels; it ends with its penalty's publicity", "disclose")
    def disclose_case(self, number: _Number) -> CaseDisclosure | None:
        return PLANNED

    @_command("撤下曝光", "take an exposure down", "withdraw")
    def withdraw_case_disclosure(self, number: _Number, reason: _Reason) -> CaseDisclosure | None:
        return PLANNED
