"""Industry credit evaluations: whether a certificate vouches for a grade, and on which days it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from connectors.certificates import certificate_problem
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force
from hub.rules.publicity import add_months


@dataclass(frozen=True)
class Scheme:
    """The dated row of a numbering."""

    id: str
    valid_years: int
    review_months: int
    term: Term


@dataclass(frozen=True)
class Evaluation:
    """An evaluation as an association states it: grade with or without a sign, number of the certificate, days."""

    grade: str
    certificate: str
    graded_on: date
    reviewed_on: date | None = None


@dataclass(frozen=True)
class CertificateRules:
    """The dated rows of certificates.toml."""

    schemes: tuple[Scheme, ...]

    def problems(self, said: Evaluation, today: date) -> tuple[str, ...]:
        """Why the evaluation may not be shown as one today (R14.1); empty: it may. It stays market information.

        UNKNOWN_SCHEME, UNKNOWN_GRADE, NOT_A_NUMBER, OTHER_GRADE, OTHER_YEAR, NOT_YET, EXPIRED.
        """
        scheme = in_force(self.schemes, said.graded_on)
        if scheme is None:
            return ("UNKNOWN_SCHEME",)
        problem = certificate_problem(said.certificate, said.grade, said.graded_on.year)
        found = [] if problem is None else [problem]
        if today < said.graded_on:
            found.append("NOT_YET")
        if today > _last(scheme, said.graded_on):
            found.append("EXPIRED")
        return tuple(found)

    def holds_until(self, graded_on: date) -> date | None:
        """The last day of an evaluation; None when no numbering was in force on its day."""
        scheme = in_force(self.schemes, graded_on)
        return None if scheme is None else _last(scheme, graded_on)

    def stale(self, said: Evaluation, today: date) -> bool:
        """Whether the yearly review is overdue (R14.3): it is still shown, with a flag."""
        scheme = in_force(self.schemes, said.graded_on)
        reviewed = max(said.graded_on, said.reviewed_on or said.graded_on)
        return scheme is None or today > add_months(reviewed, scheme.review_months)


def load_certificate_rules(text: str | None = None) -> CertificateRules:
    """The rows of certificates.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("certificates.toml", text)
    rules = CertificateRules(file.rows("scheme", _scheme))
    file.done()
    disjoint(rules.schemes, "certificates.toml: scheme")
    return rules


def _last(scheme: Scheme, graded_on: date) -> date:
    return add_months(graded_on, 12 * scheme.valid_years) - timedelta(days=1)


def _scheme(row: Row) -> Scheme:
    return Scheme(row.text("id"), row.number("valid_years"), row.number("review_months"), row.term())
