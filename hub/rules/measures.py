"""Measures that derogate (失信惩戒措施): only on an item of the national list and a law that may carry it. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force
from hub.rules.listing_rows import LEVELS

KINDS = ("RIGHTS", "BENEFITS", "OTHER")
# Brackets, blanks and marks: a title or a number is the same however it is set.
_SETTING = re.compile(r"[\W_]+")
# What may stand beside the names of memoranda without naming a law: their articles, and what joins them.
_BESIDE = re.compile("(?:第[0-9一二三四五六七八九十百]+[条款项]|[和及与等])*")


@dataclass(frozen=True)
class CatalogueItem:
    """An item of the national list of measures, and the levels of basis that carry it."""

    code: str
    item: str
    kind: str
    zh: str
    levels: frozenset[str]
    term: Term


@dataclass(frozen=True)
class Memorandum:
    """A memorandum of joint action between departments: it guides, and is no basis by itself."""

    number: str
    zh: str
    term: Term


@dataclass(frozen=True)
class MeasureRules:
    """The dated rows of measures.toml."""

    catalogue: tuple[CatalogueItem, ...]
    memoranda: tuple[Memorandum, ...]

    def problem(self, code: str | None, basis: str | None, level: str | None, day: date) -> str | None:
        """Why a measure that derogates may not be in effect on `day` (R9.1, 国办发〔2020〕49号); None: it may.

        `code`: its item of the national list; `basis` and `level`: the law that orders it. The first problem is
        told: NATIONAL_CATALOGUE_CODE_MISSING, NATIONAL_CATALOGUE_CODE_UNKNOWN, LEGAL_BASIS_MISSING,
        MEMORANDUM_IS_NO_BASIS, BASIS_LEVEL_TOO_LOW, also where no level is told.
        """
        if not (code or "").strip():
            return "NATIONAL_CATALOGUE_CODE_MISSING"
        item = in_force([row for row in self.catalogue if row.code == code], day)
        if item is None:
            return "NATIONAL_CATALOGUE_CODE_UNKNOWN"
        said = (basis or "").strip()
        if not said:
            return "LEGAL_BASIS_MISSING"
        if self._memoranda_alone(said):
            return "MEMORANDUM_IS_NO_BASIS"
        return None if level in item.levels else "BASIS_LEVEL_TOO_LOW"

    def _memoranda_alone(self, basis: str) -> bool:
        """Whether a basis names memoranda, by number, title or both, and nothing beside them."""
        left = _folded(basis)
        names = {_folded(name) for one in self.memoranda for name in (one.number, one.zh)}
        # Longest first: a title may be part of another.
        for name in sorted(names, key=len, reverse=True):
            left = left.replace(name, "")
        return left != _folded(basis) and _BESIDE.fullmatch(left) is not None


@cache
def load_measure_rules(text: str | None = None) -> MeasureRules:
    """The rows of measures.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("measures.toml", text)
    rules = MeasureRules(file.rows("catalogue", _item), file.rows("memorandum", _memorandum))
    file.done()
    disjoint(rules.catalogue, "measures.toml: catalogue", lambda row: row.code)
    disjoint(rules.memoranda, "measures.toml: memorandum", lambda row: row.number)
    return rules


def _folded(text: str) -> str:
    return _SETTING.sub("", unicodedata.normalize("NFKC", text))


def _item(row: Row) -> CatalogueItem:
    return CatalogueItem(
        row.text("code"),
        row.text("item"),
        row.choice("kind", KINDS),
        row.text("zh"),
        frozenset(row.texts("levels", LEVELS)),
        row.term(),
    )


def _memorandum(row: Row) -> Memorandum:
    return Memorandum(row.text("number"), row.text("zh"), row.term())
