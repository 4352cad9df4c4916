"""The ceiling matrix cell by cell against the table it restates, and the decision's properties.

tests/golden/levels.txt shows what each partner class gets; after a change of law, write it anew with
`python tests/test_policy.py > tests/golden/levels.txt` and read the difference before committing it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RulesInvalid
from hub.query.access import Access, Row
from hub.query.parameters import Parameters
from hub.query.relations import TABLES
from hub.rights.matrix import CHECK_PURPOSES, Grant, Level, Purpose, Scope, WithheldReason
from hub.rights.openness import load_openness
from hub.rights.policy import Decision, decide, decisions, meet
from hub.rights.standing import Standings
from hub.rules.matrix import PARTNER_CLASSES, load_matrix, parse_matrix
from schema.coordinates import vocabulary
from schema.governance import DATA_CLASSES
from tests.callers import standing
from tests.reference.rights import RowFacts, row_level

GOLDEN = Path(__file__).parent / "golden" / "levels.txt"
TODAY = date(2026, 11, 22)
MATRIX = load_matrix()
TEXT = files("hub.rules").joinpath("matrix.toml").read_text(encoding="utf-8")

# The matrix as the legal division wrote it: data class, then P1 … P12. Levels F M Y –; purposes in brackets.
TABLE = """
D1 | F | F | F | F | F | F | F | F | F | F | F | F
D2 | F(c,s) | F(c,s) | F(s) | M | M | M | – | – | – | F | – | M
D3 | – | – | Y | Y | Y | Y | – | – | – | M | – | –
D4 | F | F | F | F | F | F | F | F | F | F | F | F
D5 | F(c,s) | F(c,s) | M | M | M | M | M(j) | – | – | F | M | M
D6 | F | F | F | F | F | F | F | F | F | F | F | F
D7 | F(c,s) own | F(s) own | F(s) | – | – | – | – | – | – | F | – | F
D8 | F(c,s) own | M(s) own | M(s) | – | – | – | Y(j) | – | – | F | – | M
D9 | – ⁱ | – | – | – | – | – | – | – | – | F(o) | – | F
D10 | F | F | F | F | F | F | F | F | F | F | F | F
D11 | F(c,j) | M(j) | M(j) | M(j) | M(j) | M(j) | Y(j) | – | – | F | M where law says, else – | M
D12 | F(c,s) | F(s) | F(s) | Y(n) | Y(n) | Y(n) | – | – | – | F | – | F
D13 | F | F | F | F | F | F | F | F | F | F | F | F
D14 | F | F | F | F | F | F | F | F | F | F | F | F
D15 | – | – | – | F | – | – | – | – | – | – ² | – | –
D16 | F | F | F | F | F | F | F | F | F | F | F | F
D17 | F(c,s) ³ | F(c) ³ | F(s) | F(n) | F | Y(n) | Y(j) | –/F¢ | –/Y¢ | F | – | M
D18 | F | F | F | F | F | F | F | F | F | F | F | F
D19 | F(c,s) | – | F(s) | F(n) | F(n) | F | – | – | – | F | – | M
D20 | F | F | F | F | F | F | F | F | F | F | F | F
D21 | F(c,s) | F(s) own | F(s) | – | – | F(s) | – | – | – | F | – | –
D22 | F | F | F | F | F | F | F | F | F | F | F | F
D23 | F(c,s) | F(s) own | – | – | – | F(s) | – | – | – | F | – | –
D24 | F | F | F | F | F | F | F | F | F | F | F | F
D25 | F(s)¢ | – | – | – | – | – | – | F own | – | F | – | –
D26 | F | F | F | – | – | – | – | F own | F | F | F | F
D27 | F(s) | F(s) own | F(s) | – | – | – | – | – | F own | F | – | –
D28 | F | F | F | – | – | – | F(j) | F | F | F | F | F
D29 | Y(s) | Y(s) own | – | – | – | – | – | – | Y¢ | F | M¢ (by worker's QR) | –
D30 | F | F | F | F | F | F | F | F | F | F | F | F
D31 | F(s) | F(s) own | Y(s) | – | – | – | – | – | – | F | – | M
D32 | F | F | F | F | F | F | F | F | F | F | F | F
D33 | F | F | F | F | F | F | F | F | F | F | F | F
D34 | F(s) | F(s) own | – | – | – | – | – | – | – | F after notice | – | F
D35 | F(n) party | F(n) party | F party | F party | F party | F party | – | – | – | – until finding | – | F
D36 | F(o) own | F(o) own | F(o) | – | – | – | – | – | – | F own | – | F
D37 | F | F | F | F | F | F | F | F | F | F | F | F
D38 | F own | F own | – | – | – | – | – | – | – | F own result ⁴ | – | F
D39 | F(s) | F(s) own | – | – | – | – | – | – | – | F with reasons | – | F
D40 | F(c,s) | F(s) | F | Y | Y | – | Y(j) | – | – | F | – | M
D41 | F(s) | F(s) own | – | – | – | – | – | – | – | F | – | M
D42 | own calls | own calls | – | – | – | – | – | – | – | who saw my data ⁵ | – | F
D43 | F | F own | aggregated | – | – | – | – | – | – | – | – | F
"""
# How cells in words are read. What law does not say is not given.
WORDED = {
    "M where law says, else –": "–",
    "–/F¢": "F¢",
    "–/Y¢": "Y¢",
    "M¢ (by worker's QR)": "M¢",
    "F after notice": "F party",
    "own calls": "F party",
    "who saw my data ⁵": "F",
    "aggregated": "Y",
}
# "Own" of case files, check results, calls and platforms' archives is being party to them; of other rows, the region.
CASES = ("D36", "D38")
LEVELS = {"F": Level.FULL, "M": Level.MASKED, "Y": Level.YES_NO}
BRACKETS = {
    "c": set(CHECK_PURPOSES),
    "s": {Purpose.ONGOING_SUPERVISION},
    "j": {Purpose.JOINT_INCENTIVE, Purpose.JOINT_PUNISHMENT},
    "n": {Purpose.NOTIFICATION},
    "o": {Purpose.OBJECTION_HANDLING, Purpose.CREDIT_REPAIR},
}
AUTHORITY = (
    BRACKETS["c"] | BRACKETS["s"] | BRACKETS["j"] | BRACKETS["n"] | BRACKETS["o"] | {Purpose.STATISTICS}
)
DECLARABLE = {
    "P1": AUTHORITY,
    "P2": AUTHORITY,
    "P3": BRACKETS["s"] | BRACKETS["j"] | BRACKETS["o"] | {Purpose.STATISTICS},
    "P4": BRACKETS["n"] | BRACKETS["j"] | BRACKETS["s"],
    "P5": BRACKETS["n"] | BRACKETS["j"] | BRACKETS["s"],
    "P6": BRACKETS["n"] | BRACKETS["j"] | BRACKETS["s"],
    "P7": BRACKETS["j"] | BRACKETS["c"],
    "P8": {Purpose.MEMBER_ARCHIVE},
    "P9": {Purpose.MERCHANT_ADMISSION},
    "P10": {Purpose.SELF_QUERY} | BRACKETS["o"],
    "P11": {Purpose.PUBLIC_QUERY},
    "P12": {Purpose.AUDIT},
}
EVERY_CELL = {"P8": Scope.OWN_MEMBER, "P9": Scope.OWN_MERCHANT, "P10": Scope.SELF}
SOURCE_OF = {
    "P1": "FOREIGN_INVESTMENT",
    "P4": "CUSTOMS",
    "P5": "TAX",
    "P6": "FOREIGN_EXCHANGE",
    "P8": "ASSOCIATION",
}


@dataclass(frozen=True)
class Deal:
    """The terms of an agreement, without its file."""

    partner_class: str
    purposes: tuple[Purpose, ...]
    data: Mapping[str, tuple[Level, frozenset[Purpose] | None]]
    source: str | None = None
    regions: tuple[str, ...] = ()
    document: str = "青商信共享〔2026〕0号"
    valid_from: date = field(default=date(2026, 1, 1))
    valid_to: date = field(default=date(2026, 12, 31))


def everything(partner_class: str) -> Deal:
    """An agreement that grants all that its class may have."""
    purposes = tuple(purpose for purpose in Purpose if purpose in DECLARABLE[partner_class])
    data: dict[str, tuple[Level, frozenset[Purpose] | None]] = dict.fromkeys(DATA_CLASSES, (Level.FULL, None))
    return Deal(partner_class, purposes, data, SOURCE_OF.get(partner_class))


def written() -> dict[tuple[str, str], str]:
    cells = {}
    for line in TABLE.strip().splitlines():
        code, *row = [cell.strip() for cell in line.split("|")]
        assert len(row) == 12, line
        for partner, cell in zip(PARTNER_CLASSES, row, strict=True):
            cells[code, partner] = WORDED.get(cell, cell)
    return cells


def expected(cells: Mapping[tuple[str, str], str], code: str, partner: str, purpose: Purpose) -> Grant | None:
    """What the written cell gives for a purpose; its basis left empty."""
    cell = cells[code, partner]
    parsed = re.match(r"([FMY])(?:\(([a-z,]+)\))?(¢?)", cell)
    if parsed is None or purpose not in DECLARABLE[partner]:
        return None
    level, brackets, consent = LEVELS[parsed[1]], parsed[2], parsed[3]
    if brackets and not any(purpose in BRACKETS[letter] for letter in brackets.split(",")):
        return None
    scopes = {EVERY_CELL[partner]} if partner in EVERY_CELL else set()
    if consent:
        scopes.add(Scope.CONSENT)
    own_file = (code in CASES and partner in ("P1", "P2")) or (code, partner) == ("D27", "P9")
    if " party" in cell or (" own" in cell and own_file):
        scopes.add(Scope.PARTY)
    elif " own" in cell and partner in ("P1", "P2"):
        scopes.add(Scope.OWN_REGION)
    elif (code, partner) == ("D25", "P8"):
        # Internal remarks are those of the association that made them.
        scopes.add(Scope.OWN_SOURCE)
    public = LEVELS.get(cells[code, "P11"], Level.NONE)
    supervises = partner in ("P4", "P5", "P6") and purpose is Purpose.ONGOING_SUPERVISION
    if (partner == "P2" or supervises) and level > public:
        scopes.add(Scope.OWN_REGION)
    return Grant(level, frozenset(scopes), "")


def test_every_cell_is_the_one_that_was_written() -> None:
    cells = written()
    assert len(cells) == 43 * 12
    compared = 0
    for code in DATA_CLASSES:
        for partner in PARTNER_CLASSES:
            for purpose in Purpose:
                given_ = MATRIX.ceiling(partner, purpose, code, TODAY)
                bare = replace(given_, basis="") if given_ else None
                assert bare == expected(cells, code, partner, purpose), (code, partner, purpose)
                compared += 1
    assert compared == 43 * 12 * 18


def test_each_partner_class_declares_its_own_purposes() -> None:
    assert {code: set(partner.purposes) for code, partner in MATRIX.partners.items()} == DECLARABLE


def test_every_cell_and_every_data_class_has_a_legal_basis() -> None:
    assert all(cell.basis for cell in MATRIX.cells.values())
    assert all(described.protected_by and described.zh and described.en for described in MATRIX.data.values())
    assert len(MATRIX.cells) == sum(cell[0] != "–" for cell in written().values())


def test_check_purposes_are_the_six_that_need_matter_and_case() -> None:
    assert len(CHECK_PURPOSES) == 6
    for code in ("P1", "P2", "P7"):
        assert MATRIX.partners[code].case == CHECK_PURPOSES
        assert MATRIX.partners[code].matter >= CHECK_PURPOSES
    assert MATRIX.partners["P1"].matter == DECLARABLE["P1"]
    assert MATRIX.partners["P12"].matter == {Purpose.AUDIT}


def test_the_tax_grade_is_yes_or_no_while_its_sharing_attribute_does_not_permit() -> None:
    ends = """[[sharing.tax_grade_sharing]]
from = 2027-01-01
permits = false
source_doc = "税务机关共享属性"
confirmed_by = "法规处 2026-12-20"

[source.CUSTOMS]"""
    changed = parse_matrix(TEXT.replace("[source.CUSTOMS]", ends, 1))
    for partner in ("P1", "P2"):
        deal = replace(everything(partner), valid_to=date(2028, 12, 31))
        levels = [
            decide(changed, deal, Purpose.GOVERNMENT_FUNDING, "D17", day).level
            for day in (date(2026, 12, 31), date(2027, 1, 1))
        ]
        assert levels == [Level.FULL, Level.YES_NO]
    before = changed.ceiling("P1", Purpose.GOVERNMENT_FUNDING, "D17", date(2025, 6, 30))
    assert before is not None
    assert before.level is Level.YES_NO


def test_tax_grade_of_a_platform_needs_consent() -> None:
    decision = decide(MATRIX, everything("P9"), Purpose.MERCHANT_ADMISSION, "D17", TODAY)
    assert decision.level is Level.YES_NO
    assert decision.reason is WithheldReason.CONSENT_REQUIRED
    assert row_level(decision, RowFacts(merchant=True)) is Level.NONE
    assert row_level(decision, RowFacts(consented=True)) is Level.NONE
    assert row_level(decision, RowFacts(merchant=True, consented=True)) is Level.YES_NO


def test_watch_list_is_nothing_for_public_platform_and_association() -> None:
    for partner in ("P8", "P9", "P11"):
        deal = everything(partner)
        assert decide(MATRIX, deal, deal.purposes[0], "D12", TODAY).grants == ()


def test_the_public_pages_through_every_list_of_which_it_is_told_in_full() -> None:
    # A list whose entries `subject` tells of and whose pages are empty looks as if nobody were on it.
    lists = ("D10", "D11", "D12", "D13", "D18")
    deal, purpose = everything("P11"), Purpose.PUBLIC_QUERY
    told = {code for code in lists if decide(MATRIX, deal, purpose, code, TODAY).level is Level.FULL}
    assert told == {"D10", "D13", "D18"}
    assert MATRIX.partners["P11"].browse == told


def test_customs_sees_its_own_contribution_in_full_and_no_numbers_of_persons() -> None:
    deal = everything("P4")
    minor = decide(MATRIX, deal, Purpose.NOTIFICATION, "D7", TODAY)
    assert row_level(minor, RowFacts(own_source=True)) is Level.FULL
    assert row_level(minor, RowFacts(in_region=True, party=True)) is Level.NONE
    assert decide(MATRIX, deal, Purpose.NOTIFICATION, "D3", TODAY).level is Level.YES_NO


def test_source_agency_is_never_given_numbers_of_persons_even_when_it_contributes_them() -> None:
    contributed = TEXT.replace(
        'data = ["D6", "D7", "D14", "D15"]', 'data = ["D3", "D6", "D7", "D14", "D15"]', 1
    )
    matrix = parse_matrix(contributed)
    assert "D3" in matrix.sources["CUSTOMS"].data
    decision = decide(matrix, everything("P4"), Purpose.NOTIFICATION, "D3", TODAY)
    assert row_level(decision, RowFacts(own_source=True)) is Level.YES_NO


def test_an_association_sees_its_sources_rows_only_of_its_members() -> None:
    decision = decide(MATRIX, everything("P8"), Purpose.MEMBER_ARCHIVE, "D25", TODAY)
    assert row_level(decision, RowFacts(own_source=True)) is Level.NONE
    assert row_level(decision, RowFacts(member=True)) is Level.NONE
    assert row_level(decision, RowFacts(own_source=True, member=True)) is Level.FULL


def test_source_of_another_class_grants_nothing() -> None:
    deal = replace(everything("P9"), source="CUSTOMS")
    assert decide(MATRIX, deal, Purpose.MERCHANT_ADMISSION, "D15", TODAY).grants == ()


def test_regions_named_without_need_bind_all_that_is_granted() -> None:
    deal = replace(everything("P9"), regions=("6301",))
    decision = decide(MATRIX, deal, Purpose.MERCHANT_ADMISSION, "D1", TODAY)
    assert row_level(decision, RowFacts(merchant=True)) is Level.NONE
    assert row_level(decision, RowFacts(merchant=True, in_region=True)) is Level.FULL


@pytest.mark.parametrize(
    ("deal", "purpose", "data_class", "reason"),
    [
        (everything("P1"), None, "D1", WithheldReason.NO_PURPOSE),
        (everything("P1"), "LENDING", "D1", WithheldReason.PURPOSE_NOT_ALLOWED),
        (everything("P1"), Purpose.AUDIT, "D1", WithheldReason.PURPOSE_NOT_ALLOWED),
        (
            replace(everything("P1"), purposes=(*Purpose,)),
            Purpose.AUDIT,
            "D1",
            WithheldReason.PURPOSE_NOT_ALLOWED,
        ),
        (
            replace(everything("P1"), purposes=()),
            Purpose.EXHIBITION,
            "D1",
            WithheldReason.PURPOSE_NOT_ALLOWED,
        ),
        (everything("P1"), Purpose.NOTIFICATION, "D2", WithheldReason.PURPOSE_NOT_ALLOWED),
        (everything("P1"), Purpose.EXHIBITION, "D44", WithheldReason.NO_LEGAL_BASIS),
        (everything("P1"), Purpose.EXHIBITION, "d1", WithheldReason.NO_LEGAL_BASIS),
        (
            replace(everything("P1"), partner_class="P13"),
            Purpose.EXHIBITION,
            "D1",
            WithheldReason.NO_LEGAL_BASIS,
        ),
        (
            replace(everything("P1"), valid_to=date(2026, 11, 21)),
            Purpose.EXHIBITION,
            "D1",
            WithheldReason.NO_LEGAL_BASIS,
        ),
        (
            replace(everything("P1"), valid_from=date(2026, 11, 23)),
            Purpose.EXHIBITION,
            "D1",
            WithheldReason.NO_LEGAL_BASIS,
        ),
        (replace(everything("P1"), data={}), Purpose.EXHIBITION, "D1", WithheldReason.NO_LEGAL_BASIS),
        (everything("P1"), Purpose.EXHIBITION, "D3", WithheldReason.SENSITIVE_PERSONAL_INFO),
        (everything("P9"), Purpose.MERCHANT_ADMISSION, "D8", WithheldReason.PERSONAL_INFO),
        (everything("P11"), Purpose.PUBLIC_QUERY, "D15", WithheldReason.TRADE_SECRET),
        (everything("P11"), Purpose.PUBLIC_QUERY, "D9", WithheldReason.NO_LEGAL_BASIS),
    ],
)
def test_what_is_unknown_undeclared_or_not_granted_gives_nothing_with_a_reason(
    deal: Deal, purpose: Purpose | str | None, data_class: str, reason: WithheldReason
) -> None:
    decision = decide(MATRIX, deal, purpose, data_class, TODAY)
    assert decision.grants == ()
    assert decision.reason is reason
    assert decision.basis


@pytest.mark.parametrize(
    ("partner", "purpose", "data_class", "reason"),
    [
        ("P1", Purpose.EXHIBITION, "D1", WithheldReason.OK),
        ("P2", Purpose.ONGOING_SUPERVISION, "D7", WithheldReason.OUT_OF_REGION),
        ("P8", Purpose.MEMBER_ARCHIVE, "D1", WithheldReason.NOT_YOUR_MEMBER),
        ("P9", Purpose.MERCHANT_ADMISSION, "D1", WithheldReason.NOT_YOUR_MEMBER),
        ("P11", Purpose.PUBLIC_QUERY, "D5", WithheldReason.PERSONAL_INFO),
        ("P11", Purpose.PUBLIC_QUERY, "D29", WithheldReason.CONSENT_REQUIRED),
        ("P12", Purpose.AUDIT, "D17", WithheldReason.SOURCE_RESTRICTION),
    ],
)
def test_the_reason_says_what_the_other_rows_miss(
    partner: str, purpose: Purpose, data_class: str, reason: WithheldReason
) -> None:
    assert decide(MATRIX, everything(partner), purpose, data_class, TODAY).reason is reason


PARTNERS = st.sampled_from(PARTNER_CLASSES)
PURPOSES = st.sampled_from(list(Purpose))
CODES = st.sampled_from(DATA_CLASSES)
FACTS = st.builds(RowFacts, *[st.booleans()] * 7)
GRANTED = st.tuples(st.sampled_from(Level), st.none() | st.frozensets(PURPOSES))


@st.composite
def deals(draw: st.DrawFn) -> Deal:
    """Any agreement at all, lawful or not."""
    return Deal(
        partner_class=draw(PARTNERS),
        purposes=tuple(draw(st.lists(PURPOSES, unique=True))),
        data=draw(st.dictionaries(CODES, GRANTED)),
        source=draw(st.none() | st.sampled_from([*MATRIX.sources, "NOWHERE"])),
        regions=draw(st.sampled_from([(), ("63",)])),
    )


@st.composite
def narrowings(draw: st.DrawFn) -> tuple[Deal, Deal]:
    """An agreement, and one that grants nothing that the first does not."""
    wide = draw(deals())
    data = {}
    for code, (level, purposes) in wide.data.items():
        if draw(st.booleans()):
            among = sorted(purposes if purposes is not None else Purpose)
            fewer = draw(st.frozensets(st.sampled_from(among))) if among else purposes
            kept = draw(st.booleans())
            data[code] = (Level(draw(st.integers(0, level))), purposes if kept else fewer)
    purposes_left = tuple(purpose for purpose in wide.purposes if draw(st.booleans()))
    source = wide.source if draw(st.booleans()) else None
    return wide, replace(wide, data=data, purposes=purposes_left, source=source)


@given(narrowings(), PURPOSES, CODES, FACTS)
def test_narrowing_an_agreement_never_widens(
    pair: tuple[Deal, Deal], purpose: Purpose, code: str, facts: RowFacts
) -> None:
    wide, narrow = (decide(MATRIX, deal, purpose, code, TODAY) for deal in pair)
    assert row_level(narrow, facts) <= row_level(wide, facts)


@given(deals(), PURPOSES, CODES, FACTS)
def test_no_agreement_gives_more_than_the_matrix_or_its_own_contribution(
    deal: Deal, purpose: Purpose, code: str, facts: RowFacts
) -> None:
    level = row_level(decide(MATRIX, deal, purpose, code, TODAY), facts)
    ceiling = MATRIX.ceiling(deal.partner_class, purpose, code, TODAY)
    most = ceiling.level if ceiling else Level.NONE
    owner = MATRIX.sources.get(deal.source or "")
    own = (
        owner is not None and deal.partner_class in owner.partners and code in owner.data and facts.own_source
    )
    assert level <= (Level.FULL if own and code != "D3" else most)
    assert level is Level.NONE or purpose in deal.purposes


@given(deals(), PURPOSES | st.none() | st.text(max_size=5), CODES | st.text(max_size=4), st.dates())
def test_all_that_is_not_full_everywhere_has_a_reason_and_a_basis(
    deal: Deal, purpose: Purpose | str | None, code: str, today: date
) -> None:
    decision = decide(MATRIX, deal, purpose, code, today)
    full = any(grant.level is Level.FULL and not grant.scopes for grant in decision.grants)
    assert (decision.reason is WithheldReason.OK) == full
    assert decision.basis
    assert all(grant.basis and grant.level > Level.NONE for grant in decision.grants)
    assert list(decision.grants) == sorted(decision.grants, key=lambda grant: -grant.level)
    if code not in MATRIX.data or purpose not in list(Purpose):
        assert decision.grants == ()


@given(deals(), PURPOSES, CODES, FACTS, st.sampled_from(list(RowFacts.__dataclass_fields__)))
def test_a_fact_that_does_not_hold_never_gives_more(
    deal: Deal, purpose: Purpose, code: str, facts: RowFacts, missing: str
) -> None:
    decision = decide(MATRIX, deal, purpose, code, TODAY)
    assert row_level(decision, replace(facts, **{missing: False})) <= row_level(decision, facts)


@given(deals(), PURPOSES, deals(), PURPOSES, CODES, FACTS)
def test_viewing_as_another_shows_no_more_than_either(
    own: Deal, own_purpose: Purpose, other: Deal, purpose: Purpose, code: str, facts: RowFacts
) -> None:
    mine = decide(MATRIX, own, own_purpose, code, TODAY)
    theirs = decide(MATRIX, other, purpose, code, TODAY)
    both = meet(mine, theirs)
    # The viewer's own rows never count: only what it may see of every row.
    assert row_level(both, facts) <= min(row_level(mine, RowFacts()), row_level(theirs, facts))
    assert both.basis
    assert both.level is Level.FULL or both.reason is not WithheldReason.OK


def test_an_auditor_views_a_platform_as_the_platform_sees_it_but_no_person() -> None:
    auditor = decisions(MATRIX, everything("P12"), Purpose.AUDIT, TODAY)
    mall = decisions(MATRIX, everything("P9"), Purpose.MERCHANT_ADMISSION, TODAY)
    both = {code: meet(auditor[code], mall[code]) for code in DATA_CLASSES}
    assert both["D1"] == mall["D1"]
    assert both["D29"].grants == ()
    assert row_level(both["D6"], RowFacts()) is Level.NONE
    assert row_level(both["D6"], RowFacts(merchant=True)) is Level.FULL


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('["P12"], level = "FULL", basis = "AUDIT" },\n]\n\n[data.D10]', '[], level = "FULL", basis = "AUDIT" },\n]\n\n[data.D10]', "data.D9: not exactly one cell for P12"),  # noqa: E501
        ('nothing = ["P2", "P7"', 'nothing = ["P1", "P2", "P7"', "data.D19: not exactly one cell for P1"),
        ("[data.D43]", "[data.D44]", "data: D43 is missing"),
        ("[class.P11]", "[class.PUBLIC]", "class: P11 is missing"),
        ('basis = "TAX_MAJOR_PUBLICITY"', 'basis = "TAX_MINOR"', "'TAX_MINOR' is unknown"),
        ('level = "MASKED"', 'level = "HALF"', "'HALF' is unknown"),
        ('scopes = ["CONSENT"]', 'scopes = ["GOODWILL"]', "'GOODWILL' is unknown"),
        ('purposes = ["c", "s"]', 'purposes = ["c", "x"]', "'x' is unknown"),
        ('purposes = ["n"], basis = "LIST_SUPERVISION"', 'purposes = ["a"], basis = "LIST_SUPERVISION"', "P4 may declare none"),
        ("sharing = ", "shearing = ", "shearing is unknown"),
        ('otherwise = "YES_NO"', 'otherwise = "FULL"', "less while sharing is not permitted"),
        ('withheld = "TRADE_SECRET"', 'withheld = "OK"', "OK is no reason"),
        ("PURPOSE_LIMIT = ", "PURPOSE_BOUNDS = ", "'PURPOSE_LIMIT' is unknown"),
        ("permits = true", 'permits = "yes"', "permits true or false"),
        ("page = 100", "page = -1", "not a whole number"),
        ("page = 100, ", "", "page is missing"),
        ('version = "2026-11-22"', "", "version is missing"),
        ("[brackets]", "[brackets", "matrix:"),
        ('[[entitled]]\npartners = ["P12"]', '[[entitled]]\npartners = ["P7"]', "entitled: P7 is named twice"),
        ('[[entitled]]\npartners = ["P12"]', '[[entitled]]\npartners = ["P13"]', "'P13' is unknown"),
        ('data = ["D3", "D5", "D8", "D11", "D29"]', "data = []", "separate_consent: no data class"),
        ('data = ["D3", "D5", "D8", "D11", "D29"]', 'data = ["D44"]', "'D44' is unknown"),
        ('basis = "SEPARATE_CONSENT"', 'basis = "GOODWILL"', "'GOODWILL' is unknown"),
        ("at_once = 20", "at_once = 0", "person_lookups: a number is 0"),
        ("seconds_each = 30", "seconds_each = 0", "person_lookups: a number is 0"),
        ("seconds_each = 30", "seconds_each = 0.5", "not a whole number"),
    ],
)  # fmt: skip
def test_a_matrix_with_something_missing_or_unknown_is_refused(old: str, new: str, place: str) -> None:
    assert old in TEXT
    with pytest.raises(RulesInvalid, match=re.escape(place)):
        parse_matrix(TEXT.replace(old, new, 1))


def test_the_rules_beside_the_cells_are_rows_with_a_basis() -> None:
    assert set(MATRIX.entitled) == {"P1", "P2", "P3", "P4", "P5", "P6", "P7", "P12"}
    assert MATRIX.entitled["P12"] == MATRIX.basis["AUDIT"]
    assert set(MATRIX.separate_consent) == {"D3", "D5", "D8", "D11", "D29"}
    assert set(MATRIX.separate_consent.values()) == {MATRIX.basis["SEPARATE_CONSENT"]}
    persons = MATRIX.person_lookups
    assert (persons.at_once, persons.seconds_each, persons.basis) == (20, 30, MATRIX.basis["PERSON_LOOKUPS"])


def test_who_may_know_of_what_it_cannot_see_is_told_by_the_matrix() -> None:
    chosen = replace(MATRIX, entitled={"P11": "某法"})
    for matrix, partner, may in (
        (MATRIX, "customs", True),
        (MATRIX, "public", False),
        (chosen, "public", True),
    ):
        purpose = "PUBLIC_QUERY" if partner == "public" else "NOTIFICATION"
        made = Standings(vocabulary(), matrix, load_openness())
        assert made.of(standing(partner, purpose).agreement, Purpose(purpose), TODAY).view.entitled is may


@pytest.mark.parametrize(("separate", "data_class"), [("D29", "D29"), ("D24", "D24")])
def test_which_consent_must_be_a_separate_one_is_told_by_the_matrix(separate: str, data_class: str) -> None:
    matrix = MATRIX if separate == "D29" else replace(MATRIX, separate_consent={separate: "某法"})
    made = Standings(vocabulary(), matrix, load_openness())
    view = made.of(standing("mall", "MERCHANT_ADMISSION").agreement, Purpose.MERCHANT_ADMISSION, TODAY).view
    access, row = Access(view, Parameters()), Row("a", TABLES["archive"])
    asked = {one: "c.separate_consent" in access.scope(Scope.CONSENT, row, one) for one in ("D24", "D29")}
    assert asked == {one: one == data_class for one in ("D24", "D29")}
    # Where the row itself says its class, every such class is named.
    assert all(f"'{one}'" in access.scope(Scope.CONSENT, row) for one in matrix.separate_consent)
    assert view.digest != replace(view, separate=frozenset()).digest


@given(st.integers(0, TEXT.count("\n") - 1))
def test_a_matrix_with_any_line_deleted_is_refused(number: int) -> None:
    lines = TEXT.splitlines(keepends=True)
    if lines[number].lstrip().startswith("#") or not lines[number].strip():
        return
    with pytest.raises(RulesInvalid):
        parse_matrix("".join(lines[:number] + lines[number + 1 :]))


def levels() -> str:
    """What each class gets when its agreement grants everything, by purpose and data class."""
    lines = []
    for partner in PARTNER_CLASSES:
        deal = everything(partner)
        for purpose in deal.purposes:
            for code, decision in decisions(MATRIX, deal, purpose, TODAY).items():
                lines += [f"{partner} {purpose} {code} {_said(decision)}"] if decision.grants else []
    return "\n".join(lines) + "\n"


def _said(decision: Decision) -> str:
    grants = ["+".join([grant.level.name, *sorted(grant.scopes)]) for grant in decision.grants]
    return f"{' '.join(grants)} ({decision.reason})"


def test_levels_are_those_of_the_golden_file() -> None:
    assert levels().splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    print(levels(), end="")
