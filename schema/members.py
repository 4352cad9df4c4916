"""Publication of members' archives on 信用中国(青海) with their written agreement (R14.2)."""

from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import CaseNumber, Opinion, Reason, SubjectCode, commands_of, detail, many, member, rows
from schema.fields import PLANNED, parameter
from schema.governance import Capability, entity
from schema.publicity import PublicityDelivery
from schema.scalars import USCC, Date, SM3Digest


@strawberry.type(description="公示内容 · An item of the archive as it is published")
class PublishedItem:
    label: str = member("名称", "label", "label")
    value: str | None = member("值", "value", "value")


@strawberry.type(
    description=(
        "会员信用档案在信用中国（青海）的公示；公示期间他人可见（R14.2） · A member's archive on "
        "信用中国(青海): shown to others while it is published (R14.2)"
    )
)
@entity("case_file", "D24", only=("mechanism", ("MEMBER_PUBLICATION",)))
class MemberPublication(Case):
    association_name: str = detail("协会", "association", "association_name")
    subject_code: USCC = detail("统一社会信用代码", "code", "subject_code")
    content: list[PublishedItem] = rows("公示内容", "what is published", "content")
    clause: str = detail("会员合同条款", "clause of the membership contract", "clause")
    agreement_digest: SM3Digest = detail(
        "签署的同意书的 SM3 摘要", "SM3 digest of the signed agreement", "agreement_digest"
    )
    signed_on: Date = detail("签署日期", "signed on", "signed_on")
    agreed_until: Date = detail("同意有效期至", "last day of the agreement", "agreed_until")
    published_on: Date | None = detail("公示日期", "published on", "published_on")
    ended_reason: str | None = detail(
        "终止原因，向公众说明的", "why it ended, as the public is told", "ended_reason"
    )
    deliveries: list[PublicityDelivery] | None = many(
        "向渠道的推送，由先到后", "deliveries to the channel, oldest first", "case.deliveries"
    )


_command = commands_of("member")


@strawberry.type(description="会员公示操作（R14.2） · Commands of members' publications (R14.2)")
class MemberCommands:
    @_command(
        "提请公示会员档案",
        "propose to publish the archive of one of one's members",
        "propose",
        Capability.MEMBER_WORK,
    )
    def propose_member_publication(
        self,
        subject: SubjectCode,
        clause: Annotated[str, parameter("会员合同条款", "clause of the membership contract")],
        agreement_digest: Annotated[
            SM3Digest, parameter("签署的同意书的 SM3 摘要", "SM3 digest of the signed agreement")
        ],
        signed_on: Annotated[Date, parameter("签署日期", "signed on")],
        agreed_until: Annotated[Date, parameter("同意有效期至", "last day of the agreement")],
    ) -> MemberPublication | None:
        return PLANNED

    @_command(
        "审核通过会员档案，在信用中国（青海）公示",
        "approve the archive of a member and publish it on 信用中国(青海)",
        "approve",
        Capability.REVIEW,
    )
    def approve_member_publication(self, number: CaseNumber, opinion: Opinion) -> MemberPublication | None:
        return PLANNED

    @_command("不予公示会员档案", "decline to publish the archive of a member", "decline", Capability.REVIEW)
    def decline_member_publication(self, number: CaseNumber, reason: Reason) -> MemberPublication | None:
        return PLANNED

    @_command(
        "协会撤回会员档案的公示",
        "the association withdraws the publication of an archive of a member",
        "withdraw",
        Capability.MEMBER_WORK,
    )
    def withdraw_member_publication(self, number: CaseNumber, reason: Reason) -> MemberPublication | None:
        return PLANNED

    @_command(
        "会员撤回公示档案的同意",
        "the member takes its agreement to publication back",
        "revoke",
        Capability.APPLY,
    )
    def revoke_member_agreement(self, number: CaseNumber, reason: Reason) -> MemberPublication | None:
        return PLANNED

    @_command(
        "本部门停止公示会员档案", "the department stops the publication of an archive of a member", "stop"
    )
    def stop_member_publication(self, number: CaseNumber, reason: Reason) -> MemberPublication | None:
        return PLANNED
