"""How the synthetic province's facts come about: each function draws one kind of fact for one subject."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hub.sandbox.facts import (
    COMMERCE,
    MARKET_REGULATION,
    AbnormalEntry,
    Authority,
    License,
    Listing,
    Penalty,
)
from hub.sandbox.names import Region

# (document, category of the national standard, certificate, content, years of validity or None, authority)
_LICENSES: tuple[tuple[str, str, str, str, int | None, Authority], ...] = (
    (
        "食品经营许可决定书",
        "普通",
        "食品经营许可证",
        "预包装食品(含冷藏冷冻食品)销售、散装食品销售",
        5,
        MARKET_REGULATION,
    ),
    ("成品油零售经营许可决定书", "普通", "成品油零售经营批准证书", "汽油、柴油零售(一站一证)", 5, COMMERCE),
    ("酒类批发备案登记表", "登记", "酒类流通备案登记表", "酒类批发", None, COMMERCE),
    ("特种设备使用登记决定书", "登记", "特种设备使用登记证", "承压类特种设备使用", None, MARKET_REGULATION),
    (
        "拍卖经营许可决定书",
        "普通",
        "拍卖经营批准证书",
        "各类商品拍卖(国家法律法规另有规定的除外)",
        None,
        COMMERCE,
    ),
    ("报废机动车回收资质认定决定书", "认可", "报废机动车回收资质认定书", "报废机动车回收拆解", 6, COMMERCE),
    ("对外劳务合作经营资格核准决定书", "核准", "对外劳务合作经营资格证书", "对外劳务合作", 6, COMMERCE),
)
# (violation, basis, categories, content, least and greatest fine in yuan, seriousness, simple procedure)
_PENALTIES: tuple[tuple[str, str, tuple[str, ...], str, int, int, str, bool], ...] = (
    ("未按规定明码标价", "价格法第42条", ("警告",), "警告", 0, 0, "MINOR", True),
    ("未按规定公示年度报告", "企业信息公示暂行条例第18条", ("通报批评",), "通报批评", 0, 0, "MINOR", False),
    (
        "经营超过保质期的食品",
        "食品安全法第124条",
        ("罚款", "没收违法所得"),
        "罚款并没收违法所得",
        5_000,
        60_000,
        "GENERAL",
        False,
    ),
    (
        "发卡企业未办理备案",
        "单用途商业预付卡管理办法(试行)第36条",
        ("罚款",),
        "罚款",
        10_000,
        30_000,
        "GENERAL",
        False,
    ),
    ("发布虚假广告", "广告法第55条", ("罚款",), "罚款", 8_000, 90_000, "GENERAL", False),
    (
        "未取得成品油经营资格从事零售",
        "成品油流通管理办法第41条",
        ("罚款", "没收非法财物"),
        "罚款并没收非法财物",
        10_000,
        30_000,
        "GENERAL",
        False,
    ),
    (
        "销售假冒伪劣商品情节严重",
        "产品质量法第50条",
        ("罚款", "责令停产停业"),
        "罚款、责令停产停业",
        200_000,
        900_000,
        "SERIOUS",
        False,
    ),
    (
        "伪造进口商品检验证明",
        "进出口商品检验法第35条",
        ("罚款", "吊销许可证"),
        "罚款、吊销许可证",
        100_000,
        500_000,
        "SERIOUS",
        False,
    ),
)
_LISTINGS = {
    "SW-RED": "诚信兴商,连续三年无不良信用记录",
    "SW-WATCH": "一年内因同类违法行为受到两次行政处罚",
    "SW-BLACK": "未依法缴存对外劳务合作风险处置备用金,责令改正后拒不改正",
    "SCJG-BLACK": "因严重食品安全违法行为受到较重行政处罚",
    "ZFCG-BLACK": "提供虚假材料谋取中标、成交",
    "RS-BLACK": "克扣、拖欠农民工工资,数额较大,拒不支付",
    "TAX-SERIOUS": "虚开增值税专用发票",
}


def back(today: date, random: Random, most_days: int, least_days: int = 1) -> date:
    """A day in the past."""
    return today - timedelta(days=random.randint(least_days, most_days))


def months_after(day: date, months: int) -> date:
    """The corresponding day, or the last of the month (Civil Code art. 201–202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def license_of(random: Random, today: date, region: Region, number: int, serial: int) -> License:
    """A licence decided within the last six years."""
    document, category, certificate, content, years, authority = random.choice(_LICENSES)
    decided = back(today, random, 6 * 365)
    valid_to = None if years is None else months_after(decided, 12 * years) - timedelta(days=1)
    mark = f"{decided.year}{region.code}{number:07}{serial}"
    return License(
        f"青许〔{decided.year}〕{number:06}-{serial}号",
        document,
        category,
        certificate,
        f"JY1{mark}",
        content,
        decided,
        decided,
        valid_to,
        authority,
        "2" if valid_to is not None and valid_to < today else "1",
    )


def penalty_of(
    random: Random,
    today: date,
    number: int,
    serial: int,
    seriousness: str | None = None,
    decided: date | None = None,
) -> Penalty:
    """A penalty decided within the last four years, its publicity ending as Order 36 allows."""
    choices = [kind for kind in _PENALTIES if seriousness is None or kind[6] == seriousness]
    violation, basis, categories, content, least, most, grade, simple = random.choice(choices)
    decided = decided or back(today, random, 4 * 365)
    fine = Decimal(random.randrange(least, most, 500)) if most else None
    confiscated = Decimal(random.randrange(500, 20_000)) / 4 if any("没收" in c for c in categories) else None
    months = {"MINOR": 3, "GENERAL": 12, "SERIOUS": 36}[grade]
    words = f"{content}{f',罚款{fine}元' if fine else ''}{f',没收{confiscated}元' if confiscated else ''}"
    until = months_after(decided, months)
    return Penalty(
        f"青罚〔{decided.year}〕{number:06}-{serial}号",
        violation,
        f"经查,当事人{violation},事实清楚,证据确凿。",
        basis,
        categories,
        words,
        fine,
        confiscated,
        "食品经营许可证" if "吊销许可证" in categories else None,
        decided,
        until,
        until if grade != "MINOR" else None,
        random.choice((MARKET_REGULATION, COMMERCE)),
        grade,
        simple,
    )


def listing_of(random: Random, today: date, list_code: str, number: int) -> Listing:
    """A place on a list, of any age; places whose term is over have been left."""
    recognized = back(today, random, 3 * 365, 20)
    months = {"SW-RED": 24, "SW-WATCH": 24}.get(list_code, 36)
    ends = months_after(recognized, months)
    black = list_code not in ("SW-RED", "SW-WATCH")
    repair_from = months_after(recognized, 12 if black else 6) if list_code != "SW-RED" else None
    state, exited, reason = "PUBLISHED" if list_code != "SW-WATCH" else "RECOGNIZED", None, None
    if ends < today:
        state, exited, reason = "EXITED_EXPIRED", ends, "公示期限届满"
    elif list_code == "SW-RED" and random.random() < 0.1:
        state, exited, reason = "EXITED_DISQUALIFIED", back(today, random, 19), "新增不良信用记录"
    elif repair_from is not None and repair_from < today and random.random() < 0.4:
        state, exited, reason = (
            "EXITED_REPAIRED",
            repair_from + timedelta(days=random.randint(0, 10)),
            "信用修复",
        )
    elif black and random.random() < 0.05:
        state = "SUSPENDED"
    return Listing(
        list_code,
        state,
        _LISTINGS[list_code],
        f"{list_code}〔{recognized.year}〕{number:06}号",
        recognized,
        recognized + timedelta(days=7) if list_code != "SW-WATCH" else None,
        repair_from,
        ends,
        exited and min(exited, today),
        reason,
    )


def market_penalties_of(random: Random, today: date, number: int, person: bool) -> tuple[Penalty, ...]:
    """Penalties that market regulation itself hands on: one organization in twenty has some, a third of the persons."""
    found = []
    for serial in range(random.choices((0, 1, 2), (67, 30, 3) if person else (95, 4, 1))[0]):
        given = penalty_of(random, today, number, serial)
        named = f"青市监罚〔{given.decided_on.year}〕{number:06}-{serial}号"
        found.append(replace(given, number=named, authority=MARKET_REGULATION))
    return tuple(found)


def abnormal_entry_of(random: Random, today: date, number: int) -> AbnormalEntry | None:
    """An entry in the list of abnormal operations: one firm in twenty has been there, about half are still."""
    if random.random() > 0.05:
        return None
    entered = back(today, random, 4 * 365, 20)
    left = entered + timedelta(days=random.randint(30, 600))
    return AbnormalEntry(
        f"青市监异列〔{entered.year}〕{number:06}号",
        random.choice(("01", "01", "02", "03", "04")),
        entered,
        left if left < today else None,
    )
