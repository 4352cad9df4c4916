"""The commerce connector: 双公示 rows, right and wrong, in every file format and encoding they come in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.commerce import connect_file
from connectors.contract import Item, RawRow, RowRejected
from schema.persons import hmac_sm3
from tests.publicity_files import (
    FIRM,
    KEY,
    PERSON,
    RESIDENT_ID,
    SHOP,
    TOOLS,
    license_row,
    penalty_row,
)


def understood(fields: dict[str, str], origin: str = "f.csv@0") -> Item:
    """The item of one row."""
    row = RawRow(origin, "2", b"", {code: value or None for code, value in fields.items()})
    return connect_file(Path("none"), TOOLS).canonical(row)


def code_of(fields: dict[str, str]) -> str:
    """The code by which the row is rejected."""
    with pytest.raises(RowRejected) as rejected:
        understood(fields)
    return rejected.value.code


def test_a_licence_becomes_an_item() -> None:
    item = understood(license_row())
    assert (item.kind, item.catalog_item_code) == ("LICENSE", "SW-XK")
    assert item.subject.identifiers == (("USCC", FIRM),)
    assert item.values["decided_on"] == date(2026, 5, 10)
    assert item.values["valid_to"] == date(2031, 5, 9)
    assert item.values["categories"] == ["普通"]
    details = item.values["details"]
    assert isinstance(details, dict)
    assert details["license_state"] == "VALID"
    assert details["certificate_number"] == "JY16301030034567"
    # 备注 is no public item.
    assert "内部备注" not in str(item)


def test_a_penalty_is_converted_from_wan_yuan_to_yuan() -> None:
    item = understood(penalty_row(CF_NR="罚款5000.50元", CF_NR_FK="0.500050"))
    assert item.values["fine_amount"] == Decimal("5000.50")
    assert item.values["categories"] == ["罚款"]


def test_a_penalty_is_in_force_until_the_day_that_its_row_says() -> None:
    given = {"CF_JDRQ": "2026/05/10", "CF_YXQ": "2029/05/10", "CF_GSJZQ": "2027/05/10"}
    item = understood(penalty_row(**given))
    assert (item.values["valid_to"], item.values["usable_until"]) == (date(2029, 5, 10), date(2027, 5, 10))
    endless = understood(penalty_row(**given | {"CF_YXQ": "2099/12/31"}))
    assert endless.values["valid_to"] is None


@pytest.mark.parametrize(
    ("written", "yuan"), [("１．５", 15_000), ("1,234.5万元", 12_345_000), ("1，234", 12_340_000)]
)
def test_an_amount_is_read_in_either_width(written: str, yuan: int) -> None:
    assert understood(penalty_row(CF_NR="罚款", CF_NR_FK=written)).values["fine_amount"] == yuan


@pytest.mark.parametrize("sign", ["/", "--", "／", "——", "无"])
def test_a_mark_for_none_revokes_nothing(sign: str) -> None:
    item = understood(penalty_row(**{"撤销原因": sign, "CF_GSJZQ": sign}))
    assert (item.values["lifecycle"], item.values["usable_until"]) == ("EFFECTIVE", None)


def test_a_fine_of_5000_in_a_column_of_wan_yuan_beside_5000_yuan_in_words_is_a_slip() -> None:
    assert code_of(penalty_row(CF_NR="罚款5000元", CF_NR_FK="5000.000000")) == "FINE_UNIT"
    assert code_of(penalty_row(CF_NR="处以5,000.00元罚款", CF_NR_FK="5000")) == "FINE_UNIT"
    assert code_of(penalty_row(CF_NR="罚款人民币0.5万元", CF_NR_FK="5000")) == "FINE_UNIT"
    assert code_of(penalty_row(CF_NR="罚款5000元", CF_NR_FK="5000元")) == "FINE_UNIT"


@pytest.mark.parametrize(
    ("words", "yuan"),
    [
        ("罚款人民币贰万肆仟元整", 24_000),
        ("处以人民币贰万肆仟圆整罚款", 24_000),
        ("罚款(大写)拾万零伍佰元", 100_500),
        ("处一万元罚款", 10_000),
        ("罚款两千元", 2_000),
        ("罚款一亿二千万元", 120_000_000),
        ("罚款金额:24,000.00元", 24_000),
        ("对甲罚款300元,对乙罚款200元", 500),
    ],
)
def test_a_slip_of_units_is_seen_beside_words_and_sums_too(words: str, yuan: int) -> None:
    right = understood(penalty_row(CF_NR=words, CF_NR_FK=f"{Decimal(yuan) / 10_000}"))
    assert right.values["fine_amount"] == yuan
    assert "FINE_TEXT_DIFFERS" not in right.flags
    assert code_of(penalty_row(CF_NR=words, CF_NR_FK=f"{yuan}")) == "FINE_UNIT"


@pytest.mark.parametrize(
    "words", ["没收违法所得360元", "没收违法所得人民币叁佰陆拾元", "没收非法财物折价360.00元"]
)
def test_what_was_confiscated_is_held_against_the_words_as_a_fine_is(words: str) -> None:
    given = {"CF_CFLB": "没收违法所得", "CF_NR": words, "CF_NR_FK": ""}
    right = understood(penalty_row(**given, CF_NR_WFFF="0.036000"))
    assert right.values["confiscated_amount"] == Decimal(360)
    assert "CONFISCATED_TEXT_DIFFERS" not in right.flags
    assert "CONFISCATED_TEXT_DIFFERS" in understood(penalty_row(**given, CF_NR_WFFF="0.05")).flags
    assert code_of(penalty_row(**given, CF_NR_WFFF="360")) == "FINE_UNIT"


def test_a_fine_that_differs_from_the_words_otherwise_is_flagged() -> None:
    assert "FINE_TEXT_DIFFERS" in understood(penalty_row(CF_NR="罚款300元", CF_NR_FK="0.04")).flags
    parts = understood(penalty_row(CF_NR="对甲罚款300元,对乙罚款200元", CF_NR_FK="0.05"))
    assert "FINE_TEXT_DIFFERS" not in parts.flags


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("青海三江源\n商贸有限公司", "青海三江源商贸有限公司"),
        ("青海三江源 \r\n 商贸有限公司", "青海三江源商贸有限公司"),
        ("\u200b青海三江源\ufeff商贸有限公司\u200b", "青海三江源商贸有限公司"),
        ("Qinghai\nTrading 有限公司", "Qinghai Trading 有限公司"),
        ("青海\u3000三江源 商贸", "青海\u3000三江源 商贸"),
    ],
)
def test_a_line_break_or_a_sign_without_width_is_no_part_of_a_name_or_a_number(
    written: str, meant: str
) -> None:
    """As cells are wrapped by hand, and texts copied from pages; no question for the document's number found it."""
    row = license_row(XK_XDR_MC=written, XK_XKJG=written, XK_WSH="青商许\n〔2026〕1号\u200b")
    item = understood(row)
    assert (item.subject.name, item.values["authority_name"]) == (meant, meant)
    assert item.values["document_number"] == "青商许〔2026〕1号"


