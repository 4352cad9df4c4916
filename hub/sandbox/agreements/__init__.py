"""The agreements of the twelve demonstration partners, one for each partner class, without keys."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from hub.rights.issuer import IssuerKey

# P1 … P12, in that order.
PARTNERS = (
    "commerce",
    "commerce-xining",
    "reform",
    "customs",
    "tax",
    "forex",
    "procurement",
    "chamber",
    "mall",
    "subject",
    "public",
    "auditor",
)


def demo_agreements(key: IssuerKey) -> Mapping[str, str]:
    """Partner → text of its agreement, which trusts the demonstration's own `key`."""
    issuer = _issuer(key)
    return {
        partner: files(__name__).joinpath(f"{partner}.toml").read_text(encoding="utf-8") + issuer
        for partner in PARTNERS
    }


def _issuer(key: IssuerKey) -> str:
    # Names and numbers of a key hold no character that TOML would have escaped.
    public = ", ".join(f'{name} = "{value}"' for name, value in key.jwk.items())
    return (
        "\n[[issuer]]\n"
        f'iss = "{key.iss}"\nkid = "{key.kid}"\nalg = "{key.alg}"\njwk = {{ {public} }}\n'
        f"valid_from = {key.valid_from}\nvalid_to = {key.valid_to}\n"
    )
