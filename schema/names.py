"""Names of organizations: the parts they are made of, and how far two of them agree."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import ratio

from schema.industries import (
    BRANCH_ALWAYS,
    BRANCH_BEHIND_A_FORM,
    INDUSTRY_WORDS,
    LEGAL_FORMS,
    SAME_INDUSTRY,
)
from schema.places import Places, read_places, same_area
from schema.spelling import MAX_LENGTH, fold_name, name_key

__all__ = ["NameParts", "Resemblance", "formerly", "name_key", "parse_name", "score"]

_BRACKETS = str.maketrans("[{【〔〖「『《<〈]}】〕〗」』》>〉", "(" * 10 + ")" * 10)
_GROUP = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class NameParts:
    """A name taken apart (企业名称登记管理规定, 国务院令第734号, art. 6, 13); a missing part is empty."""

    region: str  # as written: 青海省西宁市
    trade_name: str  # 字号
    industry: str
    legal_form: str  # 股份公司 is given as 股份有限公司, 有限责任公司 as 有限公司
    branch: str  # with its regions in full: 青海西宁分公司
    places: tuple[str, ...]  # the regions by short name: 青海, 西宁
    key: str


_FORMS = sorted(LEGAL_FORMS, key=len, reverse=True)
_FORM = re.compile(f"(.+?)({'|'.join(_FORMS)})").fullmatch
_FORM_GROUP = re.compile("(?:特殊)?普通合伙|有限合伙|个人独资|个体工商户|个体").fullmatch
_PARENTS = tuple(
    re.compile(f"(.{{2,}}?(?:{forms}))(.+)").fullmatch
    for forms in ("公司", "合作社|联合社|银行|信用社|事务所|研究院|设计院")
)
_NUMBERED = "(?:第?[一二三四五六七八九十0-9]+)?"
_BRANCH_ALWAYS = re.compile(f"(.{{2,}}?)({_NUMBERED}(?:{'|'.join(BRANCH_ALWAYS)}))").fullmatch
_BRANCH = tuple(BRANCH_ALWAYS + BRANCH_BEHIND_A_FORM)
_TOWN = re.compile("[\u4e00-\u9fff]{2,3}?(?:街道|镇|乡|苏木|街|路)").match
_LONGEST_WORD = max(map(len, INDUSTRY_WORDS))


def _full_branch(text: str) -> str:
    places = read_places(text)
    return "".join(places.path) + text[places.end :]


def _take_branch(text: str) -> tuple[str, str]:
    for parents in _PARENTS:
        parent = parents(text)
        if parent is not None and parent[2].endswith(_BRANCH):
            return parent[1], _full_branch(parent[2])
    branch = _BRANCH_ALWAYS(text)
    if branch is None:
        return text, ""
    # Without a form between them, the branch begins where a region does: 中国电信|青海分公司.
    head = branch[1]
    for start in range(2, len(head) - 1):
        if start + read_places(head[start:]).end == len(head):
            return head[:start], _full_branch(text[start:])
    return head, branch[2]


def _take_form(text: str) -> tuple[str, str]:
    form = _FORM(text)
    return (text, "") if form is None else (form[1], LEGAL_FORMS[form[2]])


def _industry_start(core: str) -> tuple[int, int]:
    """Where the industry begins, read from the right, and where it would without its first word."""
    before = end = len(core)
    while end > 0:
        for length in range(min(_LONGEST_WORD, end), 1, -1):
            if core[end - length : end] in INDUSTRY_WORDS:
                before, end = end, end - length
                break
        else:
            break
    return end, before


def _trade_name_end(core: str) -> int:
    end, before = _industry_start(core)
    # One character is no trade name: the word behind it was part of one.
    return before if end == 1 else end


def _take_region(core: str) -> tuple[Places, int]:
    places = read_places(core)
    end = places.end
    if core.startswith("青海湖") and end == 2:
        return Places(), 0
    if places.level == 3 and not places.formal and _industry_start(core[end:])[0] < 2:
        # 大通 is a county, but in 西宁大通贸易 it is the trade name, as nothing else can be; so is 三江源.
        shorter = read_places(core[: places.before_last])
        return shorter, shorter.end
    if core.startswith("保税区", end):
        end += 3
    if places.level == 3 and (town := _TOWN(core, end)) is not None and len(core) > town.end() + 1:
        end = town.end()
    return places, end


def _region_behind(core: str) -> Places:
    for length in range(2, min(5, len(core) - 1)):
        places = read_places(core[-length:])
        if places.end == length and places.level < 3:
            return places
    return Places()


def parse_name(name: str) -> NameParts:
    """The parts of an organization's name. Never raises; what is not recognized stays in the trade name."""
    written = unicodedata.normalize("NFKC", name[:MAX_LENGTH]).translate(_BRACKETS)
    groups: list[tuple[Places, str]] = []
    form_group = ""

    def inline(group: re.Match[str]) -> str:
        nonlocal form_group
        text = fold_name(group[1])
        places = read_places(text)
        if text and places.end == len(text):
            groups.append((places, text))
            return "\x1f"
        if _FORM_GROUP(text) is not None:
            form_group = text
            return ""
        return text

    text = _GROUP.sub(inline, written)
    before, bracket, after = text.partition("\x1f")
    before = fold_name(before)
    whole, branch = _take_branch(before + fold_name(after))
    body, legal_form = _take_form(whole)
    return _assemble(name, body, branch, legal_form or form_group, groups, len(before) if bracket else 0)