@pytest.mark.parametrize("column", ["XK_XDR_MC", "XK_XKJG", "XK_WSH"])
def test_a_name_or_number_of_signs_without_width_is_none(column: str) -> None:
    assert code_of(license_row(**{column: "\u200b"})) == "MISSING"


@pytest.mark.parametrize(
    "sentinel", ["2099/12/31", "9999-12-31", "9999-09-09", "1900-01-01", "1899-12-31", "\\N", "暂无"]
)
def test_sentinel_dates_are_no_dates_and_flagged(sentinel: str) -> None:
    item = understood(license_row(XK_YXQZI=sentinel))
    assert item.values["valid_to"] is None
    assert item.flags == ("SENTINEL:XK_YXQZI",)


@pytest.mark.parametrize(
    "written",
    [
        "2026/05/10", "2026-05-10", "20260510", "2026年5月10日", "2026.5.10", "2026-05-10 00:00:00",
        "２０２６／５／１０", "２０２６－０５－１０", "2026．5．10", "2026 年 5 月 10 日", "2026\u3000年5\xa0月10日 0：00",
    ],
)  # fmt: skip
def test_days_are_read_as_people_write_them(written: str) -> None:
    assert understood(license_row(XK_JDRQ=written)).values["decided_on"] == date(2026, 5, 10)


