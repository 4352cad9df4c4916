"""The commerce connector: 双公示 rows, right and wrong, in every file format and encoding they come in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.commerce import SOURCE, PublicityFiles, connect, connect_file
from connectors.contract import Connector, Item, RawRow, Refused, RowRejected
from connectors.files import FileUnusable
from schema.persons import hmac_sm3
from tests.publicity_files import (
    FIRM,
    KEY,
    OFFICE,
    PERSON,
    RESIDENT_ID,
    SHOP,
    TOOLS,
    csv_bytes,
    drop,
    license_row,
    penalty_row,
    write_xlsx,
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


def read(path: Path, cursor: str | None = None) -> list[RawRow]:
    """All rows of a file."""
    return rows_of(connect_file(path, TOOLS), cursor)


def rows_of(connector: PublicityFiles, cursor: str | None = None) -> list[RawRow]:
    """All rows of a connector."""

    async def gather() -> list[RawRow]:
        return [row async for batch in connector.harvest(cursor) for row in batch.rows]

    return asyncio.run(gather())


def codes(connector: PublicityFiles, rows: Sequence[RawRow]) -> list[str]:
    """What becomes of each row: OK, or the code it is rejected by."""
    found = []
    for row in rows:
        try:
            connector.canonical(row)
            found.append("OK")
        except RowRejected as error:
            found.append(error.code)
    return found


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


def test_a_fine_of_5000_in_a_column_of_wan_yuan_beside_5000_yuan_in_words_is_a_slip() -> None:
    assert code_of(penalty_row(CF_NR="罚款5000元", CF_NR_FK="5000.000000")) == "FINE_UNIT"
    assert code_of(penalty_row(CF_NR="处以5,000.00元罚款", CF_NR_FK="5000")) == "FINE_UNIT"
    assert code_of(penalty_row(CF_NR="罚款人民币0.5万元", CF_NR_FK="5000")) == "FINE_UNIT"
    assert code_of(penalty_row(CF_NR="罚款5000元", CF_NR_FK="5000元")) == "FINE_UNIT"


def test_a_fine_that_differs_from_the_words_otherwise_is_flagged() -> None:
    assert "FINE_TEXT_DIFFERS" in understood(penalty_row(CF_NR="罚款300元", CF_NR_FK="0.04")).flags
    parts = understood(penalty_row(CF_NR="对甲罚款300元,对乙罚款200元", CF_NR_FK="0.05"))
    assert "FINE_TEXT_DIFFERS" not in parts.flags


@pytest.mark.parametrize(
    "sentinel", ["2099/12/31", "9999-12-31", "9999-09-09", "1900-01-01", "1899-12-31", "\\N", "暂无"]
)
def test_sentinel_dates_are_no_dates_and_flagged(sentinel: str) -> None:
    item = understood(license_row(XK_YXQZI=sentinel))
    assert item.values["valid_to"] is None
    assert item.flags == ("SENTINEL:XK_YXQZI",)


@pytest.mark.parametrize(
    "written", ["2026/05/10", "2026-05-10", "20260510", "2026年5月10日", "2026.5.10", "2026-05-10 00:00:00"]
)
def test_days_are_read_as_people_write_them(written: str) -> None:
    assert understood(license_row(XK_JDRQ=written)).values["decided_on"] == date(2026, 5, 10)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # (a) kind of subject against identifiers
        ({"XK_XDR_LB": "自然人", "XK_XDR_ZJHM": RESIDENT_ID}, "KIND_IDENTIFIER"),
        ({**PERSON, "XK_XDR_ZJHM": ""}, "NO_KEY"),
        ({**PERSON, "XK_XDR_ZJHM": RESIDENT_ID[:-1] + "7"}, "PERSON_NUMBER"),
        ({**PERSON, "XK_XDR_ZJHM": "630103201503070012"}, "MINOR_PERSON"),
        ({**PERSON, "XK_XDR_ZJLX": "学生证"}, "UNKNOWN_VALUE"),
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
        ({"CF_CFLB": "鞭刑"}, "UNKNOWN_VALUE"),
        ({"CF_GSJZQ": "2026/05/09"}, "DATE_ORDER"),
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
    moment = understood(license_row(), "XK_630000_20260601_001.csv@ab").source_updated_at
    assert moment == datetime.fromisoformat("2026-06-01T00:00:00+08:00")
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_the_encoding_and_with_the_delimiter_it_has(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(XK_XDR_MC="㐂𠮷青海有限公司")], encoding, delimiter))
    (row,) = read(path)
    assert row.fields["XK_XDR_MC"] == "㐂𠮷青海有限公司"
    assert row.position == "2"
    assert connect_file(path, TOOLS).reread(row.raw) == row.fields


def test_xlsx_is_read_below_its_title_and_chinese_headers(tmp_path: Path) -> None:
    path = tmp_path / "cf.xlsx"
    rows: list[dict[str, object]] = [dict(penalty_row(CF_NR_FK="1")), {**penalty_row(), "CF_NR_FK": 1.0}]
    rows[1]["CF_JDRQ"] = datetime(2026, 5, 11)
    titles = {"CF_XDR_MC": "行政相对人名称", "CF_WSH": "行政处罚决定文书号", "CF_NR_FK": "罚款金额（万元）"}
    write_xlsx(
        path,
        [{titles.get(code, code): value for code, value in row.items()} for row in rows],
        "行政处罚公示表",
    )
    first, second = read(path)
    assert first.fields["CF_NR_FK"] == second.fields["CF_NR_FK"] == "1"
    assert second.fields["CF_JDRQ"] == "2026/05/11"
    assert codes(connect_file(path, TOOLS), [first, second]) == ["OK", "OK"]


def test_a_code_that_a_spreadsheet_took_for_a_number_shows_that_it_lost_its_end(tmp_path: Path) -> None:
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [{**license_row(), "XK_XDR_SHXYM": 916301030000000000}])
    assert read(path)[0].fields["XK_XDR_SHXYM"] == "9.16301030000000E+17"


def test_xml_is_read_and_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "xk.xml"
    cells = "".join(f"<{code}>{value}</{code}>" for code, value in license_row().items())
    path.write_bytes(
        f'<?xml version="1.0" encoding="GB18030"?><rows><row>{cells}</row></rows>'.encode("gb18030")
    )
    assert codes(connect_file(path, TOOLS), read(path)) == ["OK"]
    path.write_text(
        f'<!DOCTYPE r [<!ENTITY a "aaaa">]><rows><row>{cells}</row><r>&a;</r></rows>', encoding="utf-8"
    )
    with pytest.raises(FileUnusable):
        read(path)


def test_a_damaged_line_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    lines = csv_bytes([license_row(XK_WSH=f"{n}号") for n in range(6)]).splitlines(keepends=True)
    lines[1] = lines[1].replace("青海".encode(), b'"\xe9\x9d')  # an open quotation mark and half a character
    lines[2] = lines[2].replace("青海".encode(), b"\xff\xfe")
    lines[3] = b"too,short\n"
    lines[4] = lines[4].replace(b"\r\n", b",more\r\n")
    path.write_bytes(b"".join(lines))
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert codes(connector, rows) == ["ROW_QUOTES", "ROW_ENCODING", "ROW_COLUMNS", "ROW_COLUMNS", "OK", "OK"]
    # Nothing of it is lost: the very bytes are kept, behind the header.
    assert all(line in row.raw for line, row in zip(lines[1:5], rows, strict=False))


def test_a_cell_with_line_breaks_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(XK_NR="一\n二\n三"), license_row(XK_WSH="2号")]))
    rows = read(path)
    assert [row.fields["XK_NR"] for row in rows] == ["一\n二\n三", "预包装食品销售"]
    assert [row.position for row in rows] == ["2", "5"]


def test_raw_bytes_hold_no_persons_number(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(**PERSON), license_row(XK_XDR_ZJHM="E12345678")], "gb18030"))
    first, second = read(path)
    assert RESIDENT_ID.encode() not in first.raw
    assert b"6****************6" in first.raw
    assert b"E12345678" not in second.raw
    write_xlsx(tmp_path / "xk.xlsx", [license_row(**PERSON)])
    assert RESIDENT_ID.encode() not in read(tmp_path / "xk.xlsx")[0].raw


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "FILE_EMPTY"),
        ("a.csv", b"a,b,c\n1,2,3\n", "FILE_HEADER"),
        ("a.csv", "XK_XDR_MC,XK_WSH\n".encode("utf-16"), "FILE_ENCODING"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FILE_FORMAT"),
        ("a.xlsx", b"PK\x03\x04 no workbook", "FILE_FORMAT"),
        ("a.xml", b"<rows><row>", "FILE_FORMAT"),
        ("a.csv", csv_bytes([license_row()]).replace(b"XK_XDR_GSZC", b"XK_XDR_SHXYM"), "FILE_HEADER"),
    ],
)
def test_an_unusable_file_is_refused_with_its_code(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnusable) as refused:
        read(tmp_path / name)
    assert refused.value.code == code


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable) as refused:
        read(tmp_path / "none.csv")
    assert refused.value.code == "FILE_UNREADABLE"


def directory(path: Path) -> PublicityFiles:
    """The connector over a drop directory."""
    connector = connect({"HUB_COMMERCE_DIR": str(path)}, TOOLS)
    assert isinstance(connector, PublicityFiles)
    return connector


def test_a_file_is_taken_once_its_control_file_is_there_and_only_once(tmp_path: Path) -> None:
    content = csv_bytes([license_row()])
    drop(tmp_path, "XK_20261101.csv", content, None)
    connector = directory(tmp_path)
    assert rows_of(connector) == []
    drop(tmp_path, "XK_20261101.csv", content, 1, digest=True)

    async def take() -> tuple[int, str]:
        batches = [batch async for batch in connector.harvest(None)]
        return sum(len(batch.rows) for batch in batches), batches[-1].cursor

    taken, cursor = asyncio.run(take())
    assert taken == 1
    assert rows_of(connector, cursor) == []
    # Of the same name, with other content: a new delivery.
    drop(tmp_path, "XK_20261101.csv", csv_bytes([license_row(XK_NR="别的")]), 1)
    assert len(rows_of(connector, cursor)) == 1


@pytest.mark.parametrize(
    ("control", "code"),
    [("rows=2", "CONTROL_ROWS"), ("rows=1\nsm3=" + "0" * 64, "CONTROL_DIGEST"), ("?", "CONTROL_FILE")],
)
def test_a_file_that_did_not_come_whole_is_quarantined_and_holds_up_no_other(
    tmp_path: Path, control: str, code: str
) -> None:
    drop(tmp_path, "a.csv", csv_bytes([license_row()]), 1)
    (tmp_path / "a.csv.ctl").write_text(control, encoding="utf-8")
    drop(tmp_path, "b.csv", csv_bytes([penalty_row()]), 1)
    connector = directory(tmp_path)
    assert codes(connector, rows_of(connector)) == [code, "OK"]


def test_without_a_directory_the_source_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        rows_of(directory(tmp_path / "none"))
    with pytest.raises(ValueError, match="HUB_COMMERCE_DIR"):
        connect({}, TOOLS)


def test_it_is_a_connector() -> None:
    assert isinstance(connect_file(Path("x"), TOOLS), Connector)
    assert SOURCE.provider_code == OFFICE


_HEADER = ",".join(license_row()).encode()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=600), st.binary(max_size=600).map(lambda tail: _HEADER + b"\n" + tail)))
def test_arbitrary_bytes_are_refused_or_become_rows_that_are_understood_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    for suffix in (".csv", ".xml"):
        target = path.with_suffix(suffix)
        target.write_bytes(content)
        connector = connect_file(target, TOOLS)
        try:
            rows = rows_of(connector)
        except FileUnusable:
            continue
        codes(connector, rows)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.xlsx"
    write_xlsx(path, [license_row()])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    connector = connect_file(path, TOOLS)
    with suppress(FileUnusable):
        codes(connector, rows_of(connector))


_TEXTS = st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({*license_row(), *penalty_row(), "XK_XDR", "SJC"})), _TEXTS))
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
