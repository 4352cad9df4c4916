"""What a quarterly report says on paper, whatever it is printed with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework.registry import registry

REPORT = """
query Report($number: String!) { case(number: $number) { number state ... on QuarterlyReport {
  year quarter regionName agency departments departmentNames prefilledAt submittedAt submittedBy standing acceptedAt dueOn
  figures { code nameZh kind prefilled part whole drill stated value text reason shares { label count } } } } }
"""
CASES = """
query Counted($figure: String!, $after: String) { cases(countedIn: $figure, first: 50, after: $after) {
  edges { node { number mechanism state openedAt } } pageInfo { hasNextPage endCursor } } }
"""
STATES = {
    "OPEN": "待填报", "PREFILLED": "已预填", "SUBMITTED": "已报送", "RETURNED": "已退回", "ACCEPTED": "已接收",
}  # fmt: skip
STANDINGS = {"ON_TIME": "按期报送", "LATE": "逾期报送", None: "尚未报送"}
HEAD = ("序号", "指标", "系统统计值", "上报值", "修改理由")
SHARES, CASE_HEAD = ("指标", "分项", "件数"), ("指标", "案件编号（限阅者可见）", "机制", "状态", "立案时间")
SIGNED = ("填报人：", "审核人：", "单位（盖章）：", "日期：")
UNSTATED = "（未确认）"


@dataclass(frozen=True)
class Line:
    """A figure on paper: its place, its name, what the hub counted, what is reported, why it differs.

    `prefilled` and `value`: both as numbers, for papers that calculate; None: there is none. `of`: parts of a ratio.
    """

    place: int
    name: str
    kind: str
    prefilled: float | None
    value: float | None
    of: str
    counted: str
    reported: str
    reason: str


@dataclass(frozen=True)
class Paper:
    """A report as it is handed in. `words`: figures in words; `cases`: those that its reader may see."""

    title: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    shares: tuple[tuple[str, str, int], ...]
    words: tuple[tuple[str, str], ...]
    cases: tuple[tuple[str | datetime, ...], ...]


def paper_of(report: Mapping[str, Any], cases: Iterable[tuple[str, Mapping[str, Any]]]) -> Paper:
    """The paper of a report as the hub answers REPORT; `cases`: figure and case as it answers CASES."""
    figures = [one for one in report["figures"] if one["kind"] != "TEXT"]
    return Paper(
        title=f"{report['regionName']}商务领域信用联合奖惩工作季度报告（{report['year']}年第{report['quarter']}季度）",
        facts=(
            ("报告编号", report["number"]),
            ("报送单位", report["agency"]),
            # Reports pre-filled by an older hub have no names; counting anew gives them.
            ("统计单位", "、".join(report["departmentNames"] or report["departments"])),
            ("统计时间", _moment(report["prefilledAt"])),
            ("报送时间", _moment(report["submittedAt"])),
            ("报送情况", f"{STATES.get(report['state'], report['state'])}，{STANDINGS[report['standing']]}"),
        ),
        lines=tuple(
            Line(
                place,
                one["nameZh"],
                one["kind"],
                one["prefilled"],
                one["value"] if one["stated"] else None,
                _of(one),
                shown(one["kind"], one["prefilled"]) + _of(one),
                shown(one["kind"], one["value"]) if one["stated"] else UNSTATED,
                one["reason"] or "",
            )
            for place, one in enumerate(figures, 1)
        ),
        shares=tuple(
            (one["nameZh"], share["label"], share["count"]) for one in figures for share in one["shares"]
        ),
        words=tuple(
            (one["nameZh"], one["text"] or UNSTATED) for one in report["figures"] if one["kind"] == "TEXT"
        ),
        cases=tuple(
            (name, case["number"], *_named(case["mechanism"], case["state"]), _there(case["openedAt"]))
            for name, case in cases
        ),
    )


def shown(kind: str, value: float | None) -> str:
    """A value as people write it; a dash: there was nothing to count."""
    if value is None:
        return "—"
    if kind == "RATIO":
        return f"{value:.2%}"
    # As many places as there are: by default it would be 1e+06 days.
    return f"{value:.12g}" if kind == "DAYS" else f"{value:.0f}"


def _of(figure: Mapping[str, Any]) -> str:
    return f"（{figure['part']}/{figure['whole']}）" if figure["kind"] == "RATIO" and figure["whole"] else ""


def _named(mechanism: str, state: str) -> tuple[str, str]:
    """A mechanism and its state as people call them; by its code what this version does not know."""
    machine = registry().machines.get(mechanism)
    if machine is None:
        return mechanism, state
    return machine.zh, next((one.zh for one in machine.states if one.name == state), state)


def _there(text: str) -> datetime:
    """The day and time in Shanghai, as a spreadsheet keeps them: without a zone."""
    return datetime.fromisoformat(text).astimezone(SHANGHAI).replace(tzinfo=None)


def _moment(text: str | None) -> str:
    return f"{_there(text):%Y-%m-%d %H:%M}" if text else "—"
