"""Results of credit repair from the national window (R9.2): by the harvest path, once, to what they name, or to quarantine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Batch, Connector, Item, Kind, RawRow
from connectors.credit_platform import REPAIR, SOURCE, CreditPlatform
from connectors.platform import Account, Platform
from hub.casework.registry import registry
from hub.casework.repair.commands import settle
from hub.harvest.quarantine import list_quarantined
from hub.harvest.replay import replay
from hub.harvest.run import Outcome, harvest
from hub.harvest.versions import Totals
from tests.casework.desk import Office
from tests.casework.test_listings import _published as on_the_list
from tests.casework.test_publicity import at, delivered, published
from tests.casework.test_repair import INITIATE, approved, department, followed, penalty, public, took
from tests.conftest import Database
from tests.harvesting import REGISTER, Rows, fined, take
from tests.harvesting import row as given_row
from tests.publicity_files import FIRM, NOW, TOOLS

ENTRIES = "query E($c: String!) { subject(value: $c) { listEntries { id } records(first: 5) { edges { node { id } } } } }"


@dataclass
class Window:
    """The credit platform's connector over rows that the test holds."""

    rows: list[dict[str, Any]]
    origin: str = REPAIR
    source: Any = SOURCE
    real: Connector = field(
        default_factory=lambda: CreditPlatform(
            Platform(Account("http://127.0.0.1:9", "a", "k" * 16, "p", "c"), TOOLS), TOOLS
        )
    )

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """The rows from the cursor on, one a batch."""
        for number in range(int(cursor or 0), len(self.rows)):
            fields = self.rows[number]
            raw = json.dumps(fields, ensure_ascii=False).encode()
            yield Batch([RawRow(f"CREDIT_PLATFORM/{self.origin}", str(number), raw, fields)], str(number + 1))

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """Not asked by key."""
        raise AssertionError

    def canonical(self, row: RawRow) -> Item:
        """As the connector has it."""
        return self.real.canonical(row)

    async def close(self) -> None:
        """Nothing to close."""


def result(code: str, document: str, **more: str) -> dict[str, str]:
    """A row of the window's: this decision was repaired."""
    return {
        "tyshxydm": code, "ztmc": "青海某某有限公司", "ztlb": "法人及非法人组织", "xxlb": "行政处罚", "wsh": document,
        "rdjg": "青海省商务厅", "xfrq": "2026-05-20", "xfwh": "信修〔2026〕7号", "xfzt": "已修复", "scbz": "0",
        "gxsj": "2026-05-20 20:00:00", "xh": "1", **more,
    }  # fmt: skip


async def pulled(
    database: Database, rows: list[dict[str, Any]], now: datetime = NOW, origin: str = REPAIR
) -> Outcome:
    """Harvest exactly these rows."""
    await database.writer.execute("UPDATE source_state SET cursor = NULL WHERE source = 'CREDIT_PLATFORM'")
    return await harvest(Window(rows, origin), database.writer, lambda: now, pauses=())


async def versions(database: Database, kind: str = "PENALTY") -> list[tuple[Any, ...]]:
    rows = await database.writer.fetch(
        "SELECT lifecycle, title, superseded_at IS NULL AS current, details->'repaired' AS told FROM record"
        " WHERE kind = $1 ORDER BY version_id",
        kind,
    )
    return [(row["lifecycle"], row["current"], row["told"] is not None) for row in rows]


DECISION = "青市监罚〔2026〕1号"
CODE, CODE_OF_ANOTHER = "11630000000015122A", "11630000MAFF6K4E5K"


async def _fined(database: Database, number: str = "1", **more: Any) -> None:
    given = {"document_number": DECISION, "authority_name": "青海省商务厅", **more}
    await take(database, [{**fined("罚款"), "id": number, **given}])


async def test_r9_2_a_result_repairs_what_it_names_once(database: Database) -> None:
    await _fined(database)
    assert (await pulled(database, [result(FIRM, DECISION)])).totals == Totals(1, 1, 0, 0)
    assert await versions(database) == [("EFFECTIVE", False, False), ("REPAIRED", True, True)]
    (public_ids,) = await database.writer.fetch(
        "SELECT count(DISTINCT public_id) AS n FROM record WHERE kind = 'PENALTY'"
    )
    assert public_ids["n"] == 1
    again = await pulled(database, [result(FIRM, DECISION)], NOW + timedelta(days=1))
    assert again.totals == Totals(1, 0, 1, 0)
    assert len(await versions(database)) == 2
    # The result itself is kept, under a class that no record of the vocabulary has.
    (kept,) = await database.writer.fetch(
        "SELECT data_class, document_number FROM record WHERE kind = 'GENERIC'"
    )
    assert tuple(kept) == ("D36", DECISION)


