"""What an auditor asks of the ledger: all of one request, all that a partner saw, and the agreement behind it."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from connectors.contract import SHANGHAI
from hub.commands.session import operator
from hub.config import DEMO_ID_KEY
from hub.errors import LedgerBroken
from hub.ledger.audit import of_request, seen_by, verify, who_saw
from hub.ledger.chain import Disclosure, Ledger
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from schema.identifiers import hmac_sm3
from tests.command_line import CREDITHUB, environment
from tests.commands.shell import Shell
from tests.conftest import Database
from tests.disclosures import disclosure

CODE = "91630103MA75ABCD1M"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def shell(database: Database, state_dir: Path) -> Shell:
    """Commands on a fresh store."""
    return Shell(
        {"HUB_DATABASE_URL": database.owner_dsn, "HUB_STATE_DIR": str(state_dir), "HUB_DEMO": "true"}
    )


@pytest.fixture
def customs(shell: Shell, state_dir: Path, tmp_path: Path) -> Path:
    """The agreement of customs as a file; it and the mall's are applied."""
    texts = demo_agreements(demo_issuer(state_dir).key)
    for partner in ("mall", "customs"):
        path = tmp_path / f"{partner}.toml"
        path.write_text(texts[partner], encoding="utf-8")
        assert shell("agreements", "apply", path).status == 0
    return path


async def committed(database: Database, *entries: tuple[int, Disclosure]) -> None:
    """Entries with their chains, each in a block of its own that was committed when it was made."""
    at = min(entry.at for _, entry in entries)
    ledgers = [
        Ledger(database.writer_dsn, timeout=20, clock=lambda: at)
        for _ in range(max(chain for chain, _ in entries))
    ]
    for ledger in ledgers:
        await ledger.start()
    for chain, entry in sorted(entries, key=lambda one: one[1].at):
        at = entry.at
        await ledgers[chain - 1].record(entry)
    for ledger in ledgers:
        await ledger.stop()


def back(span: timedelta) -> float:
    """A moment so long ago."""
    return (NOW - span).timestamp()


