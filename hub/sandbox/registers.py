"""Sandbox of the department's own systems: the registers that they drop as files, dirty as such files are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

from hub.sandbox import dirt, drop
from hub.sandbox.decisions import back, months_after
from hub.sandbox.facts import Subject
from hub.sandbox.province import Province
from hub.sandbox.wellknown import CLEAN, DISHONEST, RICH

_COMMON = ("企业名称", "统一社会信用代码", "有效标志", "更新时间")
_BY_CODE = ("QYMC", "TYSHXYDM", "YXBZ", "GXSJ")
ISSUERS = ("备案编号", *_COMMON, "备案日期", "发卡企业类型", "卡种", "备案机关", "备案状态")
BALANCES = (
    "发卡备案编号", *_COMMON, "报送日期", "季度", "预收资金余额(万元)", "存管资金余额(万元)", "存管比例(%)", "是否按期报送",
    "预警标志",
)  # fmt: skip
STATIONS = ("ZSBH", *_BY_CODE, "PZRQ", "YWLX", "ZDMC", "ZDDZ", "YXQZ", "ZSZT", "NDJC")
NODES = ("JDBM", *_BY_CODE, "JRRQ", "JDLX", "SPLB", "TJQ", "YBPC", "SBPC", "FGL", "LBTS")
AGENCIES = (
    "家政信用档案编号", *_COMMON, "负责人证件号码", "建档日期", "服务类别", "从业人员数", "居家上门服务证持证人数", "荣誉",
    "行业状态", "退出方式", "退出依据", "退出日期",
)  # fmt: skip
CERTIFICATES = (
    "境外投资证书号",
    *_COMMON,
    "发证日期",
    "境外企业名称",
    "国别(地区)",
    "管理方式",
    "境外投资证书状态",
)
PROJECTS = ("项目证书号", *_COMMON, "项目日期", "中方投资额(万美元)", "项目内容", "年度统计报告")
Row = dict[str, str]


def write(province: Province, directory: Path) -> None:
    """Drop each register in the format of its system: UTF-8 and GB18030 CSV, XLSX, XML."""
    day = f"{province.today:%Y%m%d}"
    firms = [subject for subject in province.organizations() if subject.code[0] == "9"]
    issuers = [row for firm in firms for row in _issuer(province, firm)]
    # The last rows come twice, as files are often sent again whole.
    drop.write(directory / f"YFKBA_{day}_01.xlsx", ISSUERS, [*issuers, *issuers[-5:]])
    drop.write(directory / f"YFKYE_{day}_01.csv", BALANCES, _of(_balance, province, firms), "gb18030")
    drop.write(directory / f"CPY_{day}_01.xml", STATIONS, _of(_station, province, firms), "gb18030")
    drop.write(directory / f"ZS_{day}_01.csv", NODES, _of(_node, province, firms), "utf-8-sig")
    drop.write(directory / f"JZ_{day}_01.xlsx", AGENCIES, _of(_agency, province, firms))
    drop.write(directory / f"DWTZZS_{day}_01.csv", CERTIFICATES, _of(_certificate, province, firms))
    drop.write(directory / f"DWTZXM_{day}_01.csv", PROJECTS, _of(_project, province, firms), "gb18030")


def _of(make: object, province: Province, firms: list[Subject]) -> Iterator[Row]:
    assert callable(make)
    return (row for firm in firms for row in make(province, firm))


def _has(random: Random, firm: Subject, share: float, *known: str) -> bool:
    """Whether a firm is in a register; the well-known ones are where their story puts them."""
    drawn = random.random() < share
    return firm.code in known if firm.code in (RICH, CLEAN, DISHONEST) else drawn


def _common(firm: Subject, updated: date, part: str, titles: tuple[str, ...] = _COMMON) -> Row:
    key = (part, firm.code)
    code = dirt.scientific(firm.code) if dirt.falls(12, *key, "scientific") else dirt.untidy(firm.code, *key)
    valid = "0" if dirt.falls(15, *key, "withdrawn") else "1"
    return dict(zip(titles, (firm.name, code, valid, f"{updated:%Y-%m-%d} 08:30:00"), strict=True))


def _prepaid(province: Province, firm: Subject) -> tuple[Random, str, date] | None:
    random = province.random("prepaid", firm.number)
    if not _has(random, firm, 0.06, RICH):
        return None
    filed = back(province.today, random, 5 * 365, 120)
    return random, f"{firm.region.code}BAA{firm.number:04}", filed


def _issuer(province: Province, firm: Subject) -> Iterator[Row]:
    if (found := _prepaid(province, firm)) is None:
        return
    random, number, filed = found
    key = ("issuer", firm.code)
    kind = random.choices(("集团", "品牌", "规模", "其他"), (2, 8, 40, 50))[0]
    yield _common(firm, back(province.today, random, 300), "issuer") | {
        "备案编号": number,
        "备案日期": dirt.day(filed, pattern="%Y/%m/%d"),
        "发卡企业类型": "大型发卡企业" if dirt.falls(30, *key, "kind") else f"{kind}发卡企业",
        "卡种": random.choice(("记名卡", "不记名卡", "记名卡、不记名卡")),
        "备案机关": "青海省商务厅" if kind in ("集团", "品牌") else f"{firm.region.prefecture}商务局",
        "备案状态": "有效" if firm.code == RICH or random.random() < 0.93 else "注销",
    }


def _balance(province: Province, firm: Subject) -> Iterator[Row]:
    if (found := _prepaid(province, firm)) is None:
        return
    random, number, _ = found
    key = ("balance", firm.code)
    reported = back(province.today, random, 80, 5)
    quarter = (
        f"{reported.year}Q{(reported.month - 1) // 3}" if reported.month > 3 else f"{reported.year - 1}Q4"
    )
    balance, ratio = random.randrange(5, 3000), random.choice((20, 20, 25, 30, 40, 12))
    held = balance * ratio / 100 * (10_000 if dirt.falls(25, *key, "unit") else 1)
    yield _common(firm, reported, "balance") | {
        "发卡备案编号": number,
        "报送日期": dirt.day(reported),
        "季度": "三季度" if dirt.falls(20, *key, "quarter") else quarter,
        "预收资金余额(万元)": f"{balance}.00",
        "存管资金余额(万元)": f"{held + (200_000 if held > 10_000 else 0):.2f}",
        "存管比例(%)": f"{ratio}",
        "是否按期报送": "是" if random.random() < 0.9 else "否",
        "预警标志": "预警" if ratio < 20 else "正常",
    }


def _station(province: Province, firm: Subject) -> Iterator[Row]:
    random = province.random("oil", firm.number)
    if not _has(random, firm, 0.05, RICH):
        return
    # One operator, several certificates: one for each site.
    for site in range(1 if firm.code == RICH else random.choices((1, 2, 4), (80, 15, 5))[0]):
        key = ("oil", firm.code, site)
        approved = back(province.today, random, 1600, 200)
        ends = months_after(approved, 60) - timedelta(days=1)
        wholesale = firm.code != RICH and random.random() < 0.1
        yield _common(firm, back(province.today, random, 250), f"oil{site}", _BY_CODE) | {
            "ZSBH": f"油零售证书第{firm.region.code}{firm.number:05}{site}号",
            "PZRQ": dirt.day(approved),
            "YWLX": "批发备案" if wholesale else "零售许可",
            "ZDMC": f"{firm.region.name}第{firm.number % 90 + site + 1}加油站",
            "ZDDZ": firm.address,
            "YXQZ": dirt.day(None if wholesale else ends, *key, "until"),
            "ZSZT": "过期" if dirt.falls(25, *key, "state") else random.choices(_STATES, (94, 3, 3))[0],
            "NDJC": random.choices(("合格", "不合格", "未参加", ""), (88, 4, 4, 4))[0],
        }


_STATES = ("有效", "暂停", "注销")


def _node(province: Province, firm: Subject) -> Iterator[Row]:
    random = province.random("trace", firm.number)
    if not _has(random, firm, 0.05, RICH):
        return
    for category in random.sample(("肉类", "蔬菜", "乳制品"), random.choice((1, 2))):
        key = ("trace", firm.code, category)
        due = random.randrange(20, 400)
        reported = round(due * random.choice((1, 1, 0.97, 0.8, 0.4)))
        yield _common(firm, back(province.today, random, 20), f"trace{category}", _BY_CODE) | {
            "JDBM": f"{firm.region.code}{firm.number:06}",
            "JRRQ": dirt.day(back(province.today, random, 1500, 60)),
            "JDLX": random.choice(("屠宰", "批发", "农贸市场", "超市", "团体消费")),
            "SPLB": category,
            "TJQ": f"{province.today.replace(day=1) - timedelta(days=1):%Y-%m}",
            "YBPC": str(due),
            "SBPC": str(due + 9 if dirt.falls(30, *key, "crossed") else reported),
            "FGL": f"{random.uniform(60, 100) * (100 if dirt.falls(20, *key, 'percent') else 1):.1f}",
            "LBTS": str(random.randrange(0, 8) if reported < due else 0),
        }


def _agency(province: Province, firm: Subject) -> Iterator[Row]:
    random = province.random("domestic", firm.number)
    if not _has(random, firm, 0.06, CLEAN, DISHONEST):
        return
    key, today = ("domestic", firm.code), province.today
    left = firm.code == DISHONEST or (firm.code != CLEAN and random.random() < 0.08)
    how, basis = random.choice(
        (
            ("登记终止", "企业已办理注销登记"),
            ("名单退出", "列入严重失信主体名单决定书"),
            ("协会除名", "家庭服务业协会章程"),
        )
    )
    unfounded = dirt.falls(250, *key, "basis")
    workers = random.randrange(3, 200)
    yield _common(firm, back(today, random, 25), "domestic") | {
        "家政信用档案编号": f"JZ{firm.region.code}{firm.number:06}",
        "负责人证件号码": firm.resident_id,
        "建档日期": dirt.day(back(today, random, 1800, 100)),
        "服务类别": random.choice(("保洁", "母婴护理", "养老护理", "保洁、养老护理")),
        "从业人员数": "若干" if dirt.falls(30, *key, "workers") else str(workers),
        "居家上门服务证持证人数": str(workers * 3 // 4),
        "荣誉": "家政服务诚信示范企业" if firm.code == CLEAN else "",
        "行业状态": "已退出" if left else "在业",
        "退出方式": how if left else "",
        "退出依据": basis if left and not unfounded else "",
        "退出日期": dirt.day(back(today, random, 400, 30)) if left else "",
    }


def _outbound(province: Province, firm: Subject) -> tuple[Random, str, date] | None:
    random = province.random("outbound", firm.number)
    if not _has(random, firm, 0.04, RICH):
        return None
    issued = back(province.today, random, 6 * 365, 30)
    return random, f"N63{issued.year}{firm.number:07}", issued


def _certificate(province: Province, firm: Subject) -> Iterator[Row]:
    if (found := _outbound(province, firm)) is None:
        return
    random, number, issued = found
    country, company = random.choice(
        (
            ("哈萨克斯坦", "Kunlun Trade LLP"),
            ("尼泊尔", "Himal Wool Pvt. Ltd."),
            ("中国香港", "江源(香港)有限公司"),
        )
    )
    yield _common(firm, issued + timedelta(days=3), "certificate") | {
        "境外投资证书号": number,
        "发证日期": dirt.day(issued, pattern="%Y/%m/%d"),
        "境外企业名称": company,
        "国别(地区)": country,
        "管理方式": "审批" if dirt.falls(40, "certificate", firm.code) else "备案",
        "境外投资证书状态": "有效",
    }


def _project(province: Province, firm: Subject) -> Iterator[Row]:
    if (found := _outbound(province, firm)) is None:
        return
    random, number, issued = found
    amount = random.randrange(10, 5000) * (10_000 if dirt.falls(30, "project", firm.code) else 1)
    yield _common(firm, back(province.today, random, 200), "project") | {
        "项目证书号": number,
        "项目日期": dirt.day(issued),
        "中方投资额(万美元)": str(amount),
        "项目内容": random.choice(("枸杞、藏毯贸易及仓储", "矿产品贸易", "清真食品加工")),
        "年度统计报告": "已报" if random.random() < 0.85 else "未报",
    }
