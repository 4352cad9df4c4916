"""The redactor: what must not stand in a published text is found, in every disguise that texts come in."""

from __future__ import annotations

import re
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.redactor import (
    BANK_CARD,
    HOME_ADDRESS,
    LANDLINE,
    MINOR,
    MOBILE,
    RESIDENT_ID,
    TextTooLong,
    contact_in,
    person_number_in,
    screen,
)
from schema.checks import resident_check
from schema.identifiers import is_resident_id

pytestmark = pytest.mark.alone

TODAY = date(2026, 11, 22)
# Made up; the check digits hold.
PERSON = "630103199003070016"
CHILD = "63010320150601001" + resident_check("63010320150601001")
WITH_X = next(
    number + "X" for number in (f"63010319900307{n:03}" for n in range(999)) if resident_check(number) == "X"
)
CARD = "6222020000000001230"
GROUPED = " ".join((CARD[:4], CARD[4:8], CARD[8:12], CARD[12:16], CARD[16:]))


def _kinds(text: str) -> list[str]:
    return [one.kind for one in screen(text, TODAY).findings]


@pytest.mark.parametrize(
    "written",
    [
        PERSON,
        WITH_X,
        WITH_X.lower(),
        WITH_X[:-1] + "Х",  # a Cyrillic letter
        WITH_X[:-1] + "×",
        WITH_X[:-1] + " X",
        "630103 19900307 0016",
        "630103-1990-0307-0016",
        "630103—19900307—0016",
        "630103.1990.0307.0016",
        "630103,19900307,0016",
        "630103\n199003070016",
        "630103\u200b1990\u200b03070016",
        "6 3 0 1 0 3 1 9 9 0 0 3 0 7 0 0 1 6",
        "６３０１０３１９９００３０７００１６",
        "𝟔𝟑𝟎𝟏𝟎𝟑𝟏𝟗𝟗𝟎𝟎𝟑𝟎𝟕𝟎𝟎𝟏𝟔",
        "六三〇一〇三一九九〇〇三〇七〇〇一六",
        "六三〇一〇三1990〇三〇七0016",
        # Within a longer number: the tax number of an individual business ends with two more digits.
        PERSON + "01",
        "ID" + PERSON,
        "5 " + PERSON,
        # Mistyped: the check fails, the date stands; it is still a person's.
        PERSON[:-1] + "7",
        # Of before 1999.
        "630103900307001",
    ],
)
def test_r7_3_a_resident_id_is_found_in_every_form(written: str) -> None:
    """Acceptance 17: the facts of a penalty that hold a resident ID are not published."""
    text = f"当事人马某,公民身份号码{written},销售过期食品。"
    findings = screen(text, TODAY).findings
    assert [one.kind for one in findings] == [RESIDENT_ID]
    digits = [char for char in text[findings[0].start : findings[0].end] if not char.isspace()]
    assert len(digits) >= 15


def test_r7_3_a_finding_does_not_tell_what_it_found() -> None:
    screening = screen(f"身份证{PERSON},电话13812345678,卡号{CARD},家庭住址:西宁市城中区南大街12号", TODAY)
    told = repr(screening)
    assert [one.sample for one in screening.findings] == [
        "6****************6",
        "*******5678",
        "*" * 15 + CARD[-4:],
        "家庭住址***",
    ]
    for secret in (PERSON[1:], "1381234", CARD[:15], "南大街"):
        assert secret not in told


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("联系电话13812345678", [MOBILE]),
        ("tel13812345678", [MOBILE]),
        ("一13812345678", [MOBILE]),
        ("138-1234-5678", [MOBILE]),
        ("138 1234 5678", [MOBILE]),
        ("+86 138 1234 5678", [MOBILE]),
        ("8613812345678", [MOBILE]),
        ("008613812345678", [MOBILE]),
        ("１３８１２３４５６７８", [MOBILE]),
        ("一三八一二三四五六七八", [MOBILE]),
        ("13812345678/13912345678", [MOBILE, MOBILE]),
        ("13812345678X", [MOBILE]),
        ("电话0971-6123456", [LANDLINE]),
        ("(0971)6123456", [LANDLINE]),
        ("（0971）612-3456", [LANDLINE]),
        ("010 6512 3456", [LANDLINE]),
        (f"卡号{CARD}", [BANK_CARD]),
        (GROUPED, [BANK_CARD]),
        ("4111111111111111", [BANK_CARD]),
        ("现住西宁市城西区五四大街23号", [HOME_ADDRESS]),
        ("男,回族,住所地为湟中区某街道3号", [HOME_ADDRESS]),
        ("阳光小区3号楼2单元501室", [HOME_ADDRESS]),
        ("在上新庄村3社12号查获", [HOME_ADDRESS]),
        ("向未成年人销售香烟", [MINOR]),
        ("受害人15周岁", [MINOR]),
        ("受害人十六岁", [MINOR]),
        ("其监护人到场", [MINOR]),
        (f"身份证{CHILD}", [RESIDENT_ID, MINOR]),
    ],
)
def test_r7_3_phones_cards_homes_and_minors_are_found(text: str, kinds: list[str]) -> None:
    assert sorted(_kinds(text)) == sorted(kinds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "罚款人民币5,000.00元,没收违法所得13,800,138,000元",
        "统一社会信用代码91630103MA75ABCD1M、91630000710400017T、N1630202MF0A1B2C08",
        # A code of figures only, which passes the sum of bank cards too.
        "统一社会信用代码916300007104005946",
        "2026年11月20日至2026-11-22,青商罚〔2026〕12号,第20261120001号",
        "违反《中华人民共和国未成年人保护法》,销售儿童玩具、婴儿奶粉",
        "住所:西宁市城中区南大街12号",
        "上新庄村种植专业合作社",
        "当事人二十岁,经营满18年,注册资本38岁",
        "投诉电话12315,网址 www.example.cn",
        "产品批号138123456789999,条码6901234567892",
        "2024-01-01 2024-02-02 2025-03-03 2026-04-04",
    ],
)
def test_r7_3_what_belongs_to_firms_and_papers_is_not_taken_for_a_persons(text: str) -> None:
    assert _kinds(text) == []


