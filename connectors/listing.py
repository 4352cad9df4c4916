"""Entries of red, watch and black lists as credit platforms exchange them."""

from __future__ import annotations

from connectors.contract import RowRejected
from connectors.reading import Reader

_STATES = {
    "公示中": "PUBLISHED",
    "已认定": "RECOGNIZED",
    "中止": "SUSPENDED",
    "期满退出": "EXITED_EXPIRED",
    "修复退出": "EXITED_REPAIRED",
    "撤销退出": "EXITED_REVOKED",
    "取消资格": "EXITED_DISQUALIFIED",
}


def listing(read: Reader, list_code: str, color: str) -> dict[str, object]:
    """The columns of the entry that the row states. Raises RowRejected."""
    state = _STATES.get(read.required("zt"))
    if state is None:
        raise RowRejected("UNKNOWN_VALUE", "zt is a state of a list entry that is not known")
    if color == "WATCH" and state == "RECOGNIZED":
        # A watch list is shown nowhere (5.2, R8.5): no publication comes that would put the place in force.
        state = "PUBLISHED"
    recognized, left = read.required_day("rdrq"), read.day("tcrq")
    if state.startswith("EXITED") != (left is not None):
        raise RowRejected("STATE_DATES", "zt and tcrq disagree about whether the entry has left the list")
    ends = read.day("gsjzrq")
    if (left or recognized) < recognized or (ends or recognized) < recognized:
        raise RowRejected("DATES_CROSSED", "the entry ends before it was recognized")
    return {
        "list_code": list_code,
        "color": color,
        "state": state,
        "cause": read.text("lrsy"),
        "decision_number": read.number("rdwh"),
        "recognized_on": recognized,
        "publicity_from": read.day("gsqsrq"),
        "earliest_repair_on": read.day("zzxfrq"),
        "publicity_ends_on": ends,
        "exited_on": left,
        "exit_reason": read.text("tcyy"),
        "under_objection": read.says("yybz") is True,
    }