@pytest.mark.parametrize(
    "written", ["203112", "2031-12", "2031/12", "2031.12", "2031年12", "2031121", "2031-121", "2031 12 1"]
)
def test_a_month_or_a_day_that_could_be_two_is_no_day(written: str) -> None:
    with pytest.raises(RowRejected) as refused:
        understood(license_row(XK_YXQZI=written))
    assert refused.value.code == "BAD_DATE"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # (a) kind of subject against identifiers
        ({"XK_XDR_LB": "自然人", "XK_XDR_ZJHM": RESIDENT_ID}, "KIND_IDENTIFIER"),
        ({**PERSON, "XK_XDR_ZJHM": ""}, "NO_KEY"),
        ({**PERSON, "XK_XDR_ZJHM": RESIDENT_ID[:-1] + "7"}, "PERSON_NUMBER"),
        ({**PERSON, "XK_XDR_ZJHM": "630103201503070012"}, "MINOR_PERSON"),
        ({**PERSON, "XK_XDR_ZJLX": "学生证"}, "UNKNOWN_VALUE"),
        ({**PERSON, "XK_XDR_ZJLX": "护照", "XK_XDR_ZJHM": "00000000"}, "PERSON_NUMBER"),
        ({**PERSON, "XK_XDR_ZJLX": "护照", "XK_XDR_ZJHM": "E****5678"}, "PERSON_NUMBER"),
        ({"XK_XDR_SHXYM": "0" * 18}, "NO_KEY"),
        ({"XK_XDR_SHXYM": ""}, "NO_KEY"),
        ({"XK_XDR_SHXYM": "00000000000000000X"}, "NO_KEY"),
        ({"XK_XDR_LB": "外星组织"}, "UNKNOWN_VALUE"),
        ({"XK_FRDB": ""}, "MISSING"),
        # (b) the end of validity before its start
        ({"XK_YXQZI": "2026/05/09"}, "DATE_ORDER"),
        ({"XK_YXQZ": "1020/05/10"}, "DATE_IMPLAUSIBLE"),
        # (c) the day of the decision
        ({"XK_JDRQ": "2026/11/23"}, "DATE_FUTURE"),
        ({"XK_JDRQ": "1948/01/01"}, "DATE_IMPLAUSIBLE"),
        ({"XK_JDRQ": "46152"}, "BAD_DATE"),
        ({"XK_JDRQ": "2026/02/30"}, "BAD_DATE"),
        ({"XK_JDRQ": ""}, "MISSING"),
        ({"XK_JDRQ": "2099/12/31"}, "MISSING"),
        ({"XK_XKLB": "霸王"}, "UNKNOWN_VALUE"),
        ({"XK_ZT": "9"}, "UNKNOWN_VALUE"),
        ({"XK_NR": "长" * 4001}, "TOO_LONG"),
        ({"XK_XKJGDM": ""}, "MISSING"),
        ({"XK_FRDB": "/"}, "MISSING"),
        # What a spreadsheet left of a value: of two decisions it would make one.
        ({"XK_WSH": "2.02601E+11"}, "SCIENTIFIC"),
        ({"XK_XKBH": "1.163E+18"}, "SCIENTIFIC"),
        ({"XK_XKJGDM": "1.163E+17"}, "SCIENTIFIC"),
        ({"XK_LYDWDM": "1.163E+17"}, "SCIENTIFIC"),
        ({"XK_WSH": "#REF!"}, "SHEET_ERROR"),
        ({"XK_XKZS": "########"}, "SHEET_ERROR"),
    ],
)
def test_a_wrong_licence_is_rejected_with_its_code(changes: dict[str, str], code: str) -> None:
    assert code_of(license_row(**changes)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # (d) kinds of penalty against amounts, both ways
        ({"CF_NR_FK": ""}, "CATEGORY_AMOUNT"),
        ({"CF_CFLB": "警告", "CF_NR": "警告"}, "CATEGORY_AMOUNT"),
        ({"CF_CFLB": "罚款;没收违法所得"}, "CATEGORY_AMOUNT"),
        ({"CF_CFLB": "罚款;吊销许可证"}, "CATEGORY_CERTIFICATE"),
        ({"CF_NR_FK": "很多"}, "BAD_AMOUNT"),
        ({"CF_NR_FK": "-1"}, "BAD_AMOUNT"),
        ({"CF_NR_FK": "NaN"}, "BAD_AMOUNT"),
        # Half of one 万元, or five of them?
        ({"CF_NR_FK": "0,5"}, "BAD_AMOUNT"),
        ({"CF_NR_FK": "1.000,5"}, "BAD_AMOUNT"),
        ({"CF_NR_FK": "1_0"}, "BAD_AMOUNT"),
        ({"CF_CFLB": "罚款;吊销许可证", "CF_NR_ZKDX": "/"}, "CATEGORY_CERTIFICATE"),
        ({"CF_CFLB": "鞭刑"}, "UNKNOWN_VALUE"),
        ({"CF_GSJZQ": "2026/05/09"}, "DATE_ORDER"),
        ({"CF_CFJGDM": "1.163E+17"}, "SCIENTIFIC"),
        ({"CF_SJLYDM": "1.163E+17"}, "SCIENTIFIC"),
    ],
)
def test_a_wrong_penalty_is_rejected_with_its_code(changes: dict[str, str], code: str) -> None:
    assert code_of(penalty_row(**changes)) == code


