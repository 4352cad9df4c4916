"""Finds what must not stand in a published text: numbers, homes and age of persons; a person clears each finding. Pure.

Time is linear in the text, which has at most 64 KB. A finding does not hold what it found, only where and masked.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from hub.rules.digits import Run, runs
from schema.checks import business_reg_check, resident_check, sums_to_zero
from schema.masks import mask_phone, mask_resident_id
from schema.persons import birth_date, folded_is_resident_id, is_minor, is_resident_id

MAX_BYTES = 64 * 1024
RESIDENT_ID, MOBILE, LANDLINE, BANK_CARD = "RESIDENT_ID", "MOBILE", "LANDLINE", "BANK_CARD"
HOME_ADDRESS, MINOR = "HOME_ADDRESS", "MINOR"
# Characters of the shortest number of a person: a resident ID of before 1999.
SHORTEST_NUMBER = 15

# Issuers of cards in use here: UnionPay 62, older domestic 60 and 9, Visa 4, Mastercard 51-55, JCB 35.
_CARD_PREFIX = re.compile("62|60|9|4|5[1-5]|35")
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]")
# The sum of the digits of twice a digit.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_IS_MOBILE = re.compile("1[3-9][0-9]{9}").fullmatch
_DIALLED = {"1": ("",), "8": ("86",), "0": ("0086", "0")}
_LANDLINE = re.compile(
    r"(?<![0-9])\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?[ -]{0,2}[2-9][0-9]{2,3}[ -]?[0-9]{4}(?![0-9])"
)
_PLACE = "[^，。；;,\n]{0,40}?[省市州县区镇乡村路街巷号室栋幢楼][^，。；;,\n]{0,40}"
_HOMES = tuple(
    re.compile(pattern)
    for pattern in (
        "(?P<shown>家庭(?:住址|地址)|户籍(?:地址?|所在地)?|现住(?:址|地)?|暂住(?:地|址)?|常住(?:地|址)"
        "|居住(?:地|址|在|于)|家住|住(?:在|于|址))[:：为是在 ]{0,3}" + _PLACE,
        # 住所 is the registered place of a firm, too: a person's when the sentence describes a person.
        "(?P<shown>男|女|[汉回藏土撒拉蒙古满]{1,3}族|公民身份号码|身份证)[^。\n]{0,60}住所地?[:：为是在 ]{0,3}"
        + _PLACE,
        "(?P<shown>)[0-9]{1,4}(?:号楼|栋|幢)[^，。；\n]{0,8}?[0-9]{1,2}单元[^，。；\n]{0,8}?[0-9]{1,5}(?:室|号|户)?",
        "(?P<shown>)村(?:[0-9]{1,3}|[一二三四五六七八九十]{1,3})(?:组|社|队)(?:[0-9]{1,4}号)?",
    )
)
_MINORS = re.compile(
    "未成年(?!人保护法)|未满(?:十八|18)|监护人|男童|女童|小学生|初中生|高中生|中学生"
    "|(?:儿童|婴儿|幼儿)(?!用品|玩具|服装|食品|家具|图书|奶粉|配方|园|车)"
    "|(?<![0-9.])(?:1[0-7]|[0-9])周?岁|(?<![一二三四五六七八九十百])(?:十[一二三四五六七]?|[一二三四五六七八九])周?岁"
)
# What is neither ASCII nor a usual Chinese character may be a digit, a blank or a dash in disguise.
_UNUSUAL = re.compile("[^\x00-\x7f\u4e00-\u9fff]")
_CHINESE_DIGITS = str.maketrans("〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖", "00123456789123456789")
# Cyrillic, Greek and the sign of multiplication, taken for the X at the end of a number.
_LIKE_X = frozenset("ХхΧχ×")


class TextTooLong(ValueError):
    """The text is longer than 64 KB: it is not screened, and so not published."""


@dataclass(frozen=True)
class Finding:
    """Something that may not be published: `text[start:end]`, told masked only."""

    kind: str
    start: int
    end: int
    sample: str

    @property
    def key(self) -> str:
        """Its name within the text, by which a person clears it."""
        return f"{self.kind}@{self.start}-{self.end}"


@dataclass(frozen=True)
class Screening:
    """The findings in one text, in their order. `digest`: SM3 of the text, so that a clearance holds for no other."""

    digest: str
    findings: tuple[Finding, ...]


def screen(text: str, today: date) -> Screening:
    """What blocks the publication of `text` until a person clears it (R7.3). Raises TextTooLong.

    `today` tells whether the holder of a number that was found is a minor.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        raise TextTooLong(f"the text is longer than {MAX_BYTES} bytes")
    folded = _UNUSUAL.sub(_plain, text)
    found: list[Finding] = []
    taken = bytearray(len(text))
    # Numerals in words are read after the others: written beside figures they would hide these.
    for version in dict.fromkeys((folded, folded.translate(_CHINESE_DIGITS))):
        for run in runs(version):
            _numbers(run, today, found, taken)
    for match in _LANDLINE.finditer(folded):
        _add(found, taken, LANDLINE, match.start(), match.end(), mask_phone(match[0]))
    for pattern in _HOMES:
        # A home may hold a number found before; both are told.
        found += [
            Finding(HOME_ADDRESS, match.start(), match.end(), f"{match['shown']}***")
            for match in pattern.finditer(folded)
        ]
    found += [
        Finding(MINOR, match.start(), match.end(), re.sub("[0-9]", "*", match[0]))
        for match in _MINORS.finditer(folded)
    ]
    found = sorted(set(found), key=lambda one: (one.start, one.end, one.kind))
    return Screening(hashlib.new("sm3", raw).hexdigest(), tuple(found))


