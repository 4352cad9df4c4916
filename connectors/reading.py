"""How values of registers are read: days, amounts and texts, with a flag for whatever had to be repaired."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from connectors.contract import SHANGHAI, RawRow, RowRejected

# Days and words that mean "none" or "for ever" (found in real deliveries of the national format).
_EMPTY = frozenset({"", "\\N", "NULL", "null"})
_NONE = _EMPTY | {"暂无", "无", "长期", "-", "—", "无处罚期限"}
_SENTINELS = frozenset({(1899, 12, 31), (1900, 1, 1), (2099, 12, 31), (9999, 9, 9), (9999, 12, 31)})
# A resident ID number inside other text (GB 11643-1999): region, birthday, three figures, check character.
_PERSON_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"\d{3}[\dXx](?:\d\d)?(?![0-9A-Za-z])"
)
# Marks alone say none as well: /, --, … Not those of a question, which may be all that is left of damaged letters.
_SIGNS = re.compile(r"[-/／\\‐-―－_.。…·、,，;；:：*＊~～|]+").fullmatch
# What a spreadsheet writes where it has no value to show: of what was meant nothing is left.
# `#FORMAT!` is of connectors.shown.
_SHEET_ERROR = re.compile(r"#+|#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|FORMAT!)").fullmatch
# Commas group figures by three: 0,5 may be a half, or five.
_AMOUNT = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?(?:[Ee][+-]?[0-9]{1,3})?"
).fullmatch
_BREAKS = re.compile(r"\s*[\r\n]\s*")
_NO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d+").fullmatch
# Without its two separators a day has all eight figures: 202611 and 2026-11 are months, which are no days.
_DAY = re.compile(
    r"(?:(\d{4}) *[-/.年] *(\d{1,2}) *[-/.月] *(\d{1,2})(?: *日)?|(\d{4})(\d\d)(\d\d))"
    r"(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?"
).fullmatch
# A month, a day or an hour of one figure; behind a point stands a part of a second.
_LONE_FIGURE = re.compile(r"(?<![0-9.])([0-9])(?![0-9])")
# 24:00 of a day. Python takes it for the next day from 3.14 on, and for no moment before: for none, then, under every Python.
_DAYS_END = re.compile(r"[^-\d:.,+W]24").search
# Characters of a row's position that are kept: a service names its rows as it likes.
_PLACE = 200


class Reader:
    """Reads the fields of one row and collects flags about it."""

    def __init__(self, row: RawRow) -> None:
        """Read `row`."""
        self._fields: Mapping[str, str | None] = row.fields
        self._flags: dict[str, None] = {}

    @property
    def flags(self) -> tuple[str, ...]:
        """What was noticed, each once, in order."""
        return tuple(self._flags)

    def flag(self, name: str) -> None:
        """Note something."""
        self._flags[name] = None

    def text(self, name: str) -> str | None:
        """The stripped text; None for empty values and the words and signs that mean none. Raises RowRejected(SHEET_ERROR)."""
        value = (self._fields.get(name) or "").strip()
        if value in _NONE:
            return None
        # Both begin with a sign: hardly a cell of a file needs to be asked.
        if not value[0].isalnum():
            _refuse_sheet_error(name, value)
            if _SIGNS(value):
                return None
        return value

    def required(self, name: str) -> str:
        """The stripped text. Raises RowRejected(MISSING)."""
        value = self.text(name)
        if value is None:
            raise RowRejected("MISSING", f"{name} is empty or says that there is none")
        return value

    def required_line(self, name: str) -> str:
        """The text in one line. Raises RowRejected(MISSING), also where it is nothing but signs without width."""
        value = one_line(self.required(name))
        if not value:
            raise RowRejected("MISSING", f"{name} is empty but for signs that have no width")
        return value

    def says(self, name: str, yes: Sequence[str] = ("1",), no: Sequence[str] = ("0",)) -> bool | None:
        """Whether a column of two values says yes; None when it is empty. Raises RowRejected(UNKNOWN_VALUE).

        `yes` and `no` are what the source is known to write: another word may mean either, and neither is guessed.
        """
        value = (self._fields.get(name) or "").strip()
        if value in _EMPTY:
            return None
        if value in yes or value in no:
            return value in yes
        raise RowRejected(
            "UNKNOWN_VALUE", f"{name} is neither {' or '.join(yes)} (yes) nor {' or '.join(no)} (no)"
        )

    def code(self, name: str) -> str | None:
        """A code as text. Raises RowRejected(SCIENTIFIC) when a spreadsheet made a number of it."""
        value = self.text(name)
        if value is not None and _SCIENTIFIC(value):
            raise RowRejected("SCIENTIFIC", f"{name} was turned into a number and has lost its end")
        return value

    def number(self, name: str) -> str:
        """The number of a document or record, as text. Raises RowRejected(MISSING, SCIENTIFIC)."""
        return self.code(name) or self.required(name)

    def required_code(self, name: str) -> str:
        """A code as text. Raises RowRejected."""
        value = self.code(name)
        if value is None:
            raise RowRejected("NO_KEY", f"{name} is empty")
        return value

    def day(self, name: str) -> date | None:
        """The day; None and a flag for sentinel values. Raises RowRejected(BAD_DATE, SHEET_ERROR)."""
        value = (self._fields.get(name) or "").strip()
        if value in _NONE or _SIGNS(value):
            if value and value != "无":
                self.flag(f"SENTINEL:{name}")
            return None
        try:
            found = _day_of(value)
        except ValueError:
            _refuse_sheet_error(name, value)
            raise RowRejected("BAD_DATE", f"{name} is not a day: write it as 2026-05-10") from None
        if found is None:
            self.flag(f"SENTINEL:{name}")
        elif not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            raise RowRejected("DATE_IMPLAUSIBLE", f"{name} is no plausible day")
        return found

    def required_day(self, name: str) -> date:
        """The day. Raises RowRejected."""
        value = self.day(name)
        if value is None:
            raise RowRejected("MISSING", f"{name} is empty or says that there is none")
        return value

    def past_day(self, name: str, today: date) -> date:
        """The day on which something was done, so none that lies ahead. Raises RowRejected."""
        value = self.required_day(name)
        if value > today:
            raise RowRejected("DATE_FUTURE", f"{name} lies ahead")
        return value

    def moment(self, name: str) -> datetime | None:
        """The moment on clocks in Shanghai, whose days count; of these unless it says otherwise. Raises RowRejected(BAD_DATE)."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = moment_of(value)
        except ValueError:
            raise RowRejected("BAD_DATE", f"{name} is not a moment") from None
        if not 1900 <= found.year <= 9000:
            # Nearer to the calendar's ends the moment may not exist in another zone.
            raise RowRejected("BAD_DATE", f"{name} is not a plausible moment")
        return found.astimezone(SHANGHAI) if found.tzinfo else found.replace(tzinfo=SHANGHAI)

    def percentage(self, name: str) -> Decimal | None:
        """The number of a column of percents, with the sign or without. Raises RowRejected(BAD_AMOUNT)."""
        return self.amount(name, "%％")

    def amount(self, name: str, unit: str = "") -> Decimal | None:
        """The number, behind which a sign of `unit` may stand. Raises RowRejected(BAD_AMOUNT)."""
        value = self.text(name)
        if value is None:
            return None
        number = figure(value[:-1] if value[-1] in unit else value)
        if number is None or abs(number) >= 10**15:
            raise RowRejected("BAD_AMOUNT", f"{name} is not an amount")
        return number


