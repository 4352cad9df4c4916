"""Amounts of penalties: 万元 as yuan, compared with the kinds and the words of the decision."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from connectors.contract import RowRejected
from connectors.reading import Reader, figure

_YUAN_PER_UNIT = 10_000
_CENT = Decimal("0.01")
# Figures, as documents write them: 5,000.00, and 贰万肆仟 or 两千 in words.
_DIGITS = {
    sign: value
    for value, signs in enumerate(
        ("零〇", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for sign in signs
}
_PLACES = {sign: 10**power for power, signs in enumerate(("", "十拾", "百佰", "千仟")) for sign in signs}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_NUMBER = rf"([\d,，.]+\s*万?|(?<![0-9.])[{''.join((*_DIGITS, *_PLACES, *_MYRIADS))}]+)\s*[元圆]"
_LEAD = r"(?:\s|金额|人民币|共计|合计|折价|计|[(（]大写[)）]|¥|￥|:|：)*"
# A fine as the decision's text names it: 罚款5000元, 罚款人民币0.5万元, 处以5,000.00元罚款, 罚款人民币贰万元整.
_FINE_TEXT = re.compile(rf"罚款{_LEAD}{_NUMBER}|{_NUMBER}整?的?罚款")
# What was confiscated, likewise: 没收违法所得360元, 没收非法财物折价叁佰元.
_CONFISCATED_TEXT = re.compile(rf"没收(?:违法|非法)?(?:所得|财物)?{_LEAD}{_NUMBER}")


def amount(reader: Reader, code: str) -> Decimal | None:
    """An amount in 万元 as yuan; zero means none. Raises RowRejected(BAD_AMOUNT, FINE_UNIT)."""
    text = reader.text(code)
    if text is None:
        return None
    if text.endswith("元") and not text.endswith("万元"):
        raise RowRejected("FINE_UNIT", f"{code} says 元 in a column of 万元")
    found = figure(text.removesuffix("元").removesuffix("万"))
    number = Decimal(-1) if found is None else found * _YUAN_PER_UNIT
    if not 0 <= number < 10**15:
        raise RowRejected("BAD_AMOUNT", f"{code} is not an amount")
    yuan = number.quantize(_CENT)
    if yuan != number:
        reader.flag(f"ROUNDED:{code}")
    return yuan or None


def check_amount(code: str, found: Decimal | None, named: bool) -> None:
    """Hold an amount against the kinds of the penalty, both ways. Raises RowRejected(CATEGORY_AMOUNT)."""
    if named and found is None:
        raise RowRejected("CATEGORY_AMOUNT", f"the kinds of the penalty name an amount, {code} has none")
    if found is not None and not named:
        raise RowRejected(
            "CATEGORY_AMOUNT", f"{code} has an amount that the kinds of the penalty do not name"
        )


def check_units(reader: Reader, content: str, fine: Decimal | None, confiscated: Decimal | None) -> None:
    """Compare the amounts with the decision's words: off by 10,000 is a slip of 元 and 万元, and quarantined.

    The standard only asks for a warning; but an amount shown ten thousand times too high harms the subject, and
    which of the two figures is right is not for the hub to guess. Raises RowRejected(FINE_UNIT).
    """
    _check_unit(reader, "CF_NR_FK", fine, _FINE_TEXT.findall(content), "FINE_TEXT_DIFFERS")
    found = _CONFISCATED_TEXT.findall(content)
    _check_unit(reader, "CF_NR_WFFF", confiscated, found, "CONFISCATED_TEXT_DIFFERS")


def _check_unit(
    reader: Reader, code: str, given: Decimal | None, words: list[str | tuple[str, ...]], flag: str
) -> None:
    if given is None:
        return
    texts = (word if isinstance(word, str) else "".join(word) for word in words)
    said = [value for text in texts if (value := _figure(text)) is not None]
    said += [sum(said, Decimal(0))] if said else []
    if not said or given in said:
        return
    if any(value * _YUAN_PER_UNIT == given or value == given * _YUAN_PER_UNIT for value in said):
        raise RowRejected(
            "FINE_UNIT", f"{code} and the text of CF_NR differ by 10,000: 元 and 万元 were mixed up"
        )
    reader.flag(flag)


def _figure(text: str) -> Decimal | None:
    """The number that `text` writes in figures or in words; None: none."""
    digits = text.replace(",", "").replace("，", "").removesuffix("万").strip()
    try:
        return Decimal(digits) * (_YUAN_PER_UNIT if text.endswith("万") else 1)
    except InvalidOperation:
        pass
    whole = part = digit = 0
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _PLACES:
            # 十 by itself is ten.
            part, digit = part + (digit or 1) * _PLACES[sign], 0
        elif sign in _MYRIADS:
            lower = part + digit
            whole = (whole + lower) * _MYRIADS[sign] if sign == "亿" else whole + lower * _MYRIADS[sign]
            part = digit = 0
    return Decimal(whole + part + digit) or None
