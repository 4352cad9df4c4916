"""Rows of the national 双公示 files as canonical items: cross-checked, amounts in yuan."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime

from connectors.contract import SHANGHAI, Item, Kind, RawRow, RowRejected
from connectors.counterparty import counterparty
from connectors.files import delivered_on
from connectors.fines import amount, check_amount, check_units
from connectors.reading import Reader, moment_of, one_line
from connectors.template import LEGACY_MARKS, LEGACY_REQUIRED, Template, template_of

LICENSE_ITEM = "SW-XK"
PENALTY_ITEM = "SW-CF"

_FIRST_DAY = date(1949, 10, 1)
_LAST_DAY = date(2200, 1, 1)
_SEPARATORS = re.compile("[;；、,，|]")
_LICENSE_KINDS = {"01": "普通", "02": "特许", "03": "认可", "04": "核准", "05": "登记", "06": "其他"}
_PENALTY_KINDS = re.compile(
    "警告|通报批评|罚款|没收违法所得|没收非法财物|没收|降低资质等级|限制开展生产经营活动|责令停产停业|责令关闭|限制从业"
    "|行政拘留|(?:暂扣|吊销|(?:暂扣|吊销)[/或](?:暂扣|吊销))(?:许可证件?|执照|证照)?"
)
_OTHER = re.compile(r"其他\s*(?:[-—:(（].*)?")
_STATED = {"轻微": "MINOR", "一般": "GENERAL", "严重": "SERIOUS"}
_PROCEDURE = {
    "01": True,
    "简易": True,
    "简易程序": True,
    "02": False,
    "一般": False,
    "普通": False,
    "普通程序": False,
}
# The codes of 2016: 0 正常, 1 撤销, 2 异议, 3 其他 (explained in the remark: for a person to read).
_STATES_2016 = {
    "0": "EFFECTIVE",
    "正常": "EFFECTIVE",
    "1": "REVOKED",
    "撤销": "REVOKED",
    "2": "UNDER_OBJECTION",
    "异议": "UNDER_OBJECTION",
}
# PUBLICSTATUS in words; figures met there have no meaning that is known.
_PUBLICITY_STATES = {
    "正常": "EFFECTIVE",
    "公示": "EFFECTIVE",
    "公示中": "EFFECTIVE",
    "已公示": "EFFECTIVE",
    "撤销": "REVOKED",
    "已撤销": "REVOKED",
}


def item_of(
    row: RawRow, today: date, digest_person_id: Callable[[str], str], *, withdrawn: bool = False
) -> Item:
    """The item that a row of either template states; of one that is withdrawn only what names it. Raises RowRejected."""
    template = template_of(row.fields)
    if template is None:
        raise RowRejected("TEMPLATE", "the columns are those of no template")
    legacy = bool(LEGACY_MARKS & row.fields.keys())
    fields = row.fields
    if legacy:
        fields = {template.legacy.get(code, code): value for code, value in fields.items()}
    if not withdrawn:
        _check_columns(template, fields, legacy)
    reader = Reader(RawRow(row.origin, row.position, b"", fields))
    if legacy:
        reader.flag("LEGACY_2016")
    prefix = template.name
    subject = counterparty(reader, prefix, legacy, today, digest_person_id)
    number = one_line(reader.code(f"{prefix}_WSH") or reader.code("XK_XKBH") or "")
    if not number:
        raise RowRejected("MISSING", f"{prefix}_WSH is empty or says that there is none")
    authority = {"XK": ("XK_XKJG", "XK_XKJGDM"), "CF": ("CF_CFJG", "CF_CFJGDM")}[prefix]
    values: dict[str, object] = {
        "document_number": number,
        "authority_name": reader.required_line(authority[0]),
        "authority_uscc": reader.code(authority[1]),
    }
    if withdrawn:
        # A row that was wrong is withdrawn as it stands; its day finds what has its number written otherwise.
        with suppress(RowRejected):
            values["decided_on"] = _decided(reader, f"{prefix}_JDRQ", today)
    else:
        decided = values["decided_on"] = _decided(reader, f"{prefix}_JDRQ", today)
        values.update((_license if prefix == "XK" else _penalty)(reader, decided, legacy))
    for code in sorted(fields.keys() - template.known):
        if fields[code]:
            reader.flag(f"UNKNOWN_COLUMN:{code[:40]}")
    return Item(
        kind=Kind.LICENSE if prefix == "XK" else Kind.PENALTY,
        source_record_id=_record_id(
            prefix,
            number,
            str(values["authority_uscc"] or values["authority_name"]),
            subject.identifiers[0][1],
        ),
        catalog_item_code=LICENSE_ITEM if prefix == "XK" else PENALTY_ITEM,
        subject=subject,
        values=values,
        source_updated_at=_updated(reader, row.origin),
        deleted=withdrawn,
        by_decision=True,
        flags=reader.flags,
    )


def _check_columns(template: Template, fields: Mapping[str, str | None], legacy: bool) -> None:
    lengths = template.lengths
    for code, value in fields.items():
        if value and len(value) > lengths.get(code, sys.maxsize):
            raise RowRejected("TOO_LONG", f"{code} is longer than {lengths[code]} characters")
    required = LEGACY_REQUIRED[template.name] if legacy else template.required
    for code in required:
        if not fields.get(code):
            raise RowRejected("MISSING", f"{code} is empty")


def _record_id(prefix: str, number: str, authority: str, subject: str) -> str:
    """Names a decision on every delivery: document number, authority, counterparty (the duplicate rule).

    A digest, because the key of a natural person must not show in it.
    """
    folded = "".join(unicodedata.normalize("NFKC", "\x1f".join((number, authority, subject))).split()).upper()
    return f"{prefix}-{hashlib.new('sm3', folded.encode('utf-8', 'replace')).hexdigest()[:40]}"


def _updated(reader: Reader, origin: str) -> datetime | None:
    """When the row was written: its own stamp (数据更新时间戳, 2016), else the day in the file's name."""
    stamp = reader.text("SJC") or ""
    try:
        found = moment_of(stamp)
    except ValueError:
        if stamp:
            reader.flag("UNKNOWN:SJC")
        return delivered_on(origin)
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _decided(reader: Reader, code: str, today: date) -> date:
    day = reader.past_day(code, today)
    if day < _FIRST_DAY:
        raise RowRejected("DATE_IMPLAUSIBLE", f"{code} lies before 1949-10-01")
    return day