def one_line(value: str) -> str:
    """A name or number without the line breaks by which a cell was wrapped, and without signs that have no width."""
    if value.isprintable():
        return value
    return _BREAKS.sub(_blank_between_words, _NO_WIDTH.sub("", value)).strip()


def _blank_between_words(found: re.Match[str]) -> str:
    around = found.string[found.start() - 1 : found.start()] + found.string[found.end() : found.end() + 1]
    return " " if around.isascii() and around.isalnum() else ""


def moment_of(value: str) -> datetime:
    """The moment that a value writes, with or without a zone; as spreadsheets do, too: 2026/5/1 9:00. Raises ValueError."""
    if _DAYS_END(value):
        raise ValueError(value)
    return datetime.fromisoformat(_LONE_FIGURE.sub(r"0\1", value.replace("/", "-")))


def _refuse_sheet_error(name: str, value: str) -> None:
    if _SHEET_ERROR(value):
        raise RowRejected(
            "SHEET_ERROR",
            f"{name} holds no value but an error of the spreadsheet, or a number that its format shows as another"
            " (#FORMAT!): type there what is meant",
        )


def figure(value: str) -> Decimal | None:
    """The number that `value` writes, in figures of either width, by threes or together; None: not for certain one."""
    written = unicodedata.normalize("NFKC", value).strip()
    try:
        return Decimal(written.replace(",", "")) if _AMOUNT(written) else None
    except InvalidOperation:
        return None


def kind_of(code: str) -> str:
    """The kind of subject as far as a code tells it, for sources that do not say: 92 is an individual business."""
    return "INDIVIDUAL_BUSINESS" if code.lstrip()[:2] in ("92", "９２") else "LEGAL_PERSON"


def is_personal(value: str) -> bool:
    """Whether a taxpayer's number is a person's: a resident ID, or one with two digits behind it."""
    return _PERSON_NUMBER.fullmatch(value.strip()) is not None


def without_person_numbers(text: str) -> str:
    """`text` with every resident ID number masked: it tells birthplace, birthday and sex (PIPL art. 28)."""
    return _PERSON_NUMBER.sub(lambda found: found[0][0] + "*" * (len(found[0]) - 2) + found[0][-1], text)


def json_raw(origin: str, position: str, row: Mapping[str, object], drop: Sequence[str] = ()) -> RawRow:
    """A row of a service or database, raw as its canonical JSON, without the fields in `drop`.

    What is no Unicode text, half of a pair of surrogates, is a question mark in `raw` and as it came in the fields.
    """
    kept = {name: None if value is None else str(value) for name, value in row.items() if name not in drop}
    raw = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="replace")
    # The store keeps the position, and finds the row by it.
    place = position[:_PLACE].encode(errors="replace").decode().replace("\0", "?")
    return RawRow(origin, place, raw, kept)


# The rows of a file share few days.
@lru_cache(maxsize=16384)
def _day_of(value: str) -> date | None:
    """The day that a value writes; None for a sentinel. Raises ValueError."""
    # In either width, with whatever blanks.
    found = _DAY(unicodedata.normalize("NFKC", value))
    if found is None:
        raise ValueError(value)
    year, month, day = (int(part) for part in found.groups() if part is not None)
    return None if (year, month, day) in _SENTINELS else date(year, month, day)