async def test_r9_2_a_result_that_waited_for_a_younger_version_repairs_it_from_its_beginning(
    database: Database,
) -> None:
    await _fined(database)
    later = NOW + timedelta(hours=2)
    changed = {**fined("罚款"), "id": "1", "document_number": DECISION, "title": "改正后的标题"}
    await take(database, [changed], now=later)
    await pulled(database, [result(FIRM, DECISION)], NOW + timedelta(hours=1))
    rows = await database.writer.fetch(
        "SELECT lifecycle, recorded_at, superseded_at FROM record WHERE kind = 'PENALTY' ORDER BY version_id"
    )
    assert [tuple(row) for row in rows] == [
        ("EFFECTIVE", NOW, later),
        ("EFFECTIVE", later, later),
        ("REPAIRED", later, None),
    ]


async def test_r9_2_a_later_delivery_of_the_source_does_not_undo_a_repair(database: Database) -> None:
    await _fined(database)
    await pulled(database, [result(FIRM, DECISION)])
    await _fined(database, title="改正后的标题")
    assert (await versions(database))[-1] == ("REPAIRED", True, True)
    (row,) = await database.writer.fetch(
        "SELECT title FROM record WHERE kind = 'PENALTY' AND superseded_at IS NULL"
    )
    assert row["title"] == "改正后的标题"
    # That the decision was revoked altogether is the source's to say.
    await _fined(database, title="改正后的标题", lifecycle="REVOKED")
    assert (await versions(database))[-1][0] == "REVOKED"


async def test_r9_2_a_repair_outlasts_another_end_that_its_source_takes_back(database: Database) -> None:
    await _fined(database)
    await pulled(database, [result(FIRM, DECISION)])
    for number, lifecycle in enumerate(("REVOKED", "EFFECTIVE", "EXPIRED", "REPAIRED", "EFFECTIVE")):
        await _fined(database, title=f"第{number}次", lifecycle=lifecycle)
    assert [one[0] for one in await versions(database)] == [
        "EFFECTIVE", "REPAIRED", "REVOKED", "REPAIRED", "EXPIRED", "REPAIRED", "REPAIRED",
    ]  # fmt: skip
    assert (await versions(database))[-1] == ("REPAIRED", True, True)


async def test_r9_2_a_repaired_place_on_a_list_does_not_come_back_by_its_end(database: Database) -> None:
    async def listed(state: str, **more: Any) -> None:
        given = {
            "list_code": "SCJG-BLACK",
            "color": "BLACK",
            "recognized_on": "2026-05-10",
            "decision_number": DECISION,
        }
        await take(
            database, [given_row("1", Kind.LIST_ENTRY, "某", [("USCC", FIRM)], **given, state=state, **more)]
        )

    await listed("PUBLISHED")
    await pulled(database, [result(FIRM, DECISION, xxlb="严重失信主体名单", rdjg="青海省市场监督管理局")])
    await listed("EXITED_REVOKED", exit_reason="决定撤销")
    await listed("PUBLISHED")
    rows = await database.writer.fetch("SELECT state, exit_reason FROM list_entry ORDER BY version_id")
    assert [tuple(one) for one in rows] == [
        ("PUBLISHED", None),
        ("EXITED_REPAIRED", "REPAIRED"),
        ("EXITED_REVOKED", "决定撤销"),
        ("EXITED_REPAIRED", "REPAIRED"),
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (result(FIRM, "青市监罚〔2026〕999号"), "NO_SUCH_RECORD"),
        (result("91630100MA7XK2P38N", DECISION), "NO_SUCH_RECORD"),
        (result(FIRM, DECISION, xxlb="严重失信主体名单"), "NO_SUCH_RECORD"),
        (result(FIRM, DECISION, xfzt="撤销修复"), "UNKNOWN_VALUE"),
        (result(FIRM, DECISION, xxlb="表彰"), "UNKNOWN_VALUE"),
        (result(FIRM, DECISION, xfrq="2099-01-01"), "DATE_FUTURE"),
    ],
)
async def test_r9_2_what_matches_nothing_or_is_not_understood_waits_in_quarantine(
    database: Database, row: dict[str, str], code: str
) -> None:
    await _fined(database)
    assert (await pulled(database, [row])).totals == Totals(1, 0, 0, 1)
    assert [one.reason_code for one in await list_quarantined(database.writer)] == [code]
    assert await versions(database) == [("EFFECTIVE", True, False)]
    assert await versions(database, "GENERIC") == []
    found = await database.writer.fetchval("SELECT count(*) FROM subject WHERE uscc = '91630100MA7XK2P38N'")
    assert found == 0


