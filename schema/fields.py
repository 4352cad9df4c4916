"""Fields and arguments of the vocabulary, each declared with its description in both languages and what governs it.

Apart from `schema.governance`, so that a command that only reads a matrix or an agreement need not load Strawberry.
"""

from typing import Any

import strawberry

from schema.governance import ORDER, Capability, Condition, Mask, Need, Parameter, Rule, Shape


def _describe(zh: str, en: str) -> str:
    return f"{zh} · {en}"


def governed(
    zh: str,
    en: str,
    *classes: str,
    shape: Shape = Shape.COLUMN,
    target: str = "",
    mask: Mask = Mask.WITHHELD,
    need: Need = Need.MASKED,
    capability: Capability | None = None,
) -> Any:
    """A field with its description in both languages and its rule; also a decorator for fields with arguments."""
    rule = Rule(classes=classes, shape=shape, target=target, mask=mask, need=need, capability=capability)
    return strawberry.field(description=_describe(zh, en), metadata={"rule": rule})


def condition(
    zh: str, en: str, tests: str, operator: str, column: str = "", also: tuple[str, ...] = ()
) -> Any:
    """An input field that filters on the coordinate `tests`."""
    return strawberry.field(
        description=_describe(zh, en),
        default=None,
        metadata={"rule": Condition(tests=tests, operator=operator, column=column, also=also)},
    )


def filters(zh: str, en: str, tests: str, operator: str, column: str = "", also: tuple[str, ...] = ()) -> Any:
    """An argument that filters on the coordinate `tests`."""
    return strawberry.argument(
        description=_describe(zh, en),
        metadata={"rule": Condition(tests=tests, operator=operator, column=column, also=also)},
    )


def orders(zh: str, en: str, tests: str) -> Any:
    """An argument that puts rows in an order of the coordinate `tests`."""
    return strawberry.argument(
        description=_describe(zh, en), metadata={"rule": Condition(tests=tests, operator=ORDER)}
    )


def parameter(zh: str, en: str, capability: Capability | None = None, *, screened: bool = False) -> Any:
    """An argument that does not filter."""
    rule = Parameter(capability=capability, screened=screened)
    return strawberry.argument(description=_describe(zh, en), metadata={"rule": rule})


def supplied(zh: str, en: str, *, optional: bool = False) -> Any:
    """An input field that does not filter: what a command is told."""
    described = {"description": _describe(zh, en), "metadata": {"rule": Parameter()}}
    return strawberry.field(**described, default=None) if optional else strawberry.field(**described)  # type: ignore[call-overload]


# The body of every field with arguments: Strawberry declares, the hub's plan executes. Executed by anything else
# the field is null, which withholds.
PLANNED: Any = None
