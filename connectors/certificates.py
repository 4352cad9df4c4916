"""Numbers of industry credit evaluations (商信用字〔2015〕1号): 15 digits that name year, association, grade and serial."""

from __future__ import annotations

from dataclasses import dataclass

# The three digits of a certificate that stand for its grade. A sign behind the grade refines it and is not in them.
GRADE_DIGITS = {
    "AAA": "111",
    "AA": "011",
    "A": "001",
    "BBB": "222",
    "BB": "022",
    "B": "002",
    "CCC": "333",
    "CC": "033",
    "C": "003",
}
_GRADES = {digits: grade for grade, digits in GRADE_DIGITS.items()}


@dataclass(frozen=True)
class Certificate:
    """What a certificate number says: year of evaluation, three digits of the association, grade, serial."""

    year: int
    association: str
    grade: str
    serial: str


def parse_certificate(number: str) -> Certificate | None:
    """What `number` says; None when it is no certificate number: not 15 digits, or of no grade."""
    if not (len(number) == 15 and number.isascii() and number.isdecimal()):
        return None
    grade = _GRADES.get(number[7:10])
    return None if grade is None else Certificate(int(number[:4]), number[4:7], grade, number[10:])


def certificate_problem(number: str, grade: str, year: int) -> str | None:
    """Why the certificate does not vouch for `grade`, given in `year`; None: it does.

    UNKNOWN_GRADE: none of AAA to C with or without one sign. NOT_A_NUMBER: not 15 digits with a grade. OTHER_GRADE,
    OTHER_YEAR: it belongs to another.
    """
    stated = grade[:-1] if grade[-1:] in ("+", "-") else grade
    if stated not in GRADE_DIGITS:
        return "UNKNOWN_GRADE"
    said = parse_certificate(number)
    if said is None:
        return "NOT_A_NUMBER"
    if said.grade != stated:
        return "OTHER_GRADE"
    return None if said.year == year else "OTHER_YEAR"
