"""What law, agreement and purpose let a partner see of a data class. Pure; levels and scopes are decided here alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hub.rights.matrix import (
    DataClass,
    Grant,
    Level,
    Matrix,
    PartnerClass,
    Purpose,
    Scope,
    WithheldReason,
)


@dataclass(frozen=True)
class Decision:
    """What one caller gets of one data class: grants, the strongest first; none: nothing is given.

    `reason` is OK only when every row is given in full; `basis` is the law that gives, or that withholds.
    """

    data_class: str
    grants: tuple[Grant, ...]
    reason: WithheldReason
    basis: str

    @property
    def level(self) -> Level:
        """The most that any row may show."""
        return self.grants[0].level if self.grants else Level.NONE


class Terms(Protocol):
    """What a decision needs of an agreement."""

    @property
    def partner_class(self) -> str:
        """P1 … P12."""

    @property
    def document(self) -> str:
        """Number of the signed document."""

    @property
    def valid_from(self) -> date:
        """First day in force."""

    @property
    def valid_to(self) -> date:
        """Last day in force."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Beginnings of the codes of its regions."""

    @property
    def source(self) -> str | None:
        """The source that the partner itself runs."""

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """Purposes that the partner may declare."""

    @property
    def data(self) -> Mapping[str, tuple[Level, frozenset[Purpose] | None]]:
        """Data class → most that is granted, and the purposes for it (None: all of the agreement)."""


def decide(
    matrix: Matrix, agreement: Terms, purpose: Purpose | str | None, data_class: str, today: date
) -> Decision:
    """Decide what `agreement` gives of `data_class` for `purpose` on `today`: matrix, narrowed; deny wins.

    Never raises: what is unknown, undeclared or out of force gives nothing, with a reason and its basis.
    """
    described = matrix.data.get(data_class)
    partner = matrix.partners.get(agreement.partner_class)
    if described is None or partner is None:
        return _nothing(data_class, WithheldReason.NO_LEGAL_BASIS, matrix.basis["UNLISTED"])
    if not agreement.valid_from <= today <= agreement.valid_to:
        return _nothing(data_class, WithheldReason.NO_LEGAL_BASIS, f"{agreement.document} 未生效或已到期")
    if purpose is None:
        return _nothing(data_class, WithheldReason.NO_PURPOSE, matrix.basis["PURPOSE_LIMIT"])
    if purpose not in agreement.purposes or purpose not in partner.purposes:
        return _nothing(data_class, WithheldReason.PURPOSE_NOT_ALLOWED, matrix.basis["PURPOSE_LIMIT"])
    declared = Purpose(purpose)
    grants = [
        grant
        for grant in (
            _contributed(matrix, agreement, partner, data_class),
            _narrowed(matrix, agreement, declared, data_class, today),
        )
        if grant is not None
    ]
    if not grants:
        return _refusal(matrix, agreement, declared, described)
    ordered = _strongest_first(grants)
    reason = _reason(ordered, described)
    return Decision(data_class, ordered, reason, ordered[0].basis)


def decisions(
    matrix: Matrix, agreement: Terms, purpose: Purpose | str | None, today: date
) -> Mapping[str, Decision]:
    """Decide for every data class: what a view is made of."""
    return {code: decide(matrix, agreement, purpose, code, today) for code in matrix.data}


def meet(own: Decision, other: Decision) -> Decision:
    """What `own`'s holder sees when it views as `other`: never more than either.

    Grants of `own` with scopes are left out: they speak of the viewer's rows, not of the other's.
    """
    ceiling = max((grant.level for grant in own.grants if not grant.scopes), default=Level.NONE)
    if ceiling is Level.NONE:
        return _nothing(own.data_class, own.reason, own.basis)
    grants = tuple(Grant(min(grant.level, ceiling), grant.scopes, grant.basis) for grant in other.grants)
    if ceiling >= other.level:
        return Decision(other.data_class, grants, other.reason, other.basis)
    return Decision(other.data_class, grants, own.reason, own.basis)


def _nothing(data_class: str, reason: WithheldReason, basis: str) -> Decision:
    return Decision(data_class, (), reason, basis)


def _contributed(matrix: Matrix, agreement: Terms, partner: PartnerClass, data_class: str) -> Grant | None:
    """The source agency's own rows, in full; numbers of persons (D3) never on this ground (PIPL art. 28)."""
    owner = matrix.sources.get(agreement.source) if agreement.source is not None else None
    if (
        owner is None
        or partner.code not in owner.partners
        or data_class not in owner.data
        or data_class == "D3"
    ):
        return None
    scopes = frozenset({Scope.OWN_SOURCE}) | partner.every_cell | _volunteered(agreement, partner)
    return Grant(Level.FULL, scopes, matrix.basis["SOURCE_OWN"])


def _volunteered(agreement: Terms, partner: PartnerClass) -> frozenset[Scope]:
    """An agreement that names regions where its class needs none binds all that it gives to them."""
    bound = agreement.regions and not partner.region_digits
    return frozenset({Scope.OWN_REGION}) if bound else frozenset()


def _narrowed(
    matrix: Matrix, agreement: Terms, purpose: Purpose, data_class: str, today: date
) -> Grant | None:
    partner = matrix.partners[agreement.partner_class]
    ceiling = matrix.ceiling(partner.code, purpose, data_class, today)
    granted, purposes = agreement.data.get(data_class, (Level.NONE, None))
    if ceiling is None or (purposes is not None and purpose not in purposes):
        return None
    level = min(ceiling.level, granted)
    scopes = ceiling.scopes | _volunteered(agreement, partner)
    return Grant(level, scopes, ceiling.basis) if level > Level.NONE else None


def _strongest_first(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: (-grant.level, len(grant.scopes), sorted(grant.scopes))))


def _refusal(matrix: Matrix, agreement: Terms, purpose: Purpose, described: DataClass) -> Decision:
    cell = matrix.cells.get((described.code, agreement.partner_class))
    if cell is None:
        return _nothing(described.code, described.withheld, described.protected_by)
    granted, purposes = agreement.data.get(described.code, (Level.NONE, None))
    if granted is Level.NONE:
        return _nothing(
            described.code, WithheldReason.NO_LEGAL_BASIS, f"{agreement.document} 未授予 {described.code}"
        )
    for allowed in (cell.purposes, purposes):
        if allowed is not None and purpose not in allowed:
            return _nothing(described.code, WithheldReason.PURPOSE_NOT_ALLOWED, matrix.basis["PURPOSE_LIMIT"])
    return _nothing(described.code, described.withheld, described.protected_by)


def _reason(grants: tuple[Grant, ...], described: DataClass) -> WithheldReason:
    """Why not every row is given in full: consent first (it can be had), then the class, then the scope."""
    if any(grant.level is Level.FULL and not grant.scopes for grant in grants):
        return WithheldReason.OK
    if all(Scope.CONSENT in grant.scopes for grant in grants):
        return WithheldReason.CONSENT_REQUIRED
    if grants[0].level < Level.FULL:
        return described.withheld
    weakest = grants[-1].scopes
    if Scope.OWN_REGION in weakest:
        return WithheldReason.OUT_OF_REGION
    if weakest & {Scope.OWN_MEMBER, Scope.OWN_MERCHANT}:
        return WithheldReason.NOT_YOUR_MEMBER
    return described.withheld
