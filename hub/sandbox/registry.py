"""Sandboxes of market regulation and of the credit platform: services that give all rows by serial number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from hub.sandbox import decisions, dirt, wellknown
from hub.sandbox.commerce import PENALTY_COLUMNS, penalty_row
from hub.sandbox.facts import MARKET_REGULATION, Listing, Penalty, Subject
from hub.sandbox.province import Province
from hub.sandbox.server import Fault

MOST_ROWS = 1000
_STATES = {
    "PUBLISHED": "公示中",
    "RECOGNIZED": "已认定",
    "SUSPENDED": "中止",
    "EXITED_EXPIRED": "期满退出",
    "EXITED_REPAIRED": "修复退出",
    "EXITED_REVOKED": "撤销退出",
    "EXITED_DISQUALIFIED": "取消资格",
}
_KINDS = {"93": "农民专业合作社", "N1": "农村集体经济组织", "92": "个体工商户"}
# Penalties come in the national columns and these, met in real tables of penalties.
_PENALTY_COLUMNS = (*PENALTY_COLUMNS.split(), "PUBLICSTATUS", "PUBLIC_END_DATE", "撤销原因")
# Lists of whose entries the credit platform tells.
_REPAIRS = ("SW-WATCH", "SW-BLACK", "ZFCG-BLACK", "RS-BLACK")
Row = dict[str, Any]


class SerialService:
    """Rows in the order of `xh`, at most `ts` of them after a given one."""

    def __init__(self, no_data: str, make: Callable[[], Iterator[Row]]) -> None:
        """Serve what `make` gives; `no_data` is the service's own code for none."""
        self.no_data = no_data
        self._make = make

    @cached_property
    def rows(self) -> list[Row]:
        """All rows, numbered from 1."""
        return [row | {"xh": str(number)} for number, row in enumerate(self._make(), 1)]

    def answer(self, parameters: Mapping[str, Any], fault: Fault) -> Sequence[Mapping[str, Any]]:
        """Up to `ts` rows after row `xh`."""
        after, most = int(parameters["xh"]), int(parameters["ts"])
        if not 0 < most <= MOST_ROWS:
            raise ValueError(f"ts 应为1至{MOST_ROWS}")
        return self.rows[after : after + most]


def services(province: Province) -> dict[str, SerialService]:
    """The services by id, as the connectors know them."""

    def lists(*codes: str) -> Callable[[], Iterator[Row]]:
        return lambda: _entries(province, codes)

    return {
        "s_1263000000000_0101": SerialService("NODATA", lambda: _registrations(province)),
        "s_1263000000000_0106": SerialService("NODATA", lambda: _abnormal(province)),
        "s_1263000000000_0107": SerialService("NODATA", lists("SCJG-BLACK")),
        "s_1263000000000_0108": SerialService("NODATA", lambda: _penalties(province)),
        "s_1263000000000_0601": SerialService("1", lists("SW-RED")),
        "s_1263000000000_0602": SerialService("1", lists("SW-WATCH")),
        "s_1263000000000_0603": SerialService("1", lists("SW-BLACK", "ZFCG-BLACK", "RS-BLACK")),
        "s_1263000000000_0604": SerialService("1", lambda: _evaluations(province)),
        "s_1263000000000_0605": SerialService("1", lambda: _repairs(province)),
    }


def _kind(subject: Subject) -> str:
    if subject.kind == "UNINCORPORATED_ORGANIZATION":
        return "合伙企业及分支机构"
    return _KINDS.get(subject.code[:2], "企业法人" if subject.code[0] == "9" else "非企业法人")


def _registrations(province: Province) -> Iterator[Row]:
    for subject in province.organizations():
        key = ("register", subject.code)
        row = {
            # The master register itself writes codes right.
            "tyshxydm": subject.code,
            "qymc": subject.name,
            "ztlx": "其他" if dirt.falls(3, *key, "kind") else _kind(subject),
            "djzt": subject.status,
            "xzqh": subject.registered_region,
            "clrq": dirt.day(subject.established_on),
            "hydm": subject.industry_code or "",
            "fddbr": subject.representative,
            "fddbrzjhm": subject.resident_id,
            "zs": subject.address,
            "lxdh": subject.phone,
            "scbz": "0",
            "gxsj": f"{subject.established_on:%Y-%m-%d} 10:00:00",
        }
        if subject.former_name is not None:
            yield row | {"qymc": subject.former_name}
            renamed = subject.established_on + timedelta(days=200)
            row |= {"gxsj": f"{renamed:%Y-%m-%d} 10:00:00"}
        yield row
        if dirt.falls(20, *key, "again"):
            yield row


