"""Sandbox of customs: its level and anomaly services on the platform, asked by up to 100 USCCs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.sandbox import dirt
from hub.sandbox.facts import CUSTOMS, Subject
from hub.sandbox.province import Province
from hub.sandbox.server import Fault

LEVEL_SERVICE = "s_1263000000000_0421"
ANOMALY_SERVICE = "s_1263000000000_0422"
MOST_CODES = 100


class CustomsService:
    """Answers for up to 100 codes at once; each code's rows of one kind."""

    def __init__(self, province: Province, service: str) -> None:
        """Serve `province`'s traders by `service`, one of the two ids above."""
        self.no_data = "200404" if service == LEVEL_SERVICE else "4040"
        self._province = province
        self._rows = _levels if service == LEVEL_SERVICE else _anomalies

    def answer(self, parameters: Mapping[str, Any], fault: Fault) -> Sequence[Mapping[str, Any]]:
        """Rows for `tyshxydm`, a list of USCCs."""
        codes = parameters["tyshxydm"]
        if not isinstance(codes, list) or not 0 < len(codes) <= MOST_CODES:
            raise ValueError(f"tyshxydm 应为1至{MOST_CODES}个统一社会信用代码")
        found = []
        for code in codes:
            subject = self._province.find(str(code))
            if subject is not None and subject.customs is not None:
                rows = list(self._rows(subject))
                # A re-delivered row stands in the answer twice.
                found += rows + rows[:1] if dirt.falls(20, code, "twice") else rows
        if fault is Fault.LIES:
            other = self._province.find("91630100MA7XK2P38N")
            assert other is not None
            found = list(self._rows(other)) or list(_levels(other))
        return found


def _base(subject: Subject, serial: int) -> dict[str, Any]:
    assert subject.customs is not None
    customs = subject.customs
    return {
        "lsh": f"{customs.code}-{serial}",
        "hgzcbm": customs.code,
        "tyshxydm": dirt.untidy(subject.code, "customs", customs.code),
        "qymc": subject.name,
        "zchg": CUSTOMS.name,
        "xzqh": subject.region.code,
        "jylb": customs.kind,
        "zcrq": dirt.day(customs.registered_on),
        "zxbz": "1" if subject.status == "注销" else "0",
        # The authorized person's number is in the row although nobody asked for it.
        "fddbrsfzh": subject.resident_id,
    }


def _levels(subject: Subject) -> Iterator[dict[str, Any]]:
    assert subject.customs is not None
    for serial, level in enumerate(subject.customs.levels, 1):
        key = (subject.code, serial)
        label = level.label
        if dirt.falls(10, *key, "legacy"):
            label = "AA类"  # a level of 2008, still in the table
        elif dirt.falls(5, *key, "unknown"):
            label = "待定"
        yield _base(subject, serial) | {
            "xydj": label,
            "rdrq": dirt.day(level.recognized_on),
            "jsrq": dirt.day(level.ended_on and level.ended_on - timedelta(days=1), *key),
            "gxsj": f"{level.recognized_on:%Y-%m-%d} 03:12:08",
        }


def _anomalies(subject: Subject) -> Iterator[dict[str, Any]]:
    assert subject.customs is not None
    for serial, (words, day) in enumerate(subject.customs.anomalies, 1):
        yield _base(subject, serial) | {
            "ycxx": words,
            "lrrq": dirt.day(day),
            "ycrq": "",
            "gxsj": f"{day:%Y-%m-%d} 03:12:08",
        }