def shown(at: datetime) -> str:
    """A moment as commands print it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


async def subject(superuser: asyncpg.Connection, code: str | None) -> int:
    """A firm with a code, or a person without."""
    number: int = await superuser.fetchval(
        "INSERT INTO subject (kind, uscc, display_name, name_key) VALUES ($1, $2, '张三', '张三') RETURNING subject_id",
        "LEGAL_PERSON" if code else "NATURAL_PERSON",
        code,
    )
    return number


# ---- one request


async def test_all_that_is_recorded_of_a_request_is_shown(
    shell: Shell, database: Database, superuser: asyncpg.Connection, customs: Path
) -> None:
    firm, person = await subject(superuser, CODE), await subject(superuser, None)
    source = {"source": "CUSTOMS", "age": 12}
    entry = disclosure(1, (firm, person, 999), at=back(DAY), case=None, sources=[source], at_most=True)
    await committed(
        database, (1, disclosure(2, at=back(2 * DAY))), (1, entry), (1, disclosure(3, at=back(DAY)))
    )
    await superuser.execute("UPDATE agreement SET applied_at = $1", NOW - 2 * DAY)
    digest = await superuser.fetchval("SELECT digest FROM agreement WHERE partner = 'customs'")
    done = shell("ledger", "show", "request-1")
    assert (done.status, done.err) == (0, "")
    assert done.lines == [
        "request   request-1",
        f"at        {shown(NOW - DAY)}",
        "partner   customs",
        "officer   officer-17",
        "token     token-1",
        "purpose   MARKET_ACCESS_CHECK",
        "matter    000131001",
        "case      -",
        f"operation {'cd' * 16}",
        f"view      {'ab' * 16}",
        "classes   at most D1=FULL D6=MASKED",
        f"subjects  {CODE} NATURAL_PERSON#{person} UNKNOWN#999",
        'source    {"source":"CUSTOMS","age":12}',
        "block     chain 1 block 2",
        f"agreement {digest} applied {shown(NOW - 2 * DAY)} by {operator()}",
    ]
    told = json.loads(shell("ledger", "show", "request-1", "--json").out)
    assert told == {
        "at": (NOW - DAY).astimezone(SHANGHAI).isoformat(), "partner": "customs", "officer": "officer-17",
        "purpose": "MARKET_ACCESS_CHECK", "matter": "000131001", "case": None,
        "classes": {"D1": "FULL", "D6": "MASKED"}, "at_most": True, "view_as": None, "view": "ab" * 16, "operation": "cd" * 16,
        "request": "request-1", "token": "token-1", "subjects": [CODE, f"NATURAL_PERSON#{person}", "UNKNOWN#999"],
        "sources": [source], "chain": 1, "block": 2,
        "agreements": [
            {"digest": digest, "applied_at": (NOW - 2 * DAY).astimezone(SHANGHAI).isoformat(),
             "applied_by": operator(), "suspended_at": None}
        ],
    }  # fmt: skip


async def test_an_unknown_request_is_told_with_the_day_from_which_it_was_looked_for(
    shell: Shell, database: Database
) -> None:
    await committed(database, (1, disclosure(1, at=back(40 * DAY))), (1, disclosure(2, at=back(DAY))))
    first = NOW.astimezone(SHANGHAI).date() - 30 * DAY
    for unknown in ("request-1", "request-3", "request-", '"', "[red]", "*"):
        done = shell("ledger", "show", unknown)
        assert (done.status, done.out) == (1, "")
        # Midnight may have passed since NOW.
        assert done.err in {
            f"credithub: no request {unknown} in the ledger since {day}: --since looks further back\n"
            for day in (first, first + DAY)
        }
    for since in ("0001-01-01", str(first - 20 * DAY)):
        found = shell("ledger", "show", "request-1", "--since", since)
        assert (found.status, found.lines[0]) == (0, "request   request-1")
    for wrong in ("", "a\nb", "\udc80", "x" * 2000):
        shell("ledger", "show", wrong).refused("BAD_USER_INPUT", "request id")
    shell("ledger", "show", "request-1", "--since", "soon").refused("BAD_USER_INPUT", "--since")
    shell("ledger", "show", "request-1", "--since", "9000-01-01").refused("BAD_USER_INPUT", "--since")


async def test_a_request_is_found_whenever_and_in_whichever_chain_it_was_recorded(
    database: Database, auditor: asyncpg.Connection
) -> None:
    ages = [timedelta(hours=hours, seconds=hours % 7) for hours in (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 700)]
    entries = [(1 + number % 3, disclosure(number, at=back(age))) for number, age in enumerate(ages)]
    await committed(database, *entries)
    for chain, entry in entries:
        (found,) = await of_request(auditor, entry.request_id, NOW - 30 * DAY, NOW + DAY)
        assert (found.request_id, found.chain) == (entry.request_id, chain)
        at = found.at
        moment = timedelta(microseconds=1)
        assert await of_request(auditor, entry.request_id, at, at + moment) == [found]
        assert await of_request(auditor, entry.request_id, at + moment, NOW + DAY) == []
        assert await of_request(auditor, entry.request_id, NOW - 30 * DAY, at) == []


async def test_an_entry_is_found_by_its_own_time_and_not_by_that_of_its_commit(
    database: Database, auditor: asyncpg.Connection
) -> None:
    clock = [0.0]
    ledger = Ledger(database.writer_dsn, timeout=20, clock=lambda: clock[0])
    await ledger.start()
    for number, (age, late) in enumerate(((2 * DAY, -1800), (DAY, 1800))):
        clock[0] = back(age) + late
        await ledger.record(disclosure(number, at=back(age)))
    await ledger.stop()
    moment = timedelta(microseconds=1)
    for number, at in enumerate((NOW - 2 * DAY, NOW - DAY)):
        (found,) = await of_request(auditor, f"request-{number}", at, at + moment)
        assert await seen_by(auditor, "customs", at, at + moment, 9) == ([found], False)


async def test_what_was_told_after_a_clock_was_put_back_is_found_meanwhile(
    database: Database, auditor: asyncpg.Connection
) -> None:
    """On the day itself nobody searches the days by which the clock was ahead; a chain's times have to rise with it."""
    begun, minute = NOW - 5 * DAY, timedelta(minutes=1)
    moments = [begun + number * minute for number in range(20)]
    moments += [begun + 3 * DAY + number * minute for number in range(5)]
    moments += [begun + number * minute for number in range(20, 40)]
    at = 0.0
    ledger = Ledger(database.writer_dsn, timeout=20, clock=lambda: at)
    at = moments[0].timestamp()
    await ledger.start()
    for number, moment in enumerate(moments):
        at = moment.timestamp()
        await ledger.record(disclosure(number, at=at))
    await ledger.stop()
    (await verify(auditor)).require_intact()
    names = [f"request-{number}" for number in (*range(20), *range(25, 45))]
    told, _ = await seen_by(auditor, "customs", begun - DAY, begun + DAY / 2, 100)
    assert [one.request_id for one in told] == names
    for name in names:
        assert [one.request_id for one in await of_request(auditor, name, begun - DAY, begun + DAY / 2)] == [
            name
        ]
    ahead = await of_request(auditor, "request-22", begun + 2 * DAY, NOW)
    assert [one.at for one in ahead] == [moments[22]]