def _entries(province: Province, codes: tuple[str, ...]) -> Iterator[Row]:
    for subject in province:
        for listing in subject.listings:
            if listing.list_code in codes:
                yield from _deliveries(subject, listing)


def _deliveries(subject: Subject, listing: Listing) -> Iterator[Row]:
    """The entry when it was made and, when it has left the list, once more with its end."""
    key = (listing.list_code, listing.decision_number, subject.uscc)
    person = subject.uscc is None
    made = "已认定" if listing.list_code == "SW-WATCH" else "公示中"
    row = {
        "tyshxydm": "" if person else dirt.untidy(subject.code, *key),
        "qymc": subject.name,
        "ztmc": subject.name,
        "ztlb": "自然人" if person else "个体工商户" if subject.code[:2] == "92" else "法人及非法人组织",
        "zjhm": subject.resident_id if person else None,
        "mddm": listing.list_code,
        "zt": made,
        "lrsy": listing.cause,
        "rdwh": listing.decision_number,
        "rdrq": dirt.day(listing.recognized_on),
        "gsqsrq": dirt.day(listing.publicity_from, *key),
        "zzxfrq": dirt.day(listing.earliest_repair_on, *key),
        "gsjzrq": dirt.day(listing.publicity_ends_on, *key),
        "tcrq": dirt.day(None, *key, "left"),
        "tcyy": "",
        "yybz": "1" if dirt.falls(30, *key, "objection") else "0",
        "scbz": "0",
        "gxsj": f"{listing.recognized_on:%Y-%m-%d} 18:00:00",
    }
    yield row
    if listing.state == "SUSPENDED":
        yield row | {"zt": "中止", "gxsj": f"{listing.recognized_on + timedelta(days=9):%Y-%m-%d} 18:00:00"}
    if listing.exited_on is not None:
        state = "移出" if dirt.falls(15, *key, "unknown") else _STATES[listing.state]
        yield row | {
            "zt": state,
            "tcrq": dirt.day(listing.exited_on),
            "tcyy": listing.exit_reason,
            "gxsj": f"{listing.exited_on:%Y-%m-%d} 18:00:00",
        }


def _strangers(province: Province) -> Iterator[Subject]:
    """The subjects whose story is not told elsewhere."""
    known = len(wellknown.SUBJECTS)
    return (province.subject(number) for number in range(known, province.size))


def _penalties(province: Province) -> Iterator[Row]:
    """Penalties that no other source tells; some are revoked later, or withdrawn from the service."""
    for subject in _strangers(province):
        random = province.random("market penalties", subject.number)
        person = subject.uscc is None
        for given in decisions.market_penalties_of(random, province.today, subject.number, person):
            yield from _penalty_deliveries(subject, given)


def _penalty_deliveries(subject: Subject, given: Penalty) -> Iterator[Row]:
    key = ("SCJG-CF", given.number)
    row = dict.fromkeys(_PENALTY_COLUMNS, "") | penalty_row(subject, given, MARKET_REGULATION)
    row |= {
        # In figures nobody knows what it means.
        "PUBLICSTATUS": "9" if dirt.falls(15, *key, "status") else "已公示" if given.publicity_until else "",
        "PUBLIC_END_DATE": dirt.day(given.publicity_until, *key, "end"),
        "scbz": "0",
        "gxsj": f"{given.decided_on:%Y-%m-%d} 17:00:00",
    }
    yield row
    if dirt.falls(60, *key, "again"):
        yield row
    later = {"gxsj": f"{given.decided_on + timedelta(days=1):%Y-%m-%d} 09:00:00"}
    if dirt.falls(60, *key, "revoked"):
        yield row | later | {"PUBLICSTATUS": "撤销", "撤销原因": "行政复议决定撤销"}
    elif dirt.falls(40, *key, "withdrawn"):
        yield row | later | {"scbz": "1"}