def test_kinds_of_a_penalty_are_split_and_other_ones_keep_their_words() -> None:
    item = understood(penalty_row(CF_CFLB="警告;罚款;其他-责令改正,限期整改"))
    assert item.values["categories"] == ["警告", "罚款", "其他-责令改正,限期整改"]


def test_a_persons_number_leaves_as_a_digest_only() -> None:
    item = understood(license_row(**PERSON))
    assert item.subject.identifiers == (("RESIDENT_ID", hmac_sm3(KEY, RESIDENT_ID)),)
    assert RESIDENT_ID not in repr(item)
    assert RESIDENT_ID[6:14] not in item.source_record_id


def test_a_number_in_full_width_is_the_same_person() -> None:
    wide = RESIDENT_ID.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
    assert (
        understood(license_row(**{**PERSON, "XK_XDR_ZJHM": wide})).subject
        == understood(license_row(**PERSON)).subject
    )


def test_the_number_of_an_organizations_representative_goes_no_further() -> None:
    item = understood(license_row(XK_FR_ZJLX="身份证", XK_FR_ZJHM=RESIDENT_ID, XK_XDR_ZJHM=RESIDENT_ID))
    assert RESIDENT_ID not in repr(item)
    assert "PERSON_NUMBER_DROPPED" in item.flags


def test_an_individual_business_is_known_by_its_code_and_its_tax_number_is_not_taken() -> None:
    item = understood(license_row(XK_XDR_SHXYM=SHOP, XK_XDR_SWDJ=RESIDENT_ID))
    assert item.subject.kind == "INDIVIDUAL_BUSINESS"
    assert "KIND_BY_CODE" in item.flags
    assert RESIDENT_ID not in repr(item)


def test_the_placeholder_code_leaves_the_registration_number_as_the_key() -> None:
    item = understood(license_row(XK_XDR_SHXYM="00000000000000000X", XK_XDR_GSZC="630100000012342"))
    assert item.subject.identifiers == (("BUSINESS_REG_NO", "630100000012342"),)


def test_the_same_decision_has_the_same_name_on_every_delivery_and_another_has_another() -> None:
    first = understood(license_row()).source_record_id
    again = understood(
        license_row(XK_WSH=" 青许〔２０２６〕000001号", XK_NR="改正后的内容"), "g_20260601.csv@1"
    )
    assert again.source_record_id == first
    assert understood(license_row(XK_XKJGDM="11630000000015123B")).source_record_id != first
    assert understood(license_row(XK_XDR_SHXYM=SHOP)).source_record_id != first