def test_r7_3_a_screening_is_of_one_text_only() -> None:
    text = f"当事人{PERSON}"
    # One character more, and what a person cleared does not hold for it.
    assert screen(text + "。", TODAY).digest != screen(text, TODAY).digest == screen(text, TODAY).digest


@given(
    st.text(st.characters(exclude_characters="0123456789", codec="utf-8"), max_size=30),
    st.text(max_size=30),
    st.sampled_from(["", " ", "-", "\u3000", "\u200b"]),
    st.dates(date(1920, 1, 1), date(2026, 11, 22)),
    st.integers(0, 999),
)
def test_r7_3_no_text_around_it_hides_a_resident_id(
    before: str, after: str, mark: str, born: date, serial: int
) -> None:
    number = f"630103{born:%Y%m%d}{serial:03}"
    number += resident_check(number)
    written = mark.join((number[:6], number[6:14], number[14:]))
    screening = screen(f"{before}号{written}号{after}", TODAY)
    at = len(before) + 1
    assert any(
        one.kind == RESIDENT_ID and one.start < at + len(written) and at < one.end
        for one in screening.findings
    )


_PIECES = (
    "630103",
    "1990",
    "0307",
    "001",
    "6",
    "X",
    "x",
    " ",
    "-",
    "A",
    "号",
    "\u3000",
    "６３０１０３",
    "１９９００３０７",
    "００１６",
    "Ｘ",
)


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_the_quick_question_of_the_import_passes_over_no_number(text: str) -> None:
    written = unicodedata.normalize("NFKC", text)
    pattern = r"(?<![0-9A-Za-z])[0-9]{6}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
    expected = any(is_resident_id(found) for found in re.findall(pattern, written)) or any(
        is_resident_id(found) and resident_check(found[:17]) == found[17].upper()
        for found in re.findall(r"(?<![0-9])([0-9]{17}[0-9Xx])(?:[0-9]{2})?(?![0-9])", written)
    )
    assert person_number_in(text.encode()) is expected


@pytest.mark.parametrize(
    "text",
    [
        "630103199003070016",
        "630103 1990 0307 0016",
        "630103\u300019900307\u00a00016",
        "ID630103199003070016",
        "\\n630103199003070016",
        "６３０１０３１９９００３０７００１６",
        "63010319900307001x",
        "６３０103199003070016",
        WITH_X.replace("X", "Ｘ"),
    ],
)
def test_the_quick_question_of_the_import_knows_numbers(text: str) -> None:
    assert person_number_in(f'["证件：{text}，"]'.encode())
    assert not person_number_in(f'["证件：{text[:-1]}，"]'.encode())


def test_the_number_of_a_taxpayer_with_a_persons_in_it_is_a_persons() -> None:
    assert person_number_in(b"63010319900307001601")
    # Region, day and serial of a document, right behind letters: the check character tells it from a person's.
    assert not person_number_in(b"XK630103202605100001")


@pytest.mark.parametrize(
    "text", ["138 9765 4321", "138-9765-4321", "+8613897654321", "6222 0202 0011 2233 446"]
)
def test_r7_3_the_import_knows_telephones_and_cards_as_people_group_their_digits(text: str) -> None:
    assert contact_in(f"联系{text}。")


@given(st.text(max_size=200))
def test_r7_3_whatever_is_screened_findings_lie_in_the_text(text: str) -> None:
    for one in screen(text, TODAY).findings:
        assert 0 <= one.start < one.end <= len(text)


def test_r7_3_a_text_of_more_than_64_kb_is_not_screened_and_so_not_published() -> None:
    assert screen("无" * 21845, TODAY).findings == ()
    with pytest.raises(TextTooLong):
        screen("无" * 21846, TODAY)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "19",
        "6 2 ",
        "62",
        "1-",
        "住在",
        "男住所",
        "村3",
        "3号楼",
        "一",
        "\u200b1",
        "𝟏",
        "13",
        "0971 ",
    ],
)
def test_r7_3_time_is_linear_in_the_text(piece: str) -> None:
    """Eight times the text takes no more than about eight times as long; the slack is the machine's."""

    def seconds(size: int) -> float:
        text = piece * (size // len(piece.encode()))
        best = 9.0
        for _ in range(3):
            begun = time.perf_counter()
            screen(text, TODAY)
            best = min(best, time.perf_counter() - begun)
        return best

    assert seconds(64 * 1024) < 8 * 4 * seconds(8 * 1024) + 0.05
