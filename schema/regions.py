"""The administrative regions of Qinghai (GB/T 2260), every code that was ever valid, and what each became."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PROVINCE = "630000"

# First two digits of the provinces' codes (GB/T 2260); "10" is the State level, which registers as 100000.
PROVINCE_PREFIXES = frozenset(
    str(code)
    for codes in ((10, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 83))
    for code in range(*codes)
)

_STANDARD = "GB/T 2260-2007"
_SUBURB = "国函〔1986〕30号"
_EASTERN = "GB/T 2260, changes of 2013: 海东地区 became 海东市"
_COUNTIES_1999 = "GB/T 2260, changes of 1999: two counties went from 海东地区 to 西宁市"
_MANGYA = "民函〔2018〕48号"
_PINGAN = "国函〔2015〕38号"


@dataclass(frozen=True, slots=True)
class Region:
    """A code and the years in which it was in use. Only years are published, so days are not known."""

    code: str
    name_zh: str
    name_en: str
    # First and last year of use; None: before the first edition of 1980, and still in use.
    since: int | None = None
    until: int | None = None
    # The code that the area carries afterwards; of an area that was divided, the one that contains all of it.
    successor: str | None = None
    source: str = _STANDARD


# A USCC keeps for ever the code of the day it was given: a change adds a row and ends another.
REGIONS: tuple[Region, ...] = (
    Region("630000", "青海省", "Qinghai Province"),
    Region("630100", "西宁市", "Xining City"),
    Region("630101", "市辖区", "Xining City, districts", 1983, None, "630100"),
    Region("630102", "城东区", "Chengdong District", 1983),
    Region("630103", "城中区", "Chengzhong District", 1983),
    Region("630104", "城西区", "Chengxi District", 1983),
    Region("630105", "城北区", "Chengbei District", 1986, None, None, _SUBURB),
    Region("630106", "湟中区", "Huangzhong District", 2019, None, None, "GB/T 2260, changes of 2019"),
    Region("630111", "郊区", "Xining Suburban District", 1983, 1986, "630100", _SUBURB),
    Region("630120", "市区", "Xining urban area", None, 1983, "630100"),
    Region("630121", "大通回族土族自治县", "Datong Hui and Tu Autonomous County"),
    Region("630122", "湟中县", "Huangzhong County", 1999, 2019, "630106", _COUNTIES_1999),
    Region("630123", "湟源县", "Huangyuan County", 1999, None, None, _COUNTIES_1999),
    Region("630200", "海东市", "Haidong City", 2013, None, None, _EASTERN),
    Region("630201", "市辖区", "Haidong City, districts", 2013, None, "630200", _EASTERN),
    Region("630202", "乐都区", "Ledu District", 2013, None, None, _EASTERN),
    Region("630203", "平安区", "Ping'an District", 2015, None, None, _PINGAN),
    Region("630221", "平安县", "Ping'an County", 2013, 2015, "630203", _EASTERN),
    Region("630222", "民和回族土族自治县", "Minhe Hui and Tu Autonomous County", 2013, None, None, _EASTERN),
    Region("630223", "互助土族自治县", "Huzhu Tu Autonomous County", 2013, None, None, _EASTERN),
    Region("630224", "化隆回族自治县", "Hualong Hui Autonomous County", 2013, None, None, _EASTERN),
    Region("630225", "循化撒拉族自治县", "Xunhua Salar Autonomous County", 2013, None, None, _EASTERN),
    Region("632100", "海东地区", "Haidong Prefecture", None, 2013, "630200"),
    Region("632121", "平安县", "Ping'an County", None, 2013, "630221"),
    Region("632122", "民和回族土族自治县", "Minhe Hui and Tu Autonomous County", None, 2013, "630222"),
    Region("632123", "乐都县", "Ledu County", None, 2013, "630202"),
    Region("632124", "湟中县", "Huangzhong County", None, 1999, "630122"),
    Region("632125", "湟源县", "Huangyuan County", None, 1999, "630123"),
    Region("632126", "互助土族自治县", "Huzhu Tu Autonomous County", None, 2013, "630223"),
    Region("632127", "化隆回族自治县", "Hualong Hui Autonomous County", None, 2013, "630224"),
    Region("632128", "循化撒拉族自治县", "Xunhua Salar Autonomous County", None, 2013, "630225"),
    Region("632200", "海北藏族自治州", "Haibei Tibetan Autonomous Prefecture"),
    Region("632221", "门源回族自治县", "Menyuan Hui Autonomous County"),
    Region("632222", "祁连县", "Qilian County"),
    Region("632223", "海晏县", "Haiyan County"),
    Region("632224", "刚察县", "Gangcha County"),
    Region("632300", "黄南藏族自治州", "Huangnan Tibetan Autonomous Prefecture"),
    Region("632301", "同仁市", "Tongren City", 2020, None, None, "GB/T 2260, changes of 2020"),
    Region("632321", "同仁县", "Tongren County", None, 2020, "632301"),
    Region("632322", "尖扎县", "Jainca County"),
    Region("632323", "泽库县", "Zeku County"),
    Region("632324", "河南蒙古族自治县", "Henan Mongol Autonomous County", 1988),
    Region("632400", "省直辖行政单位", "Units directly under the province", None, 1988, "630000"),
    Region("632421", "河南蒙古族自治县", "Henan Mongol Autonomous County", None, 1988, "632324"),
    Region("632500", "海南藏族自治州", "Hainan Tibetan Autonomous Prefecture"),
    Region("632521", "共和县", "Gonghe County"),
    Region("632522", "同德县", "Tongde County"),
    Region("632523", "贵德县", "Guide County"),
    Region("632524", "兴海县", "Xinghai County"),
    Region("632525", "贵南县", "Guinan County"),
    Region("632600", "果洛藏族自治州", "Golog Tibetan Autonomous Prefecture"),
    Region("632621", "玛沁县", "Maqen County"),
    Region("632622", "班玛县", "Baima County"),
    Region("632623", "甘德县", "Gade County"),
    Region("632624", "达日县", "Darlag County"),
    Region("632625", "久治县", "Jigzhi County"),
    Region("632626", "玛多县", "Madoi County"),
    Region("632700", "玉树藏族自治州", "Yushu Tibetan Autonomous Prefecture"),
    Region("632701", "玉树市", "Yushu City", 2013, None, None, "GB/T 2260, changes of 2013"),
    Region("632721", "玉树县", "Yushu County", None, 2013, "632701"),
    Region("632722", "杂多县", "Zadoi County"),
    Region("632723", "称多县", "Chindu County"),
    Region("632724", "治多县", "Zhidoi County"),
    Region("632725", "囊谦县", "Nangqen County"),
    Region("632726", "曲麻莱县", "Qumarleb County"),
    Region("632800", "海西蒙古族藏族自治州", "Haixi Mongol and Tibetan Autonomous Prefecture"),
    Region("632801", "格尔木市", "Golmud City"),
    Region("632802", "德令哈市", "Delingha City", 1988),
    Region("632803", "茫崖市", "Mangya City", 2018, None, None, _MANGYA),
    Region("632821", "乌兰县", "Ulan County"),
    Region("632822", "都兰县", "Dulan County"),
    Region("632823", "天峻县", "Tianjun County"),
    # Not in GB/T 2260, but its registration authority uses the code (statistical division codes of the NBS).
    Region("632857", "大柴旦行政委员会", "Da Qaidam Administrative Committee", source="统计用区划代码"),
    Region("632858", "冷湖行政委员会", "Lenghu Administrative Committee", 1992, 2018, "632803", _MANGYA),
    Region("632859", "茫崖行政委员会", "Mangya Administrative Committee", 1984, 2018, "632803", _MANGYA),
)

BY_CODE: Mapping[str, Region] = MappingProxyType({region.code: region for region in REGIONS})


def _newest(region: Region) -> str:
    while region.successor is not None:
        region = BY_CODE[region.successor]
    return region.code


_CURRENT: Mapping[str, str] = MappingProxyType({region.code: _newest(region) for region in REGIONS})


def current_region(code: str) -> str:
    """The code that the area of `code` carries today: 632124 and 630122 give 630106.

    A code outside Qinghai, or one this table does not know, comes back as it is: nothing is guessed.
    """
    return _CURRENT.get(code, code)


def is_known(code: str) -> bool:
    """Whether `code` is, or ever was, a region code: for Qinghai exactly, elsewhere by its province."""
    return code in BY_CODE or (code[:2] != "63" and code[:2] in PROVINCE_PREFIXES)


def region_prefix(code: str) -> str:
    """The digits that all current codes inside `code` begin with: 630000 gives 63, 630100 gives 6301."""
    current = current_region(code)
    if current.endswith("0000"):
        return current[:2]
    return current[:4] if current.endswith("00") else current