async def test_what_an_officer_is_called_is_not_taken_for_a_request_or_a_partner(
    database: Database, auditor: asyncpg.Connection
) -> None:
    name = 'x","request":"request-9","partner":"mall'
    await committed(database, (1, disclosure(1, at=back(DAY), officer=name)))
    assert await of_request(auditor, "request-9", NOW - 2 * DAY, NOW) == []
    assert await seen_by(auditor, "mall", NOW - 2 * DAY, NOW, 9) == ([], False)
    told, _ = await seen_by(auditor, "customs", NOW - 2 * DAY, NOW, 9, officer=name)
    assert [one.officer for one in told] == [name]


async def test_a_search_reads_the_blocks_of_its_time_and_not_the_whole_ledger(
    superuser: asyncpg.Connection, auditor: asyncpg.Connection
) -> None:
    """Two chains with a block each minute for a fortnight; the statistics count the pages of the table."""
    await superuser.execute(
        "INSERT INTO ledger_block SELECT chain, n, $1::timestamptz + n * interval '1 min', 'sm3', '', '', "
        "repeat('x', 400)::bytea, 1, '{}' FROM generate_series(1, 20000) n, generate_series(1, 2) chain",
        NOW - timedelta(minutes=20000),
    )
    await superuser.execute("VACUUM ANALYZE ledger_block")

    async def pages() -> int:
        read = await auditor.fetchval("SELECT pg_stat_get_xact_blocks_fetched('ledger_block'::regclass)")
        return int(read)

    whole = await superuser.fetchval("SELECT pg_relation_size('ledger_block') / 8192")
    for search in (
        lambda: of_request(auditor, "request-1", NOW - timedelta(hours=3), NOW),
        lambda: seen_by(auditor, "mall", NOW - timedelta(hours=3), NOW, 10),
        lambda: of_request(auditor, "request-1", NOW - 9 * DAY, NOW - 9 * DAY + timedelta(hours=3)),
    ):
        before = await pages()
        await search()
        assert await pages() - before < whole / 2


async def test_a_line_that_is_no_entry_any_more_is_told_with_its_block(
    database: Database, superuser: asyncpg.Connection, auditor: asyncpg.Connection
) -> None:
    await committed(database, (1, disclosure(1, at=back(DAY))))
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("UPDATE ledger_block SET entries = substring(entries FROM 2)")
    for asked in (
        of_request(auditor, "request-1", NOW - 2 * DAY, NOW),
        who_saw(auditor, 7),
    ):
        with pytest.raises(LedgerBroken, match="chain 1 block 1"):
            await asked


# ---- a partner