def _day(reader: Reader, code: str) -> date | None:
    day = reader.day(code)
    if day is not None and not _FIRST_DAY <= day <= _LAST_DAY:
        raise RowRejected("DATE_IMPLAUSIBLE", f"{code} is no plausible day")
    return day


def _license(reader: Reader, decided: date, legacy: bool) -> dict[str, object]:
    start, end = _day(reader, "XK_YXQZ"), _day(reader, "XK_YXQZI")
    if end is not None and end < (start or decided):
        raise RowRejected("DATE_ORDER", "XK_YXQZI lies before XK_YXQZ")
    name = reader.required("XK_XKWS")
    details = {
        "document_name": name,
        "certificate_name": reader.text("XK_XKZS"),
        "certificate_number": reader.code("XK_XKBH"),
        "content": reader.required("XK_NR"),
        **_common_details(reader, "XK", "XK_LYDW", "XK_LYDWDM"),
    }
    state, stated = reader.text("XK_ZT"), None
    if legacy:
        stated = _state_2016(reader, "XK_ZT")
    elif state in ("1", "有效"):
        details["license_state"], stated = "VALID", "EFFECTIVE"
    elif state in ("2", "无效"):
        details["license_state"] = "INVALID"
    else:
        raise RowRejected("UNKNOWN_VALUE", "XK_ZT is neither 1 (有效) nor 2 (无效)")
    kinds = []
    for part in _parts(reader, "XK_XKLB"):
        kind = _LICENSE_KINDS.get(part, part)
        if kind not in _LICENSE_KINDS.values() and not _OTHER.fullmatch(kind):
            raise RowRejected("UNKNOWN_VALUE", "XK_XKLB has a kind that the standard does not know")
        kinds.append(kind)
    return {
        "title": name,
        "valid_from": start,
        "valid_to": end,
        "categories": kinds,
        "seriousness": "NOT_ADVERSE",
        "lifecycle": _lifecycle(reader, stated),
        "usable_until": _publicity_end(reader, "PUBLIC_END_DATE", decided),
        "details": {key: value for key, value in details.items() if value is not None},
    }


