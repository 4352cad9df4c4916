"""How the mechanisms declare the fields of their cases, the commands that move them, and what all commands are told."""

from typing import Annotated, Any, Protocol

from schema.fields import governed, parameter
from schema.governance import HOLDER, OPEN, ROW, Capability, Mask, Shape
from schema.scalars import USCC


def column(zh: str, en: str, target: str) -> Any:
    """A column of the case itself; it names nobody, so it is kept for who is shown the case masked."""
    return governed(zh, en, ROW, target=target, mask=Mask.KEEP)


def detail(zh: str, en: str, target: str, *, capability: Capability | None = None) -> Any:
    """A member of the case's details; kept for who is shown the case masked."""
    return governed(zh, en, ROW, shape=Shape.DETAIL, target=target, mask=Mask.KEEP, capability=capability)


def rows(zh: str, en: str, target: str, *, capability: Capability | None = None) -> Any:
    """An object or a list of objects in the case's details; kept for who is shown the case masked."""
    return governed(zh, en, ROW, shape=Shape.ROWS, target=target, mask=Mask.KEEP, capability=capability)


def withheld(
    zh: str, en: str, target: str, shape: Shape = Shape.DETAIL, *, capability: Capability | None = None
) -> Any:
    """What may name a person or tell a secret: withheld from who is shown the case masked."""
    return governed(zh, en, ROW, shape=shape, target=target, capability=capability)


def copied(zh: str, en: str, target: str, mask: Mask = Mask.KEEP) -> Any:
    """A member that the case copied from the record or list entry it is about: governed as that is, beside the case.

    `mask`: as there.
    """
    return governed(zh, en, ROW, shape=Shape.COMPUTED, target=f"copied:{target}", mask=mask)


def screened(zh: str, en: str, target: str, mask: Mask = Mask.WITHHELD) -> Any:
    """A text with the redactor's findings in it: for the unit that handles it alone, until a person has cleared them."""
    return governed(zh, en, ROW, shape=Shape.COMPUTED, target=f"screened:{target}", mask=mask)


def one(zh: str, en: str, target: str) -> Any:
    """What the relation `target` leads to, as far as that is shown itself."""
    return governed(zh, en, ROW, shape=Shape.ONE, target=target, mask=Mask.KEEP)


def many(zh: str, en: str, target: str, *, capability: Capability | None = None) -> Any:
    """All that the relation `target` leads to."""
    return governed(zh, en, ROW, shape=Shape.MANY, target=target, mask=Mask.KEEP, capability=capability)


def member(
    zh: str, en: str, target: str, shape: Shape = Shape.COLUMN, *, capability: Capability | None = None
) -> Any:
    """A member of an object that a field of the case holds: that field decides who sees it."""
    return governed(zh, en, HOLDER, shape=shape, target=target, mask=Mask.KEEP, capability=capability)


def open_to_all(zh: str, en: str, target: str, shape: Shape = Shape.COLUMN) -> Any:
    """Nobody's data: figures and answers that the hub makes up for the asker."""
    return governed(zh, en, OPEN, shape=shape, target=target, mask=Mask.KEEP)


class DeclareCommand(Protocol):
    """Declares the command `name` of one mechanism, and the capability that it takes."""

    def __call__(self, zh: str, en: str, name: str, capability: Capability = ...) -> Any:
        """A decorator of the method that has the command's arguments and payload."""


def commands_of(mechanism: str, usual: Capability = Capability.CASEWORK) -> DeclareCommand:
    """How `mechanism` declares its commands; they take the capability `usual` where they name no other."""

    def command(zh: str, en: str, name: str, capability: Capability = usual) -> Any:
        return governed(
            zh, en, OPEN, shape=Shape.COMMAND, target=f"{mechanism}.{name}", capability=capability
        )

    return command


# What the commands of all mechanisms are told.
CaseNumber = Annotated[str, parameter("编号", "number of the case")]
DocumentNumber = Annotated[str, parameter("文号", "number of the document")]
Opinion = Annotated[str, parameter("意见", "opinion")]
Reason = Annotated[str, parameter("理由", "reason")]
SubjectCode = Annotated[USCC, parameter("统一社会信用代码", "unified social credit code")]