async def test_r9_2_two_decisions_of_one_number_are_told_apart_by_their_authority_or_not_at_all(
    database: Database,
) -> None:
    await _fined(database)
    await _fined(database, "2", authority_name="青海省市场监督管理局")
    for told, code in (("", "SEVERAL_RECORDS"), ("某局", "OTHER_AUTHORITY")):
        assert (await pulled(database, [result(FIRM, DECISION, rdjg=told)])).totals.quarantined == 1
        assert [one.reason_code for one in await list_quarantined(database.writer)] == [code]
    assert (await pulled(database, [result(FIRM, DECISION, xh="2")])).totals.stored == 1
    rows = await database.writer.fetch(
        "SELECT authority_name, lifecycle FROM record WHERE kind = 'PENALTY' AND superseded_at IS NULL ORDER BY 2"
    )
    assert [tuple(row) for row in rows] == [
        ("青海省市场监督管理局", "EFFECTIVE"),
        ("青海省商务厅", "REPAIRED"),
    ]


async def _lives(database: Database) -> dict[str, str]:
    """The lives of penalties as they stand, by the ids that their sources have for them."""
    rows = await database.writer.fetch(
        "SELECT source_record_id AS id, lifecycle FROM record WHERE kind = 'PENALTY' AND superseded_at IS NULL"
    )
    return {row["id"]: row["lifecycle"] for row in rows}


@pytest.mark.parametrize("code", [None, CODE_OF_ANOTHER])
async def test_r9_2_a_result_repairs_no_decision_of_another_authority_with_the_same_number(
    database: Database, code: str | None
) -> None:
    """Not even where it is the only one that the store knows: the other has not come yet, or never will."""
    await _fined(database, authority_name="西宁市商务局", authority_uscc=code)
    assert (await pulled(database, [result(FIRM, DECISION)])).totals.quarantined == 1
    (waiting,) = await list_quarantined(database.writer)
    assert (waiting.reason_code, await _lives(database)) == ("OTHER_AUTHORITY", {"1": "EFFECTIVE"})
    # It was that one all the same, and the window writes its name otherwise.
    corrected = {"rdjg": "西宁市商务局"}
    assert await replay(database.writer, Window([]), waiting.quarantine_id, corrected, lambda: NOW) is None
    assert await _lives(database) == {"1": "REPAIRED"}


@pytest.mark.parametrize(
    "second",
    [
        {"authority_name": "青海省商务厅", "authority_uscc": None},
        {"authority_name": "省商务厅", "authority_uscc": CODE},
        {"authority_name": "青海省商务厅", "authority_uscc": CODE},
    ],
)
@pytest.mark.parametrize("told", ["青海省商务厅", "省商务厅", ""])
async def test_r9_2_a_result_repairs_one_decision_whichever_sources_deliver_it_and_whoever_writes_its_authority(
    database: Database, second: dict[str, Any], told: str
) -> None:
    await _fined(database, authority_uscc=CODE)
    other = Rows(
        [[{**fined("罚款"), "id": "2", "document_number": DECISION, **second}]],
        replace(REGISTER, name="COMMERCE"),
    )
    await harvest(other, database.writer, lambda: NOW, pauses=())
    known = told != "省商务厅" or second["authority_name"] == told
    assert (await pulled(database, [result(FIRM, DECISION, rdjg=told)])).totals.stored == known
    assert await _lives(database) == dict.fromkeys("12", "REPAIRED" if known else "EFFECTIVE")


async def test_r9_2_two_records_of_one_source_are_two_things_whatever_their_number(
    database: Database,
) -> None:
    await _fined(database)
    await _fined(database, "2")
    assert (await pulled(database, [result(FIRM, DECISION)])).totals.quarantined == 1
    assert [one.reason_code for one in await list_quarantined(database.writer)] == ["SEVERAL_RECORDS"]


async def test_r9_2_a_result_that_came_before_its_record_is_replayed(database: Database) -> None:
    await pulled(database, [result(FIRM, DECISION)])
    (waiting,) = await list_quarantined(database.writer)
    refused = await replay(database.writer, Window([]), waiting.quarantine_id, {}, lambda: NOW)
    assert refused is not None
    assert refused.code == "NO_SUCH_RECORD"
    await _fined(database)
    assert await replay(database.writer, Window([]), waiting.quarantine_id, {}, lambda: NOW) is None
    assert (await versions(database))[-1][0] == "REPAIRED"


