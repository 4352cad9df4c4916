"""The commands: each is a transition of a case, and answers with what its caller may see of it."""

import strawberry

from schema.catalogue import CatalogueCommands
from schema.commitments import CommitmentCommands
from schema.credit_checks import CheckCommands
from schema.disclosures import DisclosureCommands
from schema.domestic import DomesticCommands
from schema.foreign_trade import ForeignTradeCommands
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
from schema.trainings import TrainingCommands


@strawberry.type(
    description="操作：一次请求中的全部操作要么都生效，要么都不生效 · Commands; those of one request take effect together or not at all"
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
    CheckCommands,
):
    """All commands, each declared with its mechanism."""
