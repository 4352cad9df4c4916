"""The commands: each is a transition of a case, and answers with what its caller may see of it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.catalogue import CatalogueCommands
from schema.commitments import CommitmentCommands
from schema.credit_checks import (
    CreditCheck,
    CreditCheckRow,
    HandlingDecision,
    MissingPaperInput,
    TolerantAcceptance,
)
from schema.disclosures import DisclosureCommands
from schema.domestic import DomesticCommands
from schema.foreign_trade import ForeignTradeCommands
from schema.governance import OPEN, PLANNED, Capability, Shape, governed, parameter
from schema.honest_models import HonestModelCommands
from schema.inspections import InspectionCommands
from schema.listings import ListCommands
from schema.measures import MeasureCommands
from schema.members import MemberCommands
from schema.merchants import MerchantCommands
from schema.notifications import NotificationCommands
from schema.objections import ObjectionCommands
from schema.plans import PlanCommands
from schema.publicity import PublicityCommands
from schema.repair import RepairCommands
from schema.reports import ReportCommands
from schema.scalars import USCC, Date, SM3Digest
from schema.trainings import TrainingCommands


@strawberry.type(
    description="操作:一次请求中的全部操作要么都生效,要么都不生效 · Commands; those of one request take effect together or not at all"
)
class Mutation(
    ListCommands,
    PublicityCommands,
    MeasureCommands,
    NotificationCommands,
    MerchantCommands,
    RepairCommands,
    ReportCommands,
    CatalogueCommands,
    DisclosureCommands,
    CommitmentCommands,
    InspectionCommands,
    MemberCommands,
    DomesticCommands,
    PlanCommands,
    HonestModelCommands,
    TrainingCommands,
    ObjectionCommands,
    ForeignTradeCommands,
):
    @governed(
        "信用审查",
        "check a subject before a handling; the purpose, matter and case are the request's (R5.1)",
        OPEN,
        shape=Shape.COMMAND,
        target="check.run",
        capability=Capability.CHECK,
    )
    def run_credit_check(
        self, subject: Annotated[USCC, parameter("统一社会信用代码", "unified social credit code")]
    ) -> CreditCheck | None:
        return PLANNED

    @governed(
        "批量信用审查",
        "check up to 500 subjects, one row each, in the order asked",
        OPEN,
        shape=Shape.COMMAND,
        target="check.run_batch",
        capability=Capability.CHECK,
    )
    def run_credit_checks(
        self, subjects: Annotated[list[str], parameter("统一社会信用代码", "unified social credit codes")]
    ) -> list[CreditCheckRow] | None:
        return PLANNED

    @governed(
        "反馈办理结果",
        "feed back what the official decided (R5.3)",
        OPEN,
        shape=Shape.COMMAND,
        target="check.feedback",
        capability=Capability.CHECK,
    )
    def record_check_feedback(
        self,
        number: Annotated[str, parameter("审查编号", "number of the check")],
        decision: Annotated[HandlingDecision, parameter("办理结果", "decision")],
        decided_on: Annotated[Date, parameter("决定日期", "day of the decision")],
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
        reason: Annotated[str | None, parameter("理由", "reason, where it differs from the advice")] = None,
    ) -> CreditCheck | None:
        return PLANNED

    @governed(
        "容缺受理",
        "accept with non-core papers missing, on a written commitment and by a day (R5.6)",
        OPEN,
        shape=Shape.COMMAND,
        target="tolerance.accept",
        capability=Capability.CHECK,
    )
    def accept_tolerantly(
        self,
        number: Annotated[str, parameter("审查编号", "number of the check")],
        missing_papers: Annotated[list[MissingPaperInput], parameter("容缺材料", "papers that are missing")],
        commitment: Annotated[str, parameter("书面承诺", "text of the written commitment")],
        commitment_digest: Annotated[SM3Digest, parameter("承诺书摘要", "SM3 digest of the signed file")],
        due_on: Annotated[Date, parameter("补正期限", "last day for the papers")],
    ) -> TolerantAcceptance | None:
        return PLANNED

    @governed(
        "容缺材料补齐",
        "the missing papers came",
        OPEN,
        shape=Shape.COMMAND,
        target="tolerance.complete",
        capability=Capability.CHECK,
    )
    def complete_tolerance(
        self,
        number: Annotated[str, parameter("容缺受理编号", "number of the tolerant acceptance")],
        document_number: Annotated[str | None, parameter("文号", "number of the document")] = None,
    ) -> TolerantAcceptance | None:
        return PLANNED

    @governed(
        "容缺未补齐",
        "the day passed without the papers: a breach of the commitment",
        OPEN,
        shape=Shape.COMMAND,
        target="tolerance.fail",
        capability=Capability.CHECK,
    )
    def fail_tolerance(
        self,
        number: Annotated[str, parameter("容缺受理编号", "number of the tolerant acceptance")],
        reason: Annotated[str, parameter("理由", "what was found")],
    ) -> TolerantAcceptance | None:
        return PLANNED