# ---- what goes on here ends with it ----------------------------------------------------------------------------


async def imported(office: Office, rows: list[dict[str, Any]], origin: str = REPAIR) -> None:
    """Take the rows in; their subjects are known by their codes, as the harvest keeps them."""
    for row in rows:
        await office.rows(
            "INSERT INTO identifier (subject_id, scheme, value, data_class, source, recorded_at)"
            " SELECT subject_id, 'USCC', uscc, 'D1', 'MARKET_REGULATION', now() FROM subject WHERE uscc = $1",
            row["tyshxydm"],
        )
    outcome = await pulled(office.database, rows, office.clock.now, origin)
    assert outcome.totals.stored == len(rows), outcome


async def test_r9_2_an_imported_repair_ends_publicity_here_and_partners_see_nothing_of_it(
    office: Office,
) -> None:
    office.clock.now = at(2026, 8, 3)
    _, number, _ = await published(office, date(2026, 8, 1))
    await delivered(office)
    (case,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", number
    )
    # Another authority's, with the same number and repaired as well: the publication is not of it.
    await penalty(
        office, case["code"], date(2026, 8, 1), document_number="青商罚〔2026〕1号", lifecycle="REPAIRED",
        authority_name="西宁市商务局", authority_uscc=None, details='{"repaired": {"document_number": "信修〔2026〕1号"}}',
    )  # fmt: skip
    assert await settle(office.database.writer, registry().machines, office.clock.now) == 0
    record = await penalty(office, case["code"], date(2026, 8, 1), document_number="青商罚〔2026〕1号")
    office.clock.now = at(2026, 11, 23)
    seen = (await public(office).done(ENTRIES, {"c": case["code"]}))["subject"]["records"]["edges"]
    assert [one["node"]["id"] for one in seen] == [record]
    await imported(office, [result(case["code"], "青商罚〔2026〕1号")])
    seen = (await public(office).done(ENTRIES, {"c": case["code"]}))["subject"]["records"]["edges"]
    assert seen == []
    assert await settle(office.database.writer, registry().machines, office.clock.now) == 1
    assert await settle(office.database.writer, registry().machines, office.clock.now) == 0
    (row,) = await office.rows(
        "SELECT c.state, e.document_number FROM case_file c JOIN case_event e USING (case_id) WHERE c.number = $1"
        " ORDER BY event_id DESC LIMIT 1",
        number,
    )
    assert tuple(row) == ("ENDED_REPAIR", "信修〔2026〕7号")


async def test_r9_2_an_imported_repair_ends_a_proceeding_of_the_hubs_and_its_measures(office: Office) -> None:
    code = await office.subject()
    number, entry = await on_the_list(office, code, "L-BLACK")
    desk = office.desk("commerce", "JOINT_PUNISHMENT", "M-1", None)
    measure = (await desk.done(INITIATE, {"entry": entry}))["initiateMeasure"]["number"]
    await imported(office, [result(code, "青商认〔2026〕1号", xxlb="严重失信主体名单")])
    assert (await public(office).done(ENTRIES, {"c": code}))["subject"]["listEntries"] == []
    assert await settle(office.database.writer, registry().machines, office.clock.now) == 2
    assert await settle(office.database.writer, registry().machines, office.clock.now) == 0
    rows = await office.rows(
        "SELECT state FROM case_file WHERE number = ANY ($1::text[]) ORDER BY 1", [number, measure]
    )
    assert [row["state"] for row in rows] == ["ENDED_REPAIRED", "EXITED_REPAIRED"]


async def test_r9_2_a_result_given_again_does_not_undo_a_revocation(office: Office) -> None:
    code = await office.subject()
    record = await penalty(office, code, date(2026, 8, 1), document_number="青商罚〔2026〕77号")
    rows = [result(code, "青商罚〔2026〕77号")]
    made = await approved(office, record)
    await followed(office)
    await imported(office, rows)
    revoke = ', documentNumber: "青商撤〔2026〕9号", reason: "证明系伪造"'
    back = await took(department(office).second(), made["number"], "revokeRepair", revoke)
    assert back["record"]["lifecycle"] == "EFFECTIVE"
    outcome = await pulled(office.database, rows, office.clock.now)
    assert outcome.totals == Totals(1, 0, 1, 0)
    seen = (await public(office).done(ENTRIES, {"c": code}))["subject"]["records"]["edges"]
    assert [one["node"]["id"] for one in seen] == [record]
