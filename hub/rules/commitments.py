"""Commitments (信用承诺, article 六): types, templates and what a breach is recorded as, as dated rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force, the_one

# The national classification as far as it is known (open point: its edition in force).
NATIONAL = ("审批替代型", "告知承诺", "容缺受理型", "证明事项型", "信用修复型", "行业自律型", "主动型")
KINDS = ("BREACHED", "FALSE_COMMITMENT")
SERIOUSNESS = ("MINOR", "GENERAL", "SERIOUS")


@dataclass(frozen=True)
class CommitmentType:
    """A type of commitment and the kinds of the national classification that it is reported as (R6.5)."""

    code: str
    zh: str
    en: str
    national: tuple[str, ...]
    # The longest validity, in months.
    most_months: int
    term: Term


@dataclass(frozen=True)
class Template:
    """A version of a text to be signed, with the clause on what follows from a breach (R6.1)."""

    code: str
    version: str
    type: str
    title: str
    body: str
    consequence: str
    term: Term

    def text(self, subject: str, scope: str) -> str:
        """What is signed: the words of this version, with the subject's name and the scope of its promise."""
        before, found, after = self.body.partition("{scope}")
        return (
            before.replace("{subject}", subject)
            + (scope if found else "")
            + after.replace("{subject}", subject)
        )


@dataclass(frozen=True)
class Breach:
    """The record that an established breach makes (R6.4)."""

    kind: str
    record_type: str
    zh: str
    seriousness: str
    catalogue_item: str
    term: Term


@dataclass(frozen=True)
class CommitmentRules:
    """The dated rows of commitments.toml."""

    types: tuple[CommitmentType, ...]
    templates: tuple[Template, ...]
    breaches: tuple[Breach, ...]

    def type_on(self, code: str, day: date) -> CommitmentType | None:
        """The type called `code`, when commitments of it are made on `day` (R6.5)."""
        return in_force([one for one in self.types if one.code == code], day)

    def template_on(self, code: str, day: date) -> Template | None:
        """The version of the template `code` that is signed on `day` (R6.1)."""
        return in_force([one for one in self.templates if one.code == code], day)

    def breach(self, kind: str, day: date) -> Breach:
        """What a breach established on `day` is recorded as (R6.4). Raises RulesInvalid: no row in force."""
        return the_one([one for one in self.breaches if one.kind == kind], day, f"breach {kind}")


@cache
def load_commitment_rules(text: str | None = None) -> CommitmentRules:
    """The rows of commitments.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("commitments.toml", text)
    rules = CommitmentRules(
        file.rows("type", _type), file.rows("template", _template), file.rows("breach", _breach)
    )
    file.done()
    disjoint(rules.types, "commitments.toml: type", lambda row: row.code)
    disjoint(rules.templates, "commitments.toml: template", lambda row: row.code)
    disjoint(rules.breaches, "commitments.toml: breach", lambda row: row.kind)
    known = {one.code for one in rules.types}
    for template in rules.templates:
        if template.type not in known:
            raise RulesInvalid(f"commitments.toml: template {template.code}: type {template.type} is unknown")
    return rules


def _type(row: Row) -> CommitmentType:
    return CommitmentType(
        row.text("code"),
        row.text("zh"),
        row.text("en"),
        row.texts("national", NATIONAL),
        row.number("most_months"),
        row.term(),
    )


def _template(row: Row) -> Template:
    template = Template(
        row.text("code"),
        row.text("version"),
        row.text("type"),
        row.text("title"),
        row.text("body"),
        row.text("consequence"),
        row.term(),
    )
    if "{scope}" not in template.body or "{subject}" not in template.body:
        raise RulesInvalid(f"{row.where}: the text has no place for subject and scope")
    return template


def _breach(row: Row) -> Breach:
    return Breach(
        row.choice("kind", KINDS),
        row.text("record_type"),
        row.text("zh"),
        row.choice("seriousness", SERIOUSNESS),
        row.text("catalogue_item"),
        row.term(),
    )
