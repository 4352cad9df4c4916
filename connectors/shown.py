"""What a cell of a sheet shows where that is not what it keeps: 30%, 000123, 青商罚〔2026〕9号, a month without a day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

# Spreadsheets keep 15 significant digits: a longer number has already lost its end, and must not look whole.
EXACT = 10**15
# In place of a number that is shown as another one, 10000 as 1.0 in the format 0!.0, of 万, or whose format is one of texts
# (青商罚〔2026〕@号): which is meant nobody can tell.
OTHERWISE = "#FORMAT!"
# The formats that Chinese spreadsheets name by number alone (ECMA-376 18.8.30, zh-cn); openpyxl knows none of them.
_CHINESE = {
    **dict.fromkeys((27, 36, 50, 52, 57), 'yyyy"年"m"月"'),
    **dict.fromkeys((28, 29, 51, 53, 54, 58), 'm"月"d"日"'),
    30: "m-d-yy",
    31: 'yyyy"年"m"月"d"日"',
    **dict.fromkeys((32, 33, 34, 35, 55, 56), 'h"时"mm"分"ss"秒"'),
}
# What a number format shows as it stands, in quotes or behind a sign; and what it does not: gaps, filling, colors.
_LITERAL = re.compile(r'"[^"]*"|[\\!].')
_NOT_SHOWN = re.compile(r"[_*].|\[[^\]]*\]", re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<literal>{_LITERAL.pattern})|\[\$(?P<currency>[^\]-]*)[^\]]*\]|(?P<skipped>{_NOT_SHOWN.pattern})"
    r"|(?P<general>General|G/通用格式)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[[<>=]")
_EXPONENT_OR_FRACTION = re.compile(r"[0#?]E[+-]|[0#?] *[0#?]*/", re.IGNORECASE)
# A comma that groups no figures divides by a thousand.
_SCALED = re.compile(r",(?=[.,]|$)")
# Signs around a number that change nothing of what it says.
_SIGNS = re.compile(r"[\s()（）+\-¥￥$€£]*").fullmatch
# A control character as workbooks write it: _x000D_.
_ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f]|005F)_")


@dataclass(frozen=True)
class _Section:
    """One section of a number format: what stands around the figures, and the places of these with what is between."""

    before: str
    places: tuple[str, ...]
    after: str

    @property
    def words(self) -> str:
        return self.before + self.after

    @property
    def of_texts(self) -> bool:
        return "@" in self.places


def puts_words(forms: Iterable[str]) -> bool:
    """Whether one of the number formats puts words around texts. Of hardly any workbook one does, and all its texts are asked."""
    return any(found and found[-1].of_texts and found[-1].words for found in map(_sections, forms))


def value_of(cell: ReadOnlyCell | EmptyCell, words: bool) -> object:
    """The value of a cell as it shows, a number or a text; None: nothing stands there. `words`: of its workbook `puts_words`."""
    value: object = cell.value
    if value is None and cell.data_type == "str":
        return ""  # a formula that came to an empty text, =IF(A2="","",…)
    if isinstance(value, str):
        if "_x" in value:
            value = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value).replace("\r\n", "\n")
        if not words or not value:
            return value
    elif value is None or isinstance(value, bool):
        return value
    form = ""
    # A style that is not there is none.
    with suppress(IndexError, AttributeError):
        named = _CHINESE.get(cell.style_array.numFmtId)
        if named is not None and isinstance(value, int | float):
            value = _moment(value, cell)
        form = named or cell.number_format or ""
    if isinstance(value, str):
        last = _sections(form)[-1:]
        return f"{last[0].before}{value}{last[0].after}" if last and last[0].of_texts else value
    if isinstance(value, datetime):
        return _day_or_month(value, form)
    return _number(value, form) if isinstance(value, int | float) else value


def plain(value: float) -> str:
    """A number as a person would have typed it, without trailing .0."""
    if abs(value) >= EXACT:
        # No more of it than spreadsheets show: it may be a person's number, whose birthday stands before the lost end.
        return f"{value:.5E}"
    return str(int(value)) if value == int(value) else repr(value)


def _moment(value: float, cell: ReadOnlyCell) -> object:
    from openpyxl.utils.datetime import from_excel

    try:
        return from_excel(value, cell.parent.parent.epoch)
    except (OverflowError, ValueError):
        return "#VALUE!"


def _day_or_month(value: datetime, form: str) -> object:
    """The moment; of a month alone, 2026年5月, which spreadsheets keep as its first day, that month: it is no day."""
    shown = _NOT_SHOWN.sub("", _LITERAL.sub("", form.partition(";")[0])).lower()
    if value.day == 1 and shown and not set("dhs").intersection(shown):
        return f"{value:%Y-%m}"
    return value


def _number(value: float, form: str) -> object:
    if "%" in form:
        # A sign that is but text behind the number multiplies nothing: 30 in the format 0"%" is 30%.
        return f"{value * 100 if '%' in _LITERAL.sub('', form) else value:.12g}%"
    sections = _sections(form)
    if not sections or abs(value) >= EXACT:
        return value
    if sections[-1].of_texts:
        if len(sections) == 1:
            return OTHERWISE if sections[0].words else value
        sections = sections[:-1]
    if _CONDITION.search(form):
        # Which section is meant depends on the number in ways of their own.
        return OTHERWISE if any(not _SIGNS(section.words) for section in sections) else value
    place = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    section = sections[place]
    if not section.places:
        return section.words or value
    if _SCALED.search("".join(sign for sign in section.places if len(sign) == 1)):
        return OTHERWISE
    whole = value == int(value)
    if (
        not whole
        and "." not in section.places
        and any(sign.strip("\0 ") for sign in section.places if len(sign) > 1)
    ):
        # With signs among its figures, 0!.0000 of 万, and none for the parts of one.
        return OTHERWISE
    figures = _filled(abs(int(value)), section.places) if whole else None
    if figures is None and _SIGNS(section.words):
        return value
    before, after = ("" if _SIGNS(words) else words for words in (section.before, section.after))
    return f"{before}{'-' if value < 0 else ''}{figures or plain(abs(value))}{after}"


def _filled(whole: int, places: tuple[str, ...]) -> str | None:
    """A whole number in places that show it otherwise than people write it, 000 or 0000-00-00; None: in others."""
    zeros = places.count("0")
    between = any(sign.strip("\0 ") for sign in places if len(sign) > 1)
    if {".", ","}.intersection(places) or (zeros < 2 and not between):
        return None
    left, shown = list(str(whole).zfill(zeros)), ""
    first = next(number for number, sign in enumerate(places) if len(sign) == 1)
    for number in range(len(places) - 1, -1, -1):
        if len(places[number]) > 1:
            shown = places[number][1:] + shown
        elif number == first:
            shown = "".join(left) + shown
        else:
            shown = (left.pop() if left else "") + shown
    return shown


@lru_cache(maxsize=256)
def _sections(form: str) -> tuple[_Section, ...]:
    """The sections of a number format; none of one that changes nothing of a number."""
    if _EXPONENT_OR_FRACTION.search(_LITERAL.sub("", form)):
        return ()
    found: list[list[str]] = [[]]
    for token in _TOKEN.finditer(form):
        literal, other = token["literal"] or token["currency"], token["other"]
        if literal is not None:
            # Behind a sign of its own, for a figure that is shown as it stands is no place of one.
            found[-1].append("\0" + (literal[1:-1] if literal.startswith('"') else literal.lstrip("\\!")))
        elif token["general"]:
            found[-1].append("#")
        elif other == ";":
            found.append([])
        elif other is not None:
            found[-1].append(other if other in "0#?.,@" else "\0" + other)
    sections = tuple(_section(tokens) for tokens in found)
    usual = ((), ("0",), ("#",), ("@",))
    return () if all(not one.words and one.places in usual for one in sections) else sections


def _section(tokens: list[str]) -> _Section:
    places = [number for number, token in enumerate(tokens) if len(token) == 1]
    first, last = (places[0], places[-1] + 1) if places else (len(tokens), len(tokens))
    before, after = ("".join(token[1:] for token in part) for part in (tokens[:first], tokens[last:]))
    return _Section(before, tuple(tokens[first:last]), after)