def _numbers(run: Run, today: date, found: list[Finding], taken: bytearray) -> None:
    """The numbers of persons in one run of digits, the most telling first."""
    for i in range(len(run.text) - 17):
        number = run.text[i : i + 18]
        if number[6:8] in ("19", "20") and _is_resident(run, i, number):
            start, end = run.span(i, 18)
            if _add(found, taken, RESIDENT_ID, start, end, mask_resident_id(number)):
                born = birth_date(number[6:14])
                if born is not None and is_minor(born, today):
                    found.append(Finding(MINOR, start, end, "****"))
    for i in run.starts:
        _number_from(run, i, found, taken)


def _number_from(run: Run, i: int, found: list[Finding], taken: bytearray) -> None:
    """A number that begins where a group of digits begins: old resident IDs, cards, phones."""
    for length in (19, 18, 17, 16):
        if run.ends(i, length) and _is_card(run.text[i : i + length]) and run.tight(i, length):
            _add(found, taken, BANK_CARD, *run.span(i, length), mask_phone(run.text[i : i + length]))
            return
    if run.ends(i, 15) and run.contiguous(i, 15) and _is_old_resident(run.text[i : i + 15]):
        _add(found, taken, RESIDENT_ID, *run.span(i, 15), mask_resident_id(run.text[i : i + 15]))
        return
    # The country's number, or the 0 once dialled before numbers of elsewhere, may stand before a mobile's.
    for prefix in _DIALLED.get(run.text[i], ()):
        j = i + len(prefix)
        number = run.text[j : j + 11]
        if run.text.startswith(prefix, i) and run.ends(j, 11) and _IS_MOBILE(number) and run.tight(j, 11):
            _add(found, taken, MOBILE, *run.span(j, 11), mask_phone(number))
            return


def _is_resident(run: Run, i: int, number: str) -> bool:
    """Standing alone, a number with a date in it is a person's even when mistyped; within others the check decides."""
    if not folded_is_resident_id(number.upper()):
        return False
    if run.whole(i, 18):
        return True
    return run.contiguous(i, 18) and resident_check(number[:17]) == number[17].upper()


def _is_old_resident(number: str) -> bool:
    """A resident ID of before 1999: 15 digits without check, in the shape of business registration numbers too."""
    return (
        number.isdigit()
        and _PROVINCE.match(number) is not None
        and birth_date("19" + number[6:12]) is not None
        and business_reg_check(number[:14]) != number[14]
    )


