"""The spelling in which names of organizations are compared, and the key they are searched by."""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

from schema.characters import is_rare_ideograph

# Longer names are cut: 双公示 allows 200 characters, and every step below is linear in what is left.
MAX_LENGTH = 200

# Forms that OpenCC leaves alone although they write the same name; not for display.
_VARIANTS = dict(
    zip(
        "甯寗邨塩靑髙谘钜馀锺缐讬迳侭麺竜鉄広徳毎産黒歩戸巣児斉斎経済図駅県辺売読訳沢択釈錬陥験険剣検○●",
        "宁宁村盐青高咨巨余钟线托径尽面龙铁广德每产黑步户巢儿齐斋经济图驿县边卖读译泽择释炼陷验险剑检〇〇",
        strict=True,
    )
)
_DOTS = "·•・‧∙⋅●᛫⸱･"
_IDEOGRAPHS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x323B0))
# Whole names of such characters are their own NFKC form, so the short way below may be taken.
_PLAIN = re.compile("[0-9A-Z〇\u3400-\u4dbf\u4e00-\u9fff]*").fullmatch


@cache
def _characters() -> dict[int, str | None]:
    """Traditional and variant characters to simplified, full width to half, small to capital, blanks to none.

    Character by character: where a key depends on what stands beside a character, parts cannot be searched.
    """
    ideographs = [chr(code) for span in _IDEOGRAPHS for code in range(*span)]
    simplified = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    table: dict[int, str | None] = {
        ord(old): new for old, new in zip(ideographs, simplified, strict=True) if old != new and len(new) == 1
    }
    table |= {ord(old): new for old, new in _VARIANTS.items()}
    for code in range(0x21, 0x7F):
        kept = chr(code).upper() if chr(code).isalnum() else None
        table |= {code: kept, code + 0xFEE0: kept}
    table |= dict.fromkeys(map(ord, " \t\n\r\u3000、。“”‘’—…《》〈〉【】〔〕「」『』" + _DOTS))
    # One pass must be enough: what a character becomes is not itself replaced (薴 by 苧, 苧 by 苎).
    for _ in range(3):
        table = {old: new and table.get(ord(new), new) for old, new in table.items()}
    return table


def _kept(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] not in "PZC" or category == "Co" or is_rare_ideograph(character)


def _fold_unusual(name: str) -> str:
    # Until nothing changes: characters brought together can compose, and capitals can be new characters.
    for _ in range(4):
        before = name
        name = unicodedata.normalize("NFKC", name).translate(_characters()).upper()
        name = "".join(filter(_kept, name))[:MAX_LENGTH]
        if name == before:
            break
    return name


def fold_name(name: str) -> str:
    """The name as it is compared, its legal form as written."""
    name = name[:MAX_LENGTH]
    plain = name.translate(_characters())
    return plain if _PLAIN(plain) is not None else _fold_unusual(name)


def name_key(name: str) -> str:
    """The key that spellings of a name share: for candidate search, never to decide that two are one.

    NFKC, simplified, capitals, no blanks, dots, brackets; 有限责任公司 is 有限公司, 股份有限公司 is not.
    """
    key = fold_name(name)
    while "有限责任公司" in key:
        key = key.replace("有限责任公司", "有限公司")
    return key
