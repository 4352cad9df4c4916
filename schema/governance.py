"""How a coordinate declares what governs it: its data class, its column or relation, and what a masked caller gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")

# The classes of the ceiling matrix. Every row carries one, or it is quarantined; every coordinate declares some.
DATA_CLASSES = tuple(f"D{number}" for number in range(1, 44))
# Not data of anybody: the hub's own words about itself. Every use is listed in a test.
OPEN = "OPEN"
# The data class that each row of the entity carries.
ROW = "ROW"
# Part of an embedded value (an authority, a provenance): governed by the coordinate that holds it.
HOLDER = "HOLDER"


class Mask(StrEnum):
    """What a caller with level MASKED gets in place of the value."""

    WITHHELD = "WITHHELD"  # null
    KEEP = "KEEP"  # the value itself: it identifies nobody and reveals nothing beyond the row's existence
    NAME = "NAME"  # first character, then asterisks: 马**
    PHONE = "PHONE"  # last four digits
    ADDRESS = "ADDRESS"  # down to the county


class Need(StrEnum):
    """The least level at which a coordinate is served."""

    YES_NO = "YES_NO"  # three-valued answers
    MASKED = "MASKED"
    FULL = "FULL"


class Capability(StrEnum):
    """Ways of asking that an agreement grants beside its data classes."""

    LOOKUP = "LOOKUP"  # one subject, by exact identifier
    BULK = "BULK"  # many subjects, by exact code
    SEARCH = "SEARCH"  # candidates by name
    BROWSE = "BROWSE"  # lists and records without naming a subject
    HISTORY = "HISTORY"  # what the hub knew at an earlier time
    LINEAGE = "LINEAGE"  # record ids and digests at the source
    VIEW_AS = "VIEW_AS"  # another partner's view, never wider than one's own
    CHECK = "CHECK"  # run credit checks before a handling (R5.1)
    CASEWORK = (
        "CASEWORK"  # move the department's cases: commitments, publicity, lists, measures, repair, reports
    )
    REVIEW = "REVIEW"  # the second person: secrecy and content review, recognition
    APPLY = "APPLY"  # the subject's own applications: objection, repair, commitment, consent
    MEMBER_WORK = "MEMBER_WORK"  # keep the archives of one's members
    MERCHANT_WORK = "MERCHANT_WORK"  # keep the archives of one's merchants
    REPORT = "REPORT"  # submit the quarterly report
    RECEIVE = "RECEIVE"  # acknowledge and answer measures, acknowledge corrections
    NOTIFY = "NOTIFY"  # send notifications between agencies, acknowledge and answer them


class Shape(StrEnum):
    """How a field reaches its value."""

    COLUMN = "COLUMN"  # a column of the row
    DETAIL = "DETAIL"  # a member of the row's `details`
    COMPUTED = "COMPUTED"  # an expression that hub.query.expressions knows by name
    EMBEDDED = "EMBEDDED"  # an object made of columns of the same row
    ONE = "ONE"  # one row of another entity
    MANY = "MANY"  # a list of rows of another entity
    CONNECTION = "CONNECTION"  # a page of rows of another entity
    ROWS = "ROWS"  # objects that are JSON: brought along by the hub with the request, or kept in the row
    COMMAND = "COMMAND"  # does something, then reads what it made: `target` names the command of hub.casework


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What governs a field."""

    classes: tuple[str, ...]
    shape: Shape
    # Column, member of details, expression, relation or column prefix, according to `shape`.
    target: str = ""
    mask: Mask = Mask.WITHHELD
    need: Need = Need.MASKED
    capability: Capability | None = None


# The operator of a condition that chooses no rows and puts them in order.
ORDER = "order"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What governs an argument or an input field that chooses rows or puts them in order: the field it tests, and how."""

    # Coordinate of the tested field; the argument exists only where that field is served unmasked in every visible row.
    tests: str
    operator: str  # eq, in, gte, lte, counted_in, similar, prefix; or ORDER
    # Column tested, when it is not the coordinate's own.
    column: str = ""
    # Coordinates that the answer tells of besides: how the tested value is reached, or the part of it that is tested.
    also: tuple[str, ...] = ()

    @property
    def coordinates(self) -> tuple[str, ...]:
        """All that must be shown for the argument to exist."""
        return (self.tests, *self.also)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What governs an argument that does not filter: a capability, or nothing but its field's own rule."""

    capability: Capability | None = None
    # A text that its mechanism screens itself (R7.3): numbers of persons in it are found and told, not refused. Or one
    # that nobody keeps.
    screened: bool = False


@dataclass(frozen=True, kw_only=True)
class Entity:
    """What governs a type: the relation its rows come from and the data classes those rows may carry."""

    relation: str
    row_classes: tuple[str, ...]
    # Rows of the relation that are of this type: (column, values).
    discriminator: tuple[str, tuple[str, ...]] | None = None
    # Of what such a row embeds: the class that the vocabulary names → the class that it is of here.
    renamed: Mapping[str, str] = field(default_factory=dict)


ENTITIES: str = "__hub_entity__"


def entity(
    relation: str,
    *row_classes: str,
    only: tuple[str, tuple[str, ...]] | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Declare that the type's objects are rows of `relation` with one of `row_classes`."""

    def declare(cls: type[T]) -> type[T]:
        setattr(
            cls,
            ENTITIES,
            Entity(relation=relation, row_classes=row_classes, discriminator=only, renamed=renamed or {}),
        )
        return cls

    return declare