def _is_card(number: str) -> bool:
    if not number.isdigit() or _CARD_PREFIX.match(number) is None or not _luhn(number):
        return False
    # One code of organizations in ten passes Luhn.
    return not (len(number) == 18 and sums_to_zero(number))


def _add(found: list[Finding], taken: bytearray, kind: str, start: int, end: int, sample: str) -> bool:
    if any(taken[start:end]):
        return False
    taken[start:end] = b"\x01" * (end - start)
    found.append(Finding(kind, start, end, sample))
    return True


def _plain(found: re.Match[str]) -> str:
    """The ASCII character that this one stands for, always one: places in the text stay what they are."""
    char = found[0]
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if char in _LIKE_X:
        return "X"
    category = unicodedata.category(char)
    if category == "Pd" or char == "\u2212":
        return "-"
    if category[0] == "Z" or category in ("Cf", "Cc"):
        return " "
    same = unicodedata.normalize("NFKC", char)
    return same if len(same) == 1 and same.isascii() else char


# 18 characters that may be a resident ID, with the blanks or hyphens people group them by.
_RESIDENT = re.compile(
    r"(?<![0-9A-Za-z])([0-9]{6}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3}[0-9Xx])(?![0-9A-Za-z])"
)
# The same right behind a letter, or with the two digits of a taxpayer behind it.
_ADJOINED = re.compile(r"(?<![0-9])([0-9]{17}[0-9Xx])(?:[0-9]{2})?(?![0-9])")
# Line breaks and tabs as JSON writes them, once or within another text: their letter belongs to no word.
_ESCAPED = re.compile(r"\\+[nrt]")
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:00)?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Za-z])"
)
_CARD = re.compile(r"(?<![0-9A-Za-z])(62(?:[ -]?[0-9]){14,17})(?![0-9A-Za-z])")
_WIDE = re.compile("[０-９Ｘｘ]")
# The same in UTF-8, in which wide brackets and commas begin alike, and blanks that are not ASCII; and what figures come to
# when each stands as 0 and an X as 1.
_WIDE_WRITTEN = re.compile(b"\xef\xbc[\x90-\x99\xb8]|\xef\xbd\x98|\xc2\xa0|\xe3\x80\x80")
_FIGURES = bytes.maketrans(b"0123456789Xx", b"000000000011")
_AS_LONG = (b"0" * 18, b"0" * 17 + b"1")


def person_number_in(written: bytes) -> bool:
    """Whether a text, in UTF-8, holds what must be taken for a resident ID number (GB 11643), in any width.

    The quick question of the import, asked of every row; a text to be published is screened instead.
    """
    # Hardly any row has so many figures together: nobody looks for a pattern in the others.
    figures = written.translate(_FIGURES, b" -")
    wide = _WIDE_WRITTEN.search(written) is not None
    if not wide and not any(run in figures for run in _AS_LONG):
        return False
    text = written.decode()
    if wide:
        text = unicodedata.normalize("NFKC", text)
    text = _ESCAPED.sub(" ", text)
    if any(is_resident_id(found) for found in _RESIDENT.findall(text)):
        return True
    # Within others the check decides: numbers of documents hold regions and days, too.
    adjoined = (found.upper() for found in _ADJOINED.findall(text))
    return any(is_resident_id(found) and resident_check(found[:17]) == found[17] for found in adjoined)


def contact_in(text: str) -> bool:
    """Whether `text` holds a mobile or bank card number: cleared by a person before it is shown (R7.3)."""
    if _WIDE.search(text):
        text = unicodedata.normalize("NFKC", text)
    return _MOBILE.search(text) is not None or any(
        _luhn(re.sub("[ -]", "", card)) for card in _CARD.findall(text)
    )


def _luhn(number: str) -> bool:
    total = sum(map(int, number[-1::-2])) + sum(map(_DOUBLED.__getitem__, map(int, number[-2::-2])))
    return total % 10 == 0