def test_the_day_in_a_files_name_is_the_day_of_its_rows() -> None:
    moment = understood(license_row(), "XK_630000_20260601.csv@ab").source_updated_at
    assert moment == datetime.fromisoformat("2026-06-01T00:00:00+08:00")
    moment = understood(license_row(), "XK_630000_20260601_001.csv@ab").source_updated_at
    assert moment == datetime.fromisoformat("2026-06-01T00:00:00.000001+08:00")
    assert understood(license_row(), "xk_99999999.csv@ab").source_updated_at is None


def test_codes_of_2016_are_understood() -> None:
    item = understood(
        {
            "XK_WSH": "青许〔2017〕8号",
            "XK_XMMC": "酒类批发备案",
            "XK_SPLB": "登记",
            "XK_NR": "酒类批发",
            "XK_XDR": "青海三江源商贸有限公司",
            "XK_XDR_SHXYM": FIRM,
            "XK_XDR_ZDM": "",
            "XK_XDR_SFZ": "",
            "XK_FR": "马得林",
            "XK_JDRQ": "2017/03/01",
            "XK_JZQ": "2099/12/31",
            "XK_XZJG": "青海省商务厅",
            "XK_ZT": "1",
            "DFBM": "630000",
            "SJC": "2017/03/02 08:00:00",
        }
    )
    assert item.values["title"] == "酒类批发备案"
    # In 2016, 1 meant revoked.
    assert item.values["lifecycle"] == "REVOKED"
    assert item.values["authority_uscc"] is None
    assert "LEGACY_2016" in item.flags


def test_columns_beyond_the_standard_are_flagged_or_understood() -> None:
    stated = understood(penalty_row(DISCREDIT_LEVEL="严重", CASE_PROCESS_TYPE="02", 神秘="值"))
    assert stated.values["seriousness"] == "SERIOUS"
    assert stated.values["simple_procedure"] is False
    assert "UNKNOWN_COLUMN:神秘" in stated.flags
    assert understood(penalty_row(CASE_PROCESS_TYPE="01")).values["simple_procedure"] is True


@pytest.mark.parametrize(
    "stated", [{"DISCREDIT_LEVEL": "特别严重"}, {"DISCREDIT_LEVEL": "3"}, {"CASE_PROCESS_TYPE": "03"}]
)
def test_a_penalty_of_an_unknown_class_or_procedure_is_for_a_person_to_read(stated: dict[str, str]) -> None:
    # By its kind alone a warning is MINOR, and no partner is told of it: what its authority said of it was left out.
    warned = {"CF_CFLB": "警告", "CF_NR": "警告", "CF_NR_FK": ""}
    assert code_of(penalty_row(**warned, **stated)) == "UNKNOWN_VALUE"
    # An empty column, or a mark for none, leaves it to the kinds.
    assert "seriousness" not in understood(penalty_row(**warned, DISCREDIT_LEVEL="无")).values