def _abnormal(province: Province) -> Iterator[Row]:
    """The entry in 经营异常名录 when it was made and, when the firm was taken off, once more with that day."""
    for subject in _strangers(province):
        if subject.uscc is None or subject.code[0] != "9":
            continue
        random = province.random("abnormal operations", subject.number)
        entry = decisions.abnormal_entry_of(random, province.today, subject.number)
        if entry is None:
            continue
        key = ("SCJG-YC", entry.number)
        row = {
            "tyshxydm": dirt.untidy(subject.code, *key),
            "qymc": subject.name,
            # One of the former order that the present one does not know.
            "lryy": "05" if dirt.falls(20, *key, "ground") else entry.ground,
            "lrrq": dirt.day(entry.entered_on),
            "lrwh": entry.number,
            "lrjg": MARKET_REGULATION.name,
            "lrjgdm": MARKET_REGULATION.uscc,
            "ycrq": dirt.day(None, *key, "left"),
            "ycyy": "",
            "scbz": "0",
            "gxsj": f"{entry.entered_on:%Y-%m-%d} 18:00:00",
        }
        yield row
        if dirt.falls(40, *key, "again"):
            yield row
        if entry.left_on is not None:
            yield row | {
                "ycrq": dirt.day(entry.left_on),
                "ycyy": "" if dirt.falls(20, *key, "why") else "已履行公示义务",
                "gxsj": f"{entry.left_on:%Y-%m-%d} 18:00:00",
            }


def _evaluations(province: Province) -> Iterator[Row]:
    for subject in province.organizations():
        if subject.evaluation is not None:
            key = ("evaluation", subject.code)
            yield {
                "tyshxydm": dirt.untidy(subject.code, *key),
                "ztmc": subject.name,
                "ztlb": "个体工商户" if subject.code[:2] == "92" else "法人及非法人组织",
                "zjhm": None,
                "pjdj": "E" if dirt.falls(4, *key, "unknown") else subject.evaluation.grade,
                "pjrq": dirt.day(subject.evaluation.evaluated_on),
                "scbz": "0",
                "gxsj": f"{subject.evaluation.evaluated_on:%Y-%m-%d} 23:00:00",
            }


def _repairs(province: Province) -> Iterator[Row]:
    """What 信用中国 repaired: entries that left their lists so, and one in twelve general penalties after its minimum."""
    for subject in province.organizations():
        for listing in subject.listings:
            if (
                listing.state == "EXITED_REPAIRED"
                and listing.exited_on is not None
                and listing.list_code in _REPAIRS
            ):
                kind = "重点关注名单" if listing.list_code == "SW-WATCH" else "严重失信主体名单"
                yield _repair(subject, kind, listing.decision_number, "", listing.exited_on)
        for penalty in subject.penalties:
            repaired = penalty.decided_on + timedelta(days=100)
            if (
                penalty.seriousness == "GENERAL"
                and repaired < province.today
                and dirt.falls(80, subject.code, penalty.number, "repaired")
            ):
                # Some are of another province's decision, which the hub has never seen.
                lost = dirt.falls(100, subject.code, penalty.number, "elsewhere")
                number = f"甘{penalty.number[1:]}" if lost else penalty.number
                yield _repair(subject, "行政处罚", number, penalty.authority.name, repaired)


def _repair(subject: Subject, kind: str, decision: str, authority: str, repaired: date) -> Row:
    return {
        "tyshxydm": dirt.untidy(subject.code, "repair", decision),
        "ztmc": subject.name,
        "ztlb": "个体工商户" if subject.code[:2] == "92" else "法人及非法人组织",
        "zjhm": None,
        "xxlb": kind,
        "wsh": decision,
        "rdjg": authority,
        "xfrq": dirt.day(repaired),
        "xfwh": f"信修〔{repaired.year}〕{subject.number:06}号",
        "xfzt": "撤销修复" if dirt.falls(10, subject.code, decision, "undone") else "已修复",
        "scbz": "0",
        "gxsj": f"{repaired:%Y-%m-%d} 20:00:00",
    }