async def test_what_a_partner_saw_is_told_a_line_an_answer_the_newest_last(
    shell: Shell, database: Database, superuser: asyncpg.Connection, customs: Path
) -> None:
    firm, person = await subject(superuser, CODE), await subject(superuser, None)
    await committed(
        database,
        (2, disclosure(1, (firm,), at=back(3 * DAY), matter=None, case=None)),
        (1, disclosure(2, (person,), at=back(2 * DAY), officer="张　三", at_most=True)),
        (2, disclosure(3, (), at=back(DAY), purpose="NOTIFICATION")),
        (1, disclosure(4, (firm,), at=back(DAY), partner="mall")),
        (1, disclosure(5, (firm, 91, 92, 93, 94, 95, 96), at=back(DAY / 2))),
        (1, disclosure(6, (firm,), at=back(40 * DAY))),
    )
    rest = "000131001\t2026-0000123"
    many = ",".join(f"UNKNOWN#{number}" for number in (91, 92, 93, 94))
    lines = [
        f"{shown(NOW - 3 * DAY)}\tcustoms\tofficer-17\tMARKET_ACCESS_CHECK\t-\t-\trequest-1\t{CODE}\tD1=FULL D6=MASKED",
        f"{shown(NOW - 2 * DAY)}\tcustoms\t张　三\tMARKET_ACCESS_CHECK\t{rest}\trequest-2\tNATURAL_PERSON#{person}"
        "\tat most D1=FULL D6=MASKED",
        f"{shown(NOW - DAY)}\tcustoms\tofficer-17\tNOTIFICATION\t{rest}\trequest-3\t-\tD1=FULL D6=MASKED",
        f"{shown(NOW - DAY / 2)}\tcustoms\tofficer-17\tMARKET_ACCESS_CHECK\t{rest}\trequest-5\t{CODE},{many},+2"
        "\tD1=FULL D6=MASKED",
    ]
    first = NOW.astimezone(SHANGHAI).date() - 30 * DAY
    done = shell("ledger", "seen-by", "customs")
    assert (done.status, done.lines) == (0, lines)
    # Midnight may have passed since NOW.
    assert done.err in {f"since {day}: --since looks further back\n" for day in (first, first + DAY)}
    since = ("--since", str(first))
    assert shell("ledger", "seen-by", "customs", *since).err == ""
    assert shell("ledger", "seen-by", "customs", *since, "--officer", "张　三").lines == lines[1:2]
    assert shell("ledger", "seen-by", "customs", *since, "--purpose", "NOTIFICATION").lines == lines[2:3]
    last = str((NOW - 2 * DAY).astimezone(SHANGHAI).date())
    assert shell("ledger", "seen-by", "customs", "--since", last, "--until", last).lines == lines[1:2]
    assert len(shell("ledger", "seen-by", "customs", "--since", "0001-01-01").lines) == 5
    cut = shell("ledger", "seen-by", "customs", *since, "--limit", "2")
    assert cut.lines == lines[2:]
    day = (NOW - DAY).astimezone(SHANGHAI).date()
    assert cut.err == f"cut: these are the newest 2; --limit shows more, --until {day} what was before\n"
    assert shell("ledger", "seen-by", "customs", *since, "--limit", "4").err == ""
    told = [json.loads(line) for line in shell("ledger", "seen-by", "customs", "--json").lines]
    assert [one["request"] for one in told] == ["request-1", "request-2", "request-3", "request-5"]
    assert told[-1]["subjects"] == [CODE, *(f"UNKNOWN#{number}" for number in range(91, 97))]


async def test_a_subject_that_nobody_saw_is_told_to_be_one(
    shell: Shell, superuser: asyncpg.Connection, customs: Path
) -> None:
    await subject(superuser, CODE)
    unseen = shell("ledger", "who-saw", CODE, "--partner", "customs")
    assert (unseen.status, unseen.out, unseen.err) == (0, "", "nothing is recorded\n")


async def test_a_reader_that_goes_away_is_not_taken_for_a_lost_store(
    shell: Shell, database: Database, customs: Path
) -> None:
    await committed(database, (1, disclosure(1, at=back(DAY))))
    read, write = os.pipe()
    os.close(read)
    process = await asyncio.create_subprocess_exec(
        CREDITHUB,
        "ledger",
        "seen-by",
        "customs",
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
        env=environment(shell.given),
    )
    os.close(write)
    _, said = await process.communicate()
    assert (process.returncode, b"credithub" in said, b"Traceback" in said) == (1, False, False)