@pytest.mark.parametrize(
    ("states", "lifecycle"),
    [
        ({"PUBLICSTATUS": "撤销", "撤销原因": "行政复议撤销原处罚决定"}, "REVOKED"),
        ({"PUBLICSTATUS": "已撤销"}, "REVOKED"),
        ({"撤销原因": "行政复议撤销原处罚决定"}, "REVOKED"),
        ({"ZT": "1"}, "REVOKED"),
        ({"ZT": "撤销", "PUBLICSTATUS": "撤销"}, "REVOKED"),
        ({"ZT": "2", "PUBLICSTATUS": "公示中"}, "UNDER_OBJECTION"),
        ({"ZT": "0", "PUBLICSTATUS": "公示中", "撤销原因": "无"}, "EFFECTIVE"),
        ({"ZT": "", "PUBLICSTATUS": "", "撤销原因": ""}, "EFFECTIVE"),
        ({"ZT": "3"}, "UNKNOWN_VALUE"),
        ({"ZT": "9"}, "UNKNOWN_VALUE"),
        ({"PUBLICSTATUS": "1"}, "UNKNOWN_VALUE"),
        ({"PUBLICSTATUS": "已下架"}, "UNKNOWN_VALUE"),
        ({"ZT": "0", "PUBLICSTATUS": "撤销"}, "STATE_CONFLICT"),
        ({"ZT": "1", "PUBLICSTATUS": "公示中"}, "STATE_CONFLICT"),
        ({"PUBLICSTATUS": "公示中", "撤销原因": "行政复议撤销原处罚决定"}, "STATE_CONFLICT"),
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_a_penalty_has_the_state_that_its_columns_tell_in_either_template(
    states: dict[str, str], lifecycle: str, legacy: bool
) -> None:
    told = {"CF_ZT" if code == "ZT" else code: value for code, value in states.items()}
    fields = penalty_row(**told)
    if legacy:
        old = {"CF_XDR_MC": "CF_XDR", "CF_CFLB": "CF_CFLB1", "CF_NR": "CF_JG", "CF_CFJG": "CF_XZJG"}
        fields = {old.get(code, code): value for code, value in fields.items()}
    if lifecycle in ("UNKNOWN_VALUE", "STATE_CONFLICT"):
        assert code_of(fields) == lifecycle
        return
    item = understood(fields)
    assert item.values["lifecycle"] == lifecycle
    assert ("LEGACY_2016" in item.flags) is legacy
    assert not any(flag.startswith("UNKNOWN_COLUMN") for flag in item.flags)
    details = item.values["details"]
    assert isinstance(details, dict)
    reason = states.get("撤销原因")
    assert details.get("revocation_reason") == (reason if reason not in ("", "无") else None)


@pytest.mark.parametrize(
    ("states", "lifecycle"),
    [
        ({"XK_ZT": "2", "PUBLICSTATUS": "撤销"}, "REVOKED"),
        ({"XK_ZT": "2", "撤销原因": "以欺骗手段取得"}, "REVOKED"),
        ({"XK_ZT": "2"}, "EFFECTIVE"),
        ({"XK_ZT": "1", "PUBLICSTATUS": "公示中"}, "EFFECTIVE"),
        ({"XK_ZT": "1", "PUBLICSTATUS": "撤销"}, "STATE_CONFLICT"),
        ({"XK_ZT": "1", "PUBLICSTATUS": "0"}, "UNKNOWN_VALUE"),
    ],
)
def test_a_licence_has_the_state_that_its_columns_tell(states: dict[str, str], lifecycle: str) -> None:
    if lifecycle in ("REVOKED", "EFFECTIVE"):
        assert understood(license_row(**states)).values["lifecycle"] == lifecycle
    else:
        assert code_of(license_row(**states)) == lifecycle


@pytest.mark.parametrize(
    ("end", "other", "until"),
    [
        ("2026/08/10", "", date(2026, 8, 10)),
        ("2026/08/10", "2026/07/10", date(2026, 7, 10)),
        ("2026/08/10", "2026/09/10", date(2026, 8, 10)),
        ("2099/12/31", "2026/09/10", date(2026, 9, 10)),
        ("9999-12-31", "", None),
    ],
)
def test_the_end_of_publicity_bounds_the_use_and_the_earlier_one_holds(
    end: str, other: str, until: date | None
) -> None:
    assert understood(penalty_row(PUBLIC_END_DATE=end, CF_GSJZQ=other)).values["usable_until"] == until
    if not other:
        assert understood(license_row(PUBLIC_END_DATE=end)).values["usable_until"] == until
    assert code_of(penalty_row(PUBLIC_END_DATE="2026/05/09")) == "DATE_ORDER"


_TEXTS = st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted({*license_row(), *penalty_row(), "XK_XDR", "SJC", "CF_ZT"})), _TEXTS
    )
)
def test_arbitrary_cells_are_understood_or_rejected(changes: dict[str, str]) -> None:
    prefix = "CF" if sum(code.startswith("CF") for code in changes) * 2 > len(changes) else "XK"
    base = penalty_row() if prefix == "CF" else license_row()
    mine = {code: value for code, value in changes.items() if code[:2] in (prefix, "SJ", "BZ")}
    try:
        item = understood({**base, **mine})
    except RowRejected:
        return
    decided = item.values["decided_on"]
    assert isinstance(decided, date)
    assert date(1949, 10, 1) <= decided <= date(2026, 11, 22)