def _assemble(
    name: str, body: str, branch: str, form: str, groups: list[tuple[Places, str]], bracket_at: int
) -> NameParts:
    places, end = _take_region(body)
    region, path, core = body[:end], places.path, body[end:]
    if not end and body.startswith(("中国", "中华")) and len(body) > 3:
        region, path, core, end = body[:2], ("中国",), body[2:], 2
    for places, written in groups:
        region += written
        path = places.path if same_area(path, places.path) else path
    if not path and (behind := _region_behind(core)).path:
        region, path, core = core[-behind.end :], behind.path, core[: -behind.end]
    # Where a region in brackets stood, the trade name ends: 陆地港(福建)融资租赁.
    until = bracket_at - end if end < bracket_at < end + len(core) else len(core)
    cut = _trade_name_end(core[:until]) or (until if until < len(core) else 0)
    return NameParts(region, core[:cut], core[cut:], form, branch, path, name_key(name))


class Resemblance(NamedTuple):
    """How far a candidate agrees with the name asked for."""

    klass: Literal["A", "B", "C"]
    score: float
    why: tuple[str, ...]


def _compare(one: str, other: str, name: str) -> str:
    if one == other:
        return f"{name}_EQUAL"
    return f"{name}_DIFFERS" if one and other else f"{name}_MISSING"


def _compare_regions(one: NameParts, other: NameParts) -> str:
    if one.places == other.places:
        return "REGION_EQUAL"
    if not one.places or not other.places:
        return "REGION_MISSING"
    return "REGION_WITHIN" if same_area(one.places, other.places) else "REGION_DIFFERS"


def _compare_trade_names(one: NameParts, other: NameParts) -> str:
    if not one.trade_name and not other.trade_name:
        return "TRADE_NAME_MISSING"
    if one.trade_name == other.trade_name:
        return "TRADE_NAME_EQUAL"
    near = Levenshtein.distance(one.trade_name, other.trade_name, score_cutoff=1) <= 1
    return "TRADE_NAME_ONE_CHARACTER" if near else "TRADE_NAME_DIFFERS"


def _compare_industries(one: NameParts, other: NameParts) -> str:
    result = _compare(one.industry, other.industry, "INDUSTRY")
    if result == "INDUSTRY_DIFFERS":
        if any({one.industry, other.industry} <= same for same in SAME_INDUSTRY):
            return "INDUSTRY_SYNONYM"
        if one.industry in other.industry or other.industry in one.industry:
            return "INDUSTRY_WITHIN"
    return result


def _compare_branches(one: NameParts, other: NameParts) -> str:
    result = _compare(one.branch, other.branch, "BRANCH")
    return "PARENT_AND_BRANCH" if result == "BRANCH_MISSING" else result


_COMPARISONS: tuple[Callable[[NameParts, NameParts], str], ...] = (
    _compare_trade_names,
    _compare_branches,
    _compare_regions,
    _compare_industries,
    lambda one, other: _compare(one.legal_form, other.legal_form, "LEGAL_FORM"),
)
# What makes two firms of names that look alike: 三江源 and 三江汇, 城东区 and 城西区 …
_VETOES = frozenset(
    (
        "TRADE_NAME_ONE_CHARACTER",
        "TRADE_NAME_DIFFERS",
        "PARENT_AND_BRANCH",
        "BRANCH_DIFFERS",
        "REGION_DIFFERS",
        "INDUSTRY_DIFFERS",
    )
)


def score(query: NameParts, candidate: NameParts) -> Resemblance:
    """How far two organizations' names agree, and why: for a person to choose from, never a merge.

    A: same in every part. B: same trade name and branch, nothing contradicts. C: something does, see `why`.
    The score, 0 to 1, ranks within a class and between them: A from 0.9, B from 0.5, C below.
    Not for natural persons: thousands share a name.
    """
    if not query.key or not candidate.key:
        return Resemblance("C", 0.0, ("NO_NAME",))
    if query.key == candidate.key:
        return Resemblance("A", 1.0, ("NAME_EQUAL",))
    why = tuple(compare(query, candidate) for compare in _COMPARISONS)
    alike = ratio(query.key, candidate.key) / 100
    if not _VETOES.isdisjoint(why):
        return Resemblance("C", round(0.49 * alike, 4), why)
    if all(reason.endswith("_EQUAL") for reason in why):
        return Resemblance("A", round(0.9 + 0.09 * alike, 4), why)
    return Resemblance("B", round(0.5 + 0.39 * alike, 4), why)


# The score that each class begins at.
_FLOOR = {"A": 0.9, "B": 0.5, "C": 0.0}


def formerly(found: Resemblance) -> Resemblance:
    """The same of a name that the candidate bore earlier: of its class, said so, and behind who bears the name now."""
    floor = _FLOOR[found.klass]
    points = round(floor + 0.9 * (found.score - floor), 4)
    return Resemblance(found.klass, points, ("FORMER_NAME", *found.why))