async def test_a_partner_that_saw_nothing_is_not_taken_for_one_that_is_misspelt(
    shell: Shell, customs: Path
) -> None:
    nothing = shell("ledger", "seen-by", "customs", "--since", "2026-01-01", "--officer", "nobody")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "nothing is recorded\n")
    shell("ledger", "seen-by", "custom").refused("BAD_USER_INPUT", "custom: ", "did you mean customs?")
    shell("ledger", "seen-by", "customs", "--purpose", "CURIOSITY").refused(
        "BAD_USER_INPUT", "MERCHANT_ADMISSION"
    )
    shell("ledger", "seen-by", "customs", "--officer", "").refused("BAD_USER_INPUT", "officer")
    shell("ledger", "seen-by", "customs", "--since", "2026-05-05", "--until", "2026-05-04").refused(
        "BAD_USER_INPUT", "--until"
    )
    shell("ledger", "seen-by", "customs", "--until", "0001-01-01").refused("BAD_USER_INPUT", "--until")
    assert shell("ledger", "seen-by", "customs", "--limit", "0").status == 2


async def test_the_newest_are_kept_over_chains_and_spans(
    database: Database, auditor: asyncpg.Connection
) -> None:
    entries = [
        (1 + number % 3, disclosure(number, at=back(timedelta(minutes=37 * number)))) for number in range(60)
    ]
    await committed(database, *entries)
    names = [f"request-{number}" for number in reversed(range(60))]
    for limit in (1, 2, 7, 30, 59, 60, 61):
        told, more = await seen_by(auditor, "customs", NOW - 30 * DAY, NOW + DAY, limit)
        assert ([one.request_id for one in told], more) == (names[-limit:], limit < 60)


# ---- a subject without a code


async def test_a_subject_without_a_code_is_asked_about_by_the_number_that_it_is_known_by(
    shell: Shell, database: Database, superuser: asyncpg.Connection
) -> None:
    """A firm of an old register, and a foreigner with a passport."""
    firm = await superuser.fetchval(
        "INSERT INTO subject (kind, display_name, name_key) VALUES ('LEGAL_PERSON', '旧厂', '旧厂') RETURNING subject_id"
    )
    person = await subject(superuser, None)
    passport = hmac_sm3(DEMO_ID_KEY, "E12345678")
    for number, scheme, value in ((firm, "SOCIAL_ORG_NO", "51630000123"), (person, "PASSPORT", passport)):
        await superuser.execute(
            "INSERT INTO identifier (subject_id, scheme, value, data_class, source, recorded_at)"
            " VALUES ($1, $2, $3, 'D3', 'COMMERCE', now())",
            number, scheme, value,
        )  # fmt: skip
    await committed(
        database, (1, disclosure(1, (firm,), at=back(DAY))), (1, disclosure(2, (person,), at=back(DAY)))
    )

    def seen(*asked: str, said: str = "") -> list[str]:
        done = shell("ledger", "who-saw", *asked, "--json", said=said)
        assert (done.status, done.err) == (0, ""), done
        return [json.loads(line)["request"] for line in done.lines]

    assert seen("51630000123", "--scheme", "SOCIAL_ORG_NO") == ["request-1"]
    assert seen("--person", "--scheme", "PASSPORT", said="e1234 5678\n") == ["request-2"]
    unknown = shell("ledger", "who-saw", "51630000124", "--scheme", "SOCIAL_ORG_NO")
    assert (unknown.status, unknown.err) == (1, "credithub: no subject 51630000124 in the store\n")
    nobody = shell("ledger", "who-saw", "--person", "--scheme", "PASSPORT", said="E12345679")
    assert (nobody.status, nobody.err) == (1, "credithub: no person with this number in the store\n")
    for wrong in (("--person", "--scheme", "SOCIAL_ORG_NO"), ("E12345678", "--scheme", "PASSPORT")):
        shell("ledger", "who-saw", *wrong).refused("BAD_USER_INPUT", "--scheme")
    shell("ledger", "who-saw", "--person", "--scheme", "PASSPORT", said="\n").refused("BAD_USER_INPUT")


# ---- at most