def _penalty(reader: Reader, decided: date, legacy: bool) -> dict[str, object]:
    kinds = [*_parts(reader, "CF_CFLB"), *_parts(reader, "CF_CFLB2")]
    for kind in kinds:
        if not _PENALTY_KINDS.fullmatch(kind) and not _OTHER.fullmatch(kind):
            raise RowRejected("UNKNOWN_VALUE", "CF_CFLB has a kind that the standard does not know")
    content = reader.required("CF_NR")
    fine = amount(reader, "CF_NR_FK")
    confiscated = amount(reader, "CF_NR_WFFF")
    if not legacy:
        check_amount("CF_NR_FK", fine, any(kind.startswith("罚款") for kind in kinds))
        check_amount("CF_NR_WFFF", confiscated, any(kind.startswith("没收") for kind in kinds))
        if any(kind.startswith(("暂扣", "吊销")) for kind in kinds) and reader.text("CF_NR_ZKDX") is None:
            raise RowRejected("CATEGORY_CERTIFICATE", "暂扣/吊销 without the certificate (CF_NR_ZKDX)")
    check_units(reader, content, fine, confiscated)
    ends = [_publicity_end(reader, code, decided) for code in ("CF_GSJZQ", "PUBLIC_END_DATE")]
    violation = reader.text("CF_WFXW")
    details = {
        "violation_type": violation,
        "facts": reader.text("CF_SY"),
        "basis": reader.text("CF_YJ"),
        "content": content,
        "revoked_certificate": reader.text("CF_NR_ZKDX"),
        **_common_details(reader, "CF", "CF_SJLY", "CF_SJLYDM"),
    }
    values: dict[str, object] = {
        "title": violation or reader.text("CF_CFMC") or content[:200],
        # How long the penalty itself lasts; how long it may be told of is another matter.
        "valid_to": _day(reader, "CF_YXQ"),
        "categories": kinds,
        "fine_amount": fine,
        "confiscated_amount": confiscated,
        # Met in rows of either template; the one of today has no column for it.
        "lifecycle": _lifecycle(reader, _state_2016(reader, "CF_ZT")),
        # The end that the authority states; the hub lets the earlier of this and the rule set's hold.
        "usable_until": min((end for end in ends if end is not None), default=None),
        "details": {key: value for key, value in details.items() if value is not None},
    }
    _add_gravity(reader, values)
    return values


def _add_gravity(reader: Reader, values: dict[str, object]) -> None:
    """The class and the procedure that the row states. Raises RowRejected.

    A word for them that is not known is for a person to read: by the kinds alone a penalty could be told of that is published
    nowhere, or be withheld as minor that its authority calls grave.
    """
    level, procedure = reader.text("DISCREDIT_LEVEL"), reader.text("CASE_PROCESS_TYPE")
    if level is not None:
        stated = next((value for word, value in _STATED.items() if level.startswith(word)), None)
        if stated is None:
            raise RowRejected("UNKNOWN_VALUE", "DISCREDIT_LEVEL is a class of penalty that is not known")
        values["seriousness"] = stated
    if procedure is not None:
        if procedure not in _PROCEDURE:
            raise RowRejected("UNKNOWN_VALUE", "CASE_PROCESS_TYPE is a procedure that is not known")
        values["simple_procedure"] = _PROCEDURE[procedure]


def _common_details(reader: Reader, prefix: str, unit: str, code: str) -> dict[str, object]:
    return {
        "legal_representative_name": reader.text(f"{prefix}_FRDB"),
        "source_unit_name": reader.text(unit),
        "source_unit_uscc": reader.code(code),
        "revocation_reason": reader.text("撤销原因"),
    }


def _state_2016(reader: Reader, code: str) -> str | None:
    """The state of the decision in the codes of 2016; None when the row says none. Raises RowRejected."""
    state = reader.text(code)
    if state is not None and state not in _STATES_2016:
        raise RowRejected("UNKNOWN_VALUE", f"{code} is neither 0 (正常), 1 (撤销) nor 2 (异议)")
    return None if state is None else _STATES_2016[state]


def _lifecycle(reader: Reader, stated: str | None) -> str:
    """The state of the decision: as `stated`, as of its publicity, revoked where a reason for that is given.

    Raises RowRejected: what is revoked by one column and not by another is for a person to read.
    """
    found = {stated} if stated is not None else set()
    publicity = reader.text("PUBLICSTATUS")
    if publicity is not None:
        if publicity not in _PUBLICITY_STATES:
            raise RowRejected("UNKNOWN_VALUE", "PUBLICSTATUS is a state of publicity that is not known")
        found.add(_PUBLICITY_STATES[publicity])
    if reader.text("撤销原因") is not None:
        found.add("REVOKED")
    if "REVOKED" in found and len(found) > 1:
        raise RowRejected("STATE_CONFLICT", "the columns disagree about whether the decision was revoked")
    # One under objection is published all the same (5.4).
    return next((state for state in ("REVOKED", "UNDER_OBJECTION") if state in found), "EFFECTIVE")


def _publicity_end(reader: Reader, code: str, decided: date) -> date | None:
    end = _day(reader, code)
    if end is not None and end < decided:
        raise RowRejected("DATE_ORDER", f"{code} lies before the decision")
    return end


def _parts(reader: Reader, code: str) -> list[str]:
    """The kinds in a cell, each once; 其他(…) may hold separators of its own, so it takes the rest."""
    text = reader.text(code) or ""
    other = text.find("其他")
    head, rest = (text, "") if other < 0 else (text[:other], text[other:])
    return list(dict.fromkeys(part for part in (*map(str.strip, _SEPARATORS.split(head)), rest) if part))
