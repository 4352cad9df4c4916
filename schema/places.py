"""Reads the administrative regions at the beginning of a Chinese name or address."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from schema.divisions import DIVISIONS

# 大通回族土族自治县 is called 大通 or 大通县: the peoples are no part of the name.
_PEOPLES = (
    "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 "
    "纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 鄂温克 德昂 保安 裕固 "
    "独龙 鄂伦春 门巴 各"
)
_AUTONOMOUS = re.compile(
    f"(.+?)(?:(?:{'|'.join(sorted(_PEOPLES.split(), key=len, reverse=True))})族?)+自治(区|州|县|旗)"
)
_SUFFIXED = re.compile("(.{2,}?)(?:特别行政区|行政委员会|自治区|自治州|地区|新区|林区|省|市|区|县|盟|旗|州)")
_HOME = "青海"


@dataclass(frozen=True, slots=True)
class Places:
    """Regions from the largest to the smallest by short name, and how much of the text they take."""

    path: tuple[str, ...] = ()
    end: int = 0
    # Where the last region begins, whether it has its suffix (市, 县 …), and its level: 3 is a county.
    before_last: int = 0
    formal: bool = False
    level: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    path: tuple[str, ...]
    level: int
    formal: bool
    official: bool = False


def short_name(name: str) -> str:
    """The name without suffix and peoples: 青海省 gives 青海, 海西蒙古族藏族自治州 gives 海西, 易县 stays."""
    autonomous = _AUTONOMOUS.fullmatch(name)
    if autonomous is not None and len(autonomous[1]) > 1:
        return autonomous[1]
    suffixed = _SUFFIXED.fullmatch(name)
    return name if suffixed is None else suffixed[1]


@cache
def _index() -> Mapping[str, tuple[_Entry, ...]]:
    found: dict[str, list[_Entry]] = defaultdict(list)
    province = prefecture = ""
    path: tuple[str, ...]
    for word in DIVISIONS.split():
        name = word.lstrip("#@")
        short = short_name(name)
        if word.startswith("#"):
            province, prefecture, path, level = short, "", (short,), 1
        elif word.startswith("@"):
            prefecture, path, level = short, (province, short), 2
        else:
            path, level = ((province, prefecture, short) if prefecture else (province, short)), 3
        if not name:
            continue
        found[name].append(_Entry(path, level, True, True))
        if short != name:
            found[short].append(_Entry(path, level, False))
            # The everyday form: 大通县, 海西州; and 湟中县, as the register called the district until 2019.
            everyday = {name[-1], "县", "市"} if name[-1] in "县市区" and level == 3 else {name[-1]}
            for suffix in everyday - {"会"}:
                if short + suffix != name:
                    found[short + suffix].append(_Entry(path, level, True))
    return {name: tuple(entries) for name, entries in found.items()}


@cache
def _longest() -> int:
    return max(map(len, _index()))


def _choose(entries: tuple[_Entry, ...], parent: tuple[str, ...]) -> _Entry | None:
    inside = [e for e in entries if len(e.path) > len(parent) and e.path[: len(parent)] == parent]
    if not inside:
        return None
    # The official name, the largest region, this province: 海南 alone is the province, 大通 is ours.
    return min(inside, key=lambda entry: (not entry.official, entry.level, entry.path[0] != _HOME))


def read_places(text: str, *, formal: bool = False) -> Places:
    """The regions `text` begins with, each inside the one before. `formal`: counties only with suffix."""
    index, longest = _index(), _longest()
    places = Places()
    while places.level < 3:
        for length in range(min(longest, len(text) - places.end), 1, -1):
            entry = _choose(index.get(text[places.end : places.end + length], ()), places.path)
            if entry is not None and (entry.formal or not formal or entry.level < 3):
                places = Places(entry.path, places.end + length, places.end, entry.formal, entry.level)
                break
        else:
            break
    return places


def same_area(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one path lies within the other, or is it."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
