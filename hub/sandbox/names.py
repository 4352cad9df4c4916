"""Names, codes and numbers of invented subjects: plausible to read, valid to check, belonging to nobody."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from random import Random

from schema.identifiers import organization_check, resident_check, uscc_check

# Letters that both the organisation code (GB 11714-1997) and the USCC (GB 32100-2015) allow.
CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODES = len(CODE_ALPHABET) ** 5


@dataclass(frozen=True)
class Region:
    """A county of Qinghai: its present GB/T 2260 code, its prefecture, and codes it had before."""

    code: str
    name: str
    prefecture: str
    former: tuple[str, ...] = ()


REGIONS = (
    Region("630102", "城东区", "西宁市"),
    Region("630103", "城中区", "西宁市"),
    Region("630104", "城西区", "西宁市"),
    Region("630105", "城北区", "西宁市"),
    Region("630106", "湟中区", "西宁市", ("630122", "632124")),
    Region("630121", "大通回族土族自治县", "西宁市"),
    Region("630123", "湟源县", "西宁市"),
    Region("630202", "乐都区", "海东市", ("632123",)),
    Region("630203", "平安区", "海东市", ("632121",)),
    Region("630222", "民和回族土族自治县", "海东市", ("632122",)),
    Region("630223", "互助土族自治县", "海东市", ("632126",)),
    Region("630224", "化隆回族自治县", "海东市", ("632127",)),
    Region("630225", "循化撒拉族自治县", "海东市", ("632128",)),
    Region("632221", "门源回族自治县", "海北藏族自治州"),
    Region("632223", "海晏县", "海北藏族自治州"),
    Region("632301", "同仁市", "黄南藏族自治州", ("632321",)),
    Region("632322", "尖扎县", "黄南藏族自治州"),
    Region("632521", "共和县", "海南藏族自治州"),
    Region("632523", "贵德县", "海南藏族自治州"),
    Region("632621", "玛沁县", "果洛藏族自治州"),
    Region("632701", "玉树市", "玉树藏族自治州", ("632721",)),
    Region("632801", "格尔木市", "海西蒙古族藏族自治州"),
    Region("632802", "德令哈市", "海西蒙古族藏族自治州"),
    Region("632822", "都兰县", "海西蒙古族藏族自治州"),
)
REGION = {region.code: region for region in REGIONS}
# Half of all registrations are in Xining, as in life.
_REGION_WEIGHTS = tuple(
    8 if r.prefecture == "西宁市" else 3 if r.prefecture == "海东市" else 2 for r in REGIONS
)

# (words in a name, code of GB/T 4754-2017)
INDUSTRIES = (
    ("商贸", "5199"),
    ("超市连锁", "5212"),
    ("百货", "5211"),
    ("石油销售", "5265"),
    ("餐饮管理", "6210"),
    ("清真食品", "1353"),
    ("枸杞科技", "1392"),
    ("进出口贸易", "5199"),
    ("电子商务", "5292"),
    ("家政服务", "8010"),
    ("会展服务", "7281"),
    ("物流", "5430"),
    ("盐化工", "2613"),
    ("新能源", "4415"),
    ("藏毯", "2437"),
    ("医药", "5152"),
    ("汽车销售", "5261"),
    ("农牧开发", "0314"),
    ("矿业", "0911"),
    ("文化旅游", "7291"),
)
_WORDS: dict[str, tuple[str, ...]] = {
    name: tuple(words.split())
    for name, words in tomllib.loads(files("hub.sandbox").joinpath("words.toml").read_text("utf-8")).items()
}


def pick_region(random: Random) -> Region:
    """A region, weighed by how many registrations there are."""
    return random.choices(REGIONS, _REGION_WEIGHTS)[0]


def _trade_name(random: Random) -> str:
    return random.choice(_WORDS["trade_names"]) + (
        random.choice(_WORDS["second"]) if random.random() < 0.8 else ""
    )


def person_name(random: Random) -> str:
    """A Han, Hui, Tu, Salar, Tibetan or Mongolian name."""
    if random.random() < 0.25:
        return random.choice(_WORDS["without_surname"])
    return random.choice(_WORDS["surnames"]) + random.choice(_WORDS["given"])


def company_name(random: Random, region: Region, industry: str) -> str:
    """Region, trade name, industry, legal form; sometimes the region stands in brackets."""
    trade = _trade_name(random)
    form = random.choice(_WORDS["forms"])
    short = (
        region.prefecture.removesuffix("市")
        if region.prefecture.endswith("市")
        else region.name.removesuffix("市")
    )
    style = random.random()
    if style < 0.5:
        return f"青海{trade}{industry}{form}"
    if style < 0.85:
        return f"{short}{trade}{industry}{form}"
    return f"{trade}({'青海' if style < 0.93 else short}){industry}{form}"


def shop_name(random: Random, region: Region, owner: str) -> str:
    """The name of an individual business (个体工商户): place, owner or trade name, shop."""
    word = owner.replace("·", "") if random.random() < 0.5 else random.choice(_WORDS["trade_names"])
    city = region.prefecture if region.prefecture.endswith("市") else ""
    return f"{city}{region.name}{word}{random.choice(_WORDS['shops'])}"


def partnership_name(random: Random, region: Region) -> str:
    """An unincorporated organisation: a partnership, a sole proprietorship or a branch."""
    trade = _trade_name(random)
    return random.choice(
        (
            f"青海{trade}投资中心(有限合伙)",
            f"{region.name}{trade}商行(个人独资)",
            f"青海{trade}商贸有限公司{region.name.removesuffix('市')}分公司",
            f"青海{trade}律师事务所",
        )
    )


def collective_name(random: Random, region: Region) -> str:
    """A rural collective economic organisation (农村集体经济组织)."""
    village = random.choice(_WORDS["villages"])
    return f"{region.prefecture}{region.name}{village}镇{random.choice(_WORDS['villages'])}村股份经济合作社"


def uscc(prefix: str, region_code: str, number: int) -> str:
    """A valid USCC of authority and category `prefix`, registered in `region_code`; `number` makes it.

    The body starts with MAF, a range that had not been given out when this was written.
    """
    value, body = number * 7919 % _CODES, ""
    for _ in range(5):
        value, digit = divmod(value, len(CODE_ALPHABET))
        body += CODE_ALPHABET[digit]
    organisation = "MAF" + body
    stem = prefix + region_code + organisation + organization_check(organisation)
    return stem + uscc_check(stem)


def resident_id(region_code: str, number: int) -> str:
    """A valid resident ID number (GB 11643-1999) of somebody born 1911–1919: nobody alive holds it."""
    day, rest = number % 28 + 1, number // 28
    month, rest = rest % 12 + 1, rest // 12
    year, rest = 1911 + rest % 9, rest // 9
    stem = f"{region_code}{year}{month:02}{day:02}{rest % 1000:03}"
    return stem + resident_check(stem)


def phone(random: Random) -> str:
    """A mobile number of the shape 1xx-xxxx-xxxx in a series that carriers have not opened."""
    return f"100{random.randrange(10**8):08}"


def customs_code(region_code: str, number: int) -> str:
    """A customs registration code: prefecture, economic zone 9, private enterprise 6, serial."""
    serial, value = "", number
    for _ in range(4):
        value, digit = divmod(value, 36)
        serial = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + serial
    return f"{region_code[:4]}96{serial}"
