"""What a request is for: declared by header, claim or agreement, and always checked against the agreement."""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import MatterRequired, PurposeNotAllowed, PurposeRequired
from hub.rights.matrix import Matrix, Purpose
from hub.rights.policy import Terms
from schema.characters import is_readable

# A matter or case number is kept in the ledger as given: short, and without anything that cannot be seen.
_LONGEST = 64


@dataclass(frozen=True)
class Declared:
    """A purpose that the agreement allows, with the matter and the case it is declared for."""

    purpose: Purpose
    matter: str | None
    case: str | None


def declare(
    matrix: Matrix,
    agreement: Terms,
    header: str | None,
    claim: str | None,
    matter: str | None,
    case: str | None,
) -> Declared:
    """The declared purpose: the header's, else the token's, else the agreement's only one (PIPL art. 6, 令809号).

    Raises PurposeRequired with the purposes this partner may declare, PurposeNotAllowed, MatterRequired.
    """
    allowed = [str(one) for one in agreement.purposes]
    said = header or claim
    if said is None:
        if len(allowed) != 1:
            raise PurposeRequired(purposes=allowed)
        said = allowed[0]
    if said not in allowed:
        raise PurposeNotAllowed(purposes=allowed)
    purpose = Purpose(said)
    partner = matrix.partners[agreement.partner_class]
    given = (_number(matter, "Hub-Matter"), _number(case, "Hub-Case"))
    if purpose in partner.matter and given[0] is None:
        raise MatterRequired("This purpose needs a matter code in the header Hub-Matter.")
    if purpose in partner.case and given[1] is None:
        raise MatterRequired("This purpose needs a case number in the header Hub-Case.")
    return Declared(purpose, *given)


def _number(value: str | None, header: str) -> str | None:
    if value is not None and not (0 < len(value) <= _LONGEST and is_readable(value) and value.strip()):
        raise MatterRequired(f"The header {header} holds 1 to {_LONGEST} printable characters.")
    return value
