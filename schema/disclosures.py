"""Exposure of typical and major cases (典型案件曝光, R10.4): text, anonymisation review, channels, end."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case, ReviewOfText
from schema.declaring import (
    CaseNumber,
    Opinion,
    Reason,
    commands_of,
    detail,
    many,
    member,
    one,
    rows,
    screened,
)
from schema.enums import term
from schema.fields import PLANNED, parameter
from schema.governance import Capability, Mask, entity
from schema.publicity import PublicityDelivery
from schema.records import CreditRecord
from schema.scalars import Date, SM3Digest


@strawberry.enum(description="案件种类 · Kind of a case that is exposed")
class DisclosedCaseKind(Enum):
    TYPICAL = term("TYPICAL", "典型案件")
    MAJOR = term("MAJOR", "重大案件")


@strawberry.type(description="脱敏提示：须从文本中删去 · What tells of a person; it goes from the text")
class DisclosureFinding:
    key: str = member("标识，即在文本中的位置", "its place in the text", "key")
    kind: str = member(
        "种类：居民身份证号码、电话、银行卡号、住址、未成年人",
        "resident ID, phone, bank card, home, minor",
        "kind",
    )
    sample: str = member("发现的内容，已脱敏", "what was found, masked", "sample")


@strawberry.type(description="第二人的脱敏审查（R10.4） · Anonymisation review, by a second person (R10.4)")
class AnonymisationReview(ReviewOfText):
    """Of title and text."""


@strawberry.type(
    description=(
        "典型案件曝光；曝光之前和终止之后，仅办理单位可见（R10.4） · A case that is exposed; "
        "before and afterwards it exists for its unit alone (R10.4)"
    )
)
@entity("case_file", "D6", only=("mechanism", ("CASE_DISCLOSURE",)))
class CaseDisclosure(Case):
    kind: DisclosedCaseKind = detail("种类", "kind", "kind")
    title: str | None = screened(
        "标题；有未排除的隐私提示时，仅办理单位可见",
        "title; for its unit alone while findings stand",
        "title",
        Mask.KEEP,
    )
    text: str | None = screened(
        "内容，不涉及个人；有脱敏提示时，仅办理单位可见",
        "text, without persons; for its unit alone while findings stand",
        "text",
        Mask.KEEP,
    )
    penalty_number: str = detail("处罚决定文号", "number of the penalty's decision", "penalty_number")
    authority: str = detail("处罚机关", "deciding authority", "authority")
    penalty_ends: Date | None = detail(
        "处罚公示的截止日，以起草时为准",
        "last day of the penalty's publicity as it stood when drafted",
        "penalty_ends",
    )
    disclosed_on: Date | None = detail("曝光日期", "disclosed on", "disclosed_on")
    ended_reason: str | None = detail(
        "终止原因", "why it ended", "ended_reason", capability=Capability.LINEAGE
    )
    text_digest: SM3Digest | None = detail(
        "标题和内容的 SM3 摘要", "SM3 digest of title and text", "text_digest", capability=Capability.LINEAGE
    )
    findings: list[DisclosureFinding] | None = rows(
        "脱敏提示", "findings of the redactor", "findings", capability=Capability.LINEAGE
    )
    drafted_by: str | None = detail(
        "起草人", "officer who drafted it", "drafted_by", capability=Capability.LINEAGE
    )
    review: AnonymisationReview | None = rows(
        "脱敏审查", "anonymisation review", "review", capability=Capability.LINEAGE
    )
    penalty: CreditRecord | None = one("处罚记录", "the penalty", "case.record")
    deliveries: list[PublicityDelivery] | None = many(
        "向渠道的推送，由先到后",
        "deliveries to the channels, oldest first",
        "case.deliveries",
        capability=Capability.LINEAGE,
    )


_Title = Annotated[str, parameter("标题", "title", screened=True)]
_Text = Annotated[str, parameter("内容，不涉及个人", "text, without persons", screened=True)]
_command = commands_of("disclosure")


@strawberry.type(description="典型案件曝光操作 · Commands of exposures")
class DisclosureCommands:
    @_command(
        "依据公示期内的处罚起草典型案件曝光（R10.4）",
        "draft the exposure of a penalty in publicity (R10.4)",
        "draft",
    )
    def draft_case_disclosure(
        self,
        penalty: Annotated[strawberry.ID, parameter("处罚记录", "penalty record")],
        kind: Annotated[DisclosedCaseKind, parameter("种类", "kind")],
        title: _Title,
        text: _Text,
    ) -> CaseDisclosure | None:
        return PLANNED

    @_command(
        "修改典型案件曝光草稿，重新筛查", "revise the text of an exposure; it is screened anew", "revise"
    )
    def revise_case_disclosure(self, number: CaseNumber, title: _Title, text: _Text) -> CaseDisclosure | None:
        return PLANNED

    @_command("将典型案件曝光提交脱敏审查", "hand an exposure in for the anonymisation review", "submit")
    def submit_case_disclosure(self, number: CaseNumber) -> CaseDisclosure | None:
        return PLANNED

    @_command(
        "第二人通过典型案件脱敏审查",
        "pass the anonymisation review, as second person",
        "approve",
        Capability.REVIEW,
    )
    def approve_case_disclosure(self, number: CaseNumber, opinion: Opinion) -> CaseDisclosure | None:
        return PLANNED

    @_command("退回典型案件曝光草稿修改", "give an exposure back for revision", "return", Capability.REVIEW)
    def return_case_disclosure(self, number: CaseNumber, reason: Reason) -> CaseDisclosure | None:
        return PLANNED

    @_command(
        "在各渠道曝光典型案件，随处罚公示终止",
        "disclose a case on all channels; it ends with its penalty's publicity",
        "disclose",
    )
    def disclose_case(self, number: CaseNumber) -> CaseDisclosure | None:
        return PLANNED

    @_command("撤下典型案件曝光", "take an exposure down", "withdraw")
    def withdraw_case_disclosure(self, number: CaseNumber, reason: Reason) -> CaseDisclosure | None:
        return PLANNED
