"""Commitments (信用承诺, R6.1-R6.5): templates, what was promised, publication by consent, fulfilment, breach."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import (
    DocumentNumber,
    Reason,
    SubjectCode,
    commands_of,
    detail,
    member,
    open_to_all,
    rows,
)
from schema.enums import term
from schema.fields import PLANNED, filters, governed, parameter, supplied
from schema.governance import OPEN, Capability, Mask, Shape, entity
from schema.scalars import USCC, Date, SM3Digest


@strawberry.enum(description="违背承诺的种类（R6.4） · Kind of an established breach (R6.4)")
class BreachKind(Enum):
    BREACHED = term("BREACHED", "违背承诺")
    FALSE_COMMITMENT = term("FALSE_COMMITMENT", "虚假承诺")


@strawberry.enum(description="抽查结论（R6.3） · What an inspection came to (R6.3)")
class InspectionOutcome(Enum):
    COMPLIANT = term("COMPLIANT", "未发现问题")
    BREACHED = term("BREACHED", "违背承诺")
    FALSE_COMMITMENT = term("FALSE_COMMITMENT", "虚假承诺")


@strawberry.type(
    description="承诺书模板的一个版本及其承诺类型（R6.1、R6.5） · A version of a text to be signed (R6.1), with its type (R6.5)"
)
@entity("rows:commitment_templates", OPEN)
class CommitmentTemplate:
    code: str = open_to_all("模板代码", "code", "code")
    version: str = open_to_all("版本", "version", "version")
    type: str = open_to_all("承诺类型代码", "code of the type", "type")
    type_name: str = open_to_all("承诺类型", "type", "type_name")
    national: list[str] = open_to_all("对应的全国分类", "kinds of the national classification", "national")
    most_months: int = open_to_all("最长有效月数", "longest validity in months", "most_months")
    title: str = open_to_all("标题", "title", "title")
    body: str = open_to_all(
        "正文；{subject}（主体）和 {scope}（范围）处待填", "text; {subject} and {scope} are filled in", "body"
    )
    consequence: str = open_to_all("违背承诺的后果", "what follows from a breach", "consequence")


@strawberry.type(description="已公开的抽查结果（R6.3） · The published result of an inspection (R6.3)")
class PublishedInspection:
    plan: str | None = member("抽查计划编号", "number of the plan", "plan")
    inspected_on: Date = member("作出检查结论的日期", "day on which it was concluded", "inspected_on")
    outcome: InspectionOutcome = member("结论", "outcome", "outcome")
    published_on: Date = member("公开日期", "published on", "published_on")


@strawberry.type(description="违背承诺的认定（R6.4） · The decision on a breach (R6.4)")
class CommitmentBreach:
    kind: BreachKind = member("种类", "kind", "kind")
    document_number: str = member("决定文号", "number of the decision", "document_number")
    authority: str = member("认定机关", "authority", "authority")
    decided_on: Date = member("认定日期", "day of the decision", "decided_on")


@strawberry.type(
    description=(
        "信用承诺；是否涉嫌违背承诺不在此显示（R6.1至R6.5） · "
        "A commitment; whether it is under suspicion is not told here (R6.1-R6.5)"
    )
)
@entity("case_file", "D33", only=("mechanism", ("COMMITMENT",)))
class Commitment(Case):
    type: str = detail("承诺类型代码（R6.5）", "code of the type (R6.5)", "type")
    type_name: str = detail("承诺类型", "type", "type_name")
    national: list[str] = detail("对应的全国分类", "kinds of the national classification", "national")
    subject_code: USCC = detail("统一社会信用代码", "code", "subject_code")
    signatory: str | None = governed(
        "签署人，从不公开（R6.2）",
        "who signed; never public (R6.2)",
        "D2",
        shape=Shape.DETAIL,
        target="signatory",
        mask=Mask.NAME,
    )
    template: str = detail("模板代码", "code of the template", "template")
    template_version: str = detail("所签署的模板版本", "version that was signed", "template_version")
    title: str = detail("标题", "title", "title")
    text: str = detail("承诺内容", "what was promised", "text")
    scope: str = detail("承诺范围", "scope", "scope")
    consequence: str = detail("违背承诺的后果", "what follows from a breach", "consequence")
    valid_from: Date = detail("有效期自", "first day of validity", "valid_from")
    valid_to: Date = detail("有效期至", "last day of validity", "valid_to")
    signed_digest: SM3Digest = detail("签署文件的 SM3 摘要", "SM3 digest of the signed file", "signed_digest")
    consents_to_publication: bool = detail(
        "同意公示，为承诺书的一部分（R6.2）",
        "consent to publish, part of the form (R6.2)",
        "consents_to_publication",
    )
    published_on: Date | None = detail("公示日期", "published on", "published_on")
    ended_on: Date | None = detail("终止日期", "ended on", "ended_on")
    inspections: list[PublishedInspection] = rows(
        "已公开的抽查结果", "published results of inspections", "inspections"
    )
    breach: CommitmentBreach | None = rows("违背承诺认定（R6.4）", "established breach (R6.4)", "breach")


@strawberry.input(description="承诺书（R6.1） · A commitment as it was signed (R6.1)")
class CommitmentInput:
    template: str = supplied("模板代码", "code of the template")
    template_version: str = supplied("所签署的模板版本", "version that was signed")
    scope: str = supplied("承诺范围", "scope of the promise")
    signatory: str = supplied("签署人", "who signed")
    valid_from: Date = supplied("有效期自", "first day of validity")
    valid_to: Date = supplied("有效期至", "last day of validity")
    signed_digest: SM3Digest = supplied("签署文件的 SM3 摘要", "SM3 digest of the signed file")
    consents_to_publication: bool = supplied("同意公示（R6.2）", "consent to publish (R6.2)")


_Number = Annotated[str, parameter("编号", "number of the commitment")]
_Signed = Annotated[CommitmentInput, parameter("承诺书", "what was signed")]


@strawberry.type(description="信用承诺查询 · Queries of commitments")
class CommitmentQueries:
    @governed("按编号查信用承诺", "a commitment by its number", OPEN, shape=Shape.ONE, target="case")
    def commitment(
        self, number: Annotated[str, filters("编号", "number", "Commitment.number", "eq")]
    ) -> Commitment | None:
        return PLANNED

    @governed(
        "某日可签署的承诺书模板，缺省为今日（R6.1、R6.5）",
        "the templates that are signed on a day, today by default (R6.1, R6.5)",
        OPEN,
        shape=Shape.ROWS,
        target="commitment_templates",
    )
    def commitment_templates(
        self, on: Annotated[Date | None, parameter("日期", "day")] = None
    ) -> list[CommitmentTemplate] | None:
        return PLANNED


_command = commands_of("commitment")


@strawberry.type(description="信用承诺操作 · Commands of commitments")
class CommitmentCommands:
    @_command("提交本人的信用承诺（R6.1）", "hand in one's own commitment (R6.1)", "submit", Capability.APPLY)
    def submit_commitment(
        self,
        commitment: _Signed,
        receiver: Annotated[
            str | None,
            parameter("受理单位，缺省为省商务厅", "unit that handles it, by default the department"),
        ] = None,
    ) -> Commitment | None:
        return PLANNED

    @_command("登记书面提交的信用承诺（R6.1）", "record a commitment handed in on paper (R6.1)", "record")
    def record_commitment(
        self,
        subject: SubjectCode,
        commitment: _Signed,
    ) -> Commitment | None:
        return PLANNED

    @_command("退回信用承诺补正", "give a commitment back for correction", "return")
    def return_commitment(self, number: _Number, reason: Reason) -> Commitment | None:
        return PLANNED

    @_command("补正后重新提交本人的信用承诺", "hand one's commitment in again", "revise", Capability.APPLY)
    def revise_commitment(self, number: _Number, commitment: _Signed) -> Commitment | None:
        return PLANNED

    @_command("补正登记的信用承诺", "correct a commitment that was recorded", "revise_recorded")
    def revise_recorded_commitment(self, number: _Number, commitment: _Signed) -> Commitment | None:
        return PLANNED

    @_command(
        "经同意在本单位门户网站公示信用承诺（R6.2）",
        "publish a commitment on the own portal, by its consent (R6.2)",
        "publish",
    )
    def publish_commitment(
        self,
        number: _Number,
        clearance: Annotated[
            str | None,
            parameter("涉未成年人文字的核对意见", "why words that sound like a minor may be published"),
        ] = None,
    ) -> Commitment | None:
        return PLANNED

    @_command("确认信用承诺已履行", "confirm that a commitment was fulfilled", "fulfil")
    def fulfil_commitment(self, number: _Number, document_number: DocumentNumber) -> Commitment | None:
        return PLANNED

    @_command(
        "撤回本人的信用承诺及公示同意",
        "withdraw one's commitment and the consent to publish it",
        "withdraw",
        Capability.APPLY,
    )
    def withdraw_commitment(
        self, number: _Number, reason: Annotated[str | None, parameter("理由", "reason")] = None
    ) -> Commitment | None:
        return PLANNED

    @_command(
        "登记书面撤回的信用承诺",
        "record the withdrawal of a commitment handed in on paper",
        "withdraw_recorded",
    )
    def withdraw_recorded_commitment(
        self, number: _Number, reason: Reason, document_number: DocumentNumber
    ) -> Commitment | None:
        return PLANNED
