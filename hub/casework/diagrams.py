"""State machines as diagrams: Mermaid text, and SVG by a small layout of its own, states below one another. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

from hub.casework.machine import Machine, Transition

# Sizes of the SVG, in pixels.
_FONT, _LINE, _GAP, _PORT = 13, 18, 26, 11
_PAD, _LANE = 12, 14
_PAGE = """# 办理流程 · State machines of casework

由 `credithub casework diagram --format markdown` 生成，与代码中的流程表一致。箭头上是步骤名称；谁可以办、须填写什么、适用哪条规则，
见 [hub/casework](../hub/casework)。

Made by `credithub casework diagram --format markdown` from the tables that the hub itself works by. An arrow is a step; who may
take it, what it needs and which rule it keeps stands in [hub/casework](../hub/casework).
"""


def mermaid(machine: Machine) -> str:
    """The machine as a Mermaid stateDiagram-v2; arrows with the same ends share one label."""
    lines = ["stateDiagram-v2"]
    lines += [f"  {state.name} : {_said(state.zh)} · {_said(state.en)}" for state in machine.states]
    lines.append(f"  [*] --> {machine.initial}")
    for source, target, steps in _arrows(machine):
        lines.append(f"  {source} --> {target} : {'、'.join(_said(step.zh) for step in steps)}")
    lines += [f"  {state.name} --> [*]" for state in machine.states if state.name in machine.final]
    return "\n".join(lines) + "\n"


def _said(words: str) -> str:
    """Words as Mermaid takes them: a colon or a semicolon would end them."""
    return words.replace(": ", " – ").replace(":", "：").replace(";", "；")


def _arrows(machine: Machine) -> list[tuple[str, str, list[Transition]]]:
    """Steps by their ends, in the order of the states and of the table."""
    order = {state.name: place for place, state in enumerate(machine.states)}
    found: dict[tuple[str, str], list[Transition]] = {}
    for step in machine.transitions:
        for source in step.sources:
            found.setdefault((source, step.leads(source)), []).append(step)
    ends = sorted(found, key=lambda pair: (order[pair[0]], order[pair[1]]))
    return [(source, target, found[source, target]) for source, target in ends]


@dataclass(frozen=True)
class _Arrow:
    """An arrow between two layers; `lane` counts from the boxes outwards, down on the right, up on the left."""

    source: int
    target: int
    label: str
    lane: int

    @property
    def down(self) -> bool:
        return self.source < self.target

    @property
    def span(self) -> tuple[int, int]:
        return min(self.source, self.target), max(self.source, self.target)


def svg(machine: Machine) -> str:
    """The machine as an SVG document: a layer for each state, the initial one first, arrows in lanes beside them."""
    layers = _layers(machine)
    names = {state.name: state for state in machine.states}
    own = {source: steps for source, target, steps in _arrows(machine) if source == target}
    arrows = _laned(
        [
            (layers.index(source), layers.index(target), "、".join(step.zh for step in steps))
            for source, target, steps in _arrows(machine)
            if source != target
        ]
    )
    texts = []
    for name in layers:
        told = [f"{names[name].zh} · {names[name].en}"]
        if name in own:
            told.append("↻ " + "、".join(step.zh for step in own[name]))
        texts.append(told)
    box = max(_width(line) for told in texts for line in told) + 2 * _PAD
    rights, lefts = (_lanes([one for one in arrows if one.down is side]) for side in (True, False))
    left = _PAD + sum(lefts)
    tops, heights, ports = _rows(texts, arrows)
    bottom = tops[-1] + heights[-1]
    parts = [_style(), f"<title>{escape(machine.zh)} · {escape(machine.en)}</title>"]
    for place, (name, told) in enumerate(zip(layers, texts, strict=True)):
        parts += _box(left, tops[place], box, heights[place], told, _kind(machine, name))
    for arrow in arrows:
        lanes, edge, sign = (rights, left + box, 1) if arrow.down else (lefts, left, -1)
        x = edge + sign * (sum(lanes[: arrow.lane]) + _LANE)
        parts += _line(arrow, edge, x, sign, ports, tops, heights)
    width, height = left + box + sum(rights) + _PAD, bottom + _PAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _layers(machine: Machine) -> list[str]:
    """The states by their distance from the initial one, ends last; equals in the order of the table."""
    distance, edge = {machine.initial: 0}, {machine.initial}
    while edge:
        nearer = max(distance.values()) + 1
        edge = machine.next_to(edge) - distance.keys()
        distance |= dict.fromkeys(edge, nearer)
    order = [state.name for state in machine.states]
    return sorted(order, key=lambda name: (name in machine.final, distance[name], order.index(name)))


def _laned(ends: Sequence[tuple[int, int, str]]) -> list[_Arrow]:
    """Give each arrow the innermost lane of its side in which it meets no other; short arrows first."""
    done: list[_Arrow] = []
    for source, target, label in sorted(ends, key=lambda one: (abs(one[0] - one[1]), one)):
        first, last = min(source, target), max(source, target)
        taken = {
            other.lane
            for other in done
            if other.down is (source < target) and other.span[0] <= last and first <= other.span[1]
        }
        lane = next(number for number in range(len(done) + 1) if number not in taken)
        done.append(_Arrow(source, target, label, lane))
    return done


def _lanes(arrows: Sequence[_Arrow]) -> list[int]:
    """The width of each lane: its line and the longest label beside it."""
    return [
        max(_width(one.label) for one in arrows if one.lane == lane) + 2 * _LANE
        for lane in range(max((one.lane for one in arrows), default=-1) + 1)
    ]


def _rows(
    texts: Sequence[Sequence[str]], arrows: Sequence[_Arrow]
) -> tuple[list[int], list[int], dict[tuple[int, _Arrow], int]]:
    """Where each box begins, how high it is, and at which height an arrow touches it."""
    tops, heights, ports = [], [], {}
    y = _PAD
    for place, told in enumerate(texts):
        sides = [
            sorted(
                (one for one in arrows if place in one.span and one.down is side),
                # What comes from above touches above what goes on downwards, so that lines cross less.
                key=lambda one: (one.span[0] == place, one.lane if one.span[1] == place else -one.lane),
            )
            for side in (True, False)
        ]
        height = max(len(told) * _LINE + _PAD, *(len(side) * _PORT + _PAD for side in sides))
        for side in sides:
            for number, one in enumerate(side, 1):
                ports[place, one] = y + round(height * number / (len(side) + 1))
        tops.append(y)
        heights.append(height)
        y += height + _GAP
    return tops, heights, ports


def _line(
    arrow: _Arrow,
    edge: int,
    x: int,
    sign: int,
    ports: dict[tuple[int, _Arrow], int],
    tops: Sequence[int],
    heights: Sequence[int],
) -> list[str]:
    begin, end = ports[arrow.source, arrow], ports[arrow.target, arrow]
    # In the gap before the arrow's end no other line runs across its lane.
    gap = (
        tops[arrow.target] - _GAP // 2
        if arrow.down
        else tops[arrow.target] + heights[arrow.target] + _GAP // 2
    )
    anchor = "start" if sign > 0 else "end"
    return [
        f'<path class="arrow" d="M{edge} {begin}H{x}V{end}H{edge + sign * 2}"/>',
        f'<path class="head" d="M{edge} {end}l{sign * 9} -4v8z"/>',
        f'<text class="label" x="{x + sign * 4}" y="{gap + 4}" text-anchor="{anchor}">{escape(arrow.label)}</text>',
    ]


def _box(x: int, y: int, width: int, height: int, told: Sequence[str], kind: str) -> list[str]:
    first = y + (height - (len(told) - 1) * _LINE) // 2 + 5
    return [
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>',
        *(
            f'<text x="{x + width // 2}" y="{first + number * _LINE}" text-anchor="middle">{escape(line)}</text>'
            for number, line in enumerate(told)
        ),
    ]


def _kind(machine: Machine, name: str) -> str:
    if name in machine.final:
        return "final"
    return "initial" if name == machine.initial else "state"


def _width(text: str) -> int:
    """About how wide a line is: a Chinese character as wide as it is high, a Latin one a bit more than half."""
    return sum(_FONT if east_asian_width(one) in "WF" else round(_FONT * 0.56) for one in text)


def _style() -> str:
    return (
        f"<style>text{{font:{_FONT}px 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;fill:#1f2430}}"
        ".label{font-size:12px;fill:#3b4252;paint-order:stroke;stroke:#fff;stroke-width:3px}"
        "rect{stroke:#4c566a;fill:#eceff4}.initial{fill:#d8ebff;stroke:#1d6fb8;stroke-width:2}"
        ".final{fill:#e6e6e6;stroke-dasharray:5 3}.arrow{fill:none;stroke:#4c566a}.head{fill:#4c566a}</style>"
    )


def _place(rule: str) -> tuple[int, ...]:
    """Rules by their numbers; articles that give no rule a number come before them."""
    return tuple(int(part) for part in rule[1:].split(".")) if rule.startswith("R") else ()


def page(machines: Sequence[Machine]) -> str:
    """A page of Markdown with every machine as a Mermaid block, and its rules."""
    parts = [_PAGE]
    for machine in machines:
        rules = sorted(
            {rule for step in machine.transitions for rule in step.rules} | set(machine.rules),
            key=_place,
        )
        parts.append(
            f"## {machine.zh} · {machine.en}\n\n`{machine.mechanism}` · {', '.join(rules)}\n\n"
            f"```mermaid\n{mermaid(machine)}```\n"
        )
    return "\n".join(parts)
