"""The whole vocabulary as one Strawberry schema, before any caller's view of it."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.catalogue import CatalogItemVersion, PowerListItem
from schema.commitments import Commitment
from schema.credit_checks import CreditCheck, TolerantAcceptance
from schema.disclosures import CaseDisclosure
from schema.foreign_trade import InvestmentContract, OutboundAdverseCase
from schema.honest_models import HonestModelNomination
from schema.inspections import CommitmentInspection, InspectionPlan
from schema.listings import ListConflict, ListingCase
from schema.measures import MeasureApplication
from schema.members import MemberPublication
from schema.merchants import MerchantArchiveCase
from schema.mutation import Mutation
from schema.notifications import CreditNotification
from schema.objections import CorrectionNotice, ObjectionCase
from schema.plans import ImplementationPlan
from schema.publicity import PublicityCase
from schema.query import Query
from schema.records import AdministrativeLicense, AdministrativePenalty, GenericCreditRecord
from schema.repair import RepairCase
from schema.reports import QuarterlyReport
from schema.scalars import DEFINITIONS
from schema.subjects import IndividualBusiness, NaturalPerson, Organization
from schema.tiers import SupervisionTier
from schema.trainings import Training


def whole_schema() -> strawberry.Schema:
    """Every coordinate the hub knows; partners only ever meet a view of it."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        types=[
            Organization,
            IndividualBusiness,
            NaturalPerson,
            AdministrativeLicense,
            AdministrativePenalty,
            GenericCreditRecord,
            CreditCheck,
            TolerantAcceptance,
            ListingCase,
            ListConflict,
            PublicityCase,
            Commitment,
            InspectionPlan,
            CommitmentInspection,
            MeasureApplication,
            CreditNotification,
            MemberPublication,
            MerchantArchiveCase,
            RepairCase,
            QuarterlyReport,
            CatalogItemVersion,
            PowerListItem,
            SupervisionTier,
            CaseDisclosure,
            ImplementationPlan,
            HonestModelNomination,
            Training,
            ObjectionCase,
            CorrectionNotice,
            OutboundAdverseCase,
            InvestmentContract,
        ],
        config=StrawberryConfig(scalar_map=DEFINITIONS),
    )