async def test_who_saw_says_which_classes_are_a_bound(
    shell: Shell, database: Database, superuser: asyncpg.Connection
) -> None:
    firm = await subject(superuser, CODE)
    await committed(
        database,
        (1, disclosure(1, (firm,), at=back(2 * DAY))),
        (1, disclosure(2, (firm,), at=back(DAY), at_most=True)),
    )
    lines = shell("ledger", "who-saw", CODE).lines
    assert [lines[1], lines[3]] == ["  D1=FULL D6=MASKED", "  at most D1=FULL D6=MASKED"]
    told = [json.loads(line) for line in shell("ledger", "who-saw", CODE, "--json").lines]
    assert [one["at_most"] for one in told] == [False, True]


# ---- verify


async def test_an_empty_ledger_has_nothing_to_verify_and_breaks_every_checkpoint(
    shell: Shell, database: Database, superuser: asyncpg.Connection, tmp_path: Path
) -> None:
    empty = shell("ledger", "verify")
    assert (empty.status, empty.out) == (0, "the ledger is empty: there is nothing to verify\n")
    assert empty.err.startswith("held against no checkpoint")
    await committed(database, (1, disclosure(1)))
    kept = tmp_path / "kept"
    kept.write_text(shell("ledger", "checkpoint").out, encoding="utf-8")
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("DELETE FROM ledger_block")
    broken = shell("ledger", "verify", "--checkpoint", kept)
    assert (broken.status, broken.lines) == (
        1,
        ["chain 1: 0 blocks, 0 entries, BROKEN at block 1: the chain is cut off: a checkpoint names block 1"],
    )
    assert broken.err.endswith("[LEDGER_BROKEN]\n")
    # What names no block could not be broken by anything.
    kept.write_text(f"1 0 {'00' * 32}\n", encoding="utf-8")
    shell("ledger", "verify", "--checkpoint", kept).refused("FILE_REFUSED", "Line 1 is not a checkpoint")


async def test_it_is_told_from_which_block_on_no_checkpoint_proves_anything(
    shell: Shell, database: Database, superuser: asyncpg.Connection, tmp_path: Path
) -> None:
    await committed(database, (1, disclosure(1)), (1, disclosure(2)))
    kept = tmp_path / "kept"
    kept.write_text(shell("ledger", "checkpoint").out, encoding="utf-8")
    assert shell("ledger", "verify", "--checkpoint", kept).err == ""
    await committed(database, (1, disclosure(3)), (2, disclosure(4)))
    unseen = "removed or written anew would not be seen; credithub ledger checkpoint is for that"
    lines = (
        f"chain 1: no checkpoint after block 2: that what follows was {unseen}\n"
        f"chain 2: no checkpoint: that it was {unseen}\n"
    )
    grown = shell("ledger", "verify", "--checkpoint", kept)
    assert (grown.status, grown.err) == (0, lines)
    # So it is: both chains are shorter, and hold.
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("DELETE FROM ledger_block WHERE chain = 2 OR seq = 3")
    assert shell("ledger", "verify", "--checkpoint", kept).status == 0


# ---- the agreement behind it


async def test_an_entry_is_read_against_the_agreement_of_its_moment(
    shell: Shell, database: Database, superuser: asyncpg.Connection, customs: Path
) -> None:
    """Both where one replaced the other in the same seconds: a worker may have had either."""
    customs.write_text(f"# renewed\n{customs.read_text('utf-8')}", encoding="utf-8")
    assert shell("agreements", "apply", customs).status == 0
    rows = await superuser.fetch("SELECT * FROM agreement WHERE partner = 'customs' ORDER BY agreement_id")
    for row, applied in zip(rows, (NOW - 5 * DAY, NOW - 3 * DAY), strict=True):
        await superuser.execute(
            "UPDATE agreement SET applied_at = $2 WHERE agreement_id = $1", row["agreement_id"], applied
        )
    second = timedelta(seconds=1)
    ages = [4 * DAY, 3 * DAY + second, 3 * DAY - second, 2 * DAY, 6 * DAY]
    await committed(database, *((1, disclosure(number, at=back(age))) for number, age in enumerate(ages)))
    first, then = (row["digest"] for row in rows)
    for number, digests in enumerate(([first], [first, then], [first, then], [then], [])):
        told = json.loads(shell("ledger", "show", f"request-{number}", "--json").out)
        assert [one["digest"] for one in told["agreements"]] == digests
