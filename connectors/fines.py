"""Amounts of penalties: 万元 as yuan, compared with the kinds and the words of the decision."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from connectors.contract import RowRejected
from connectors.reading import Reader

_YUAN_PER_UNIT = 10_000
_CENT = Decimal("0.01")
# A fine as the decision's text names it: 罚款5000元, 罚款人民币0.5万元, 处以5,000.00元罚款.
_FINE_TEXT = re.compile(
    r"罚款\s*(?:人民币|共计|合计|:|：)?\s*([\d,，.]+)\s*(万)?元|([\d,，.]+)\s*(万)?元(?:整)?的?罚款"
)


def amount(reader: Reader, code: str) -> Decimal | None:
    """An amount in 万元 as yuan; zero means none. Raises RowRejected(BAD_AMOUNT, FINE_UNIT)."""
    text = reader.text(code)
    if text is None:
        return None
    digits = text.removesuffix("元").removesuffix("万")
    if text.endswith("元") and not text.endswith("万元"):
        raise RowRejected("FINE_UNIT", f"{code} says 元 in a column of 万元")
    try:
        number = Decimal(digits.replace(",", "").replace("，", "")) * _YUAN_PER_UNIT
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number < 10**15:
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


def check_unit(reader: Reader, content: str, fine: Decimal | None) -> None:
    """Compare the fine with the decision's words: off by 10,000 is a slip of 元 and 万元, and quarantined.

    The standard only asks for a warning; but a fine shown ten thousand times too high harms the subject, and
    which of the two figures is right is not for the hub to guess.
    """
    if fine is None:
        return
    said = []
    for number, unit, other, other_unit in _FINE_TEXT.findall(content):
        try:
            value = Decimal((number or other).replace(",", "").replace("，", ""))
        except InvalidOperation:
            continue
        said.append(value * _YUAN_PER_UNIT if unit or other_unit else value)
    if not said or fine in said or fine == sum(said):
        return
    if any(value * _YUAN_PER_UNIT == fine or value == fine * _YUAN_PER_UNIT for value in said):
        raise RowRejected(
            "FINE_UNIT", "CF_NR_FK and the text of CF_NR differ by 10,000: 元 and 万元 were mixed up"
        )
    reader.flag("FINE_TEXT_DIFFERS")
