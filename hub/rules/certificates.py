"""Industry credit evaluations by associations: by which numbering a certificate is given, and how long it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force
from hub.rules.publicity import add_months


@dataclass(frozen=True)
class Scheme:
    """The dated row of a numbering."""

    id: str
    valid_years: int
    term: Term

    def last_day(self, graded_on: date) -> date:
        """The last day on which an evaluation of that day holds (R14.1)."""
        return add_months(graded_on, 12 * self.valid_years) - timedelta(days=1)


@dataclass(frozen=True)
class CertificateRules:
    """The dated rows of certificates.toml."""

    schemes: tuple[Scheme, ...]

    def scheme(self, graded_on: date) -> Scheme | None:
        """The numbering of certificates given on that day; None: there was none."""
        return in_force(self.schemes, graded_on)


@cache
def load_certificate_rules(text: str | None = None) -> CertificateRules:
    """The rows of certificates.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("certificates.toml", text)
    rules = CertificateRules(file.rows("scheme", _scheme))
    file.done()
    disjoint(rules.schemes, "certificates.toml: scheme")
    return rules


def _scheme(row: Row) -> Scheme:
    return Scheme(row.text("id"), row.number("valid_years"), row.term())
