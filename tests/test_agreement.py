"""What an agreement may say; and the one applied last is in force, in every worker, within a second."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.casework import partners
from hub.errors import AgreementInvalid, AgreementNotInForce, StoreUnavailable
from hub.rights.agreement import Agreement, Agreements, parse_agreement, today_in
from hub.rights.agreement_file import digest
from hub.rights.agreement_store import (
    AgreementStanding,
    Outcome,
    applied_class,
    apply_agreements,
    compare,
    diff_agreement,
    list_agreements,
    suspend_agreement,
    texts_in,
)
from hub.rights.matrix import Level, Purpose
from hub.rights.policy import decide
from hub.rules.matrix import PARTNER_CLASSES, load_matrix
from hub.sandbox.agreements import PARTNERS, demo_agreements
from hub.store.database import STORE_FAILED
from schema.governance import Capability
from tests.conftest import Database
from tests.refused_agreements import JWK, KEY, MALL, REFUSALS, ed25519, elliptic, modulus

MATRIX = load_matrix()
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
COORDINATES = frozenset({"Organization.legalRepresentativeName", "Query.subjects"})
# The same key id for another key; and a coordinate that the schema does not have.
SHOP = MALL.replace('partner = "mall"', 'partner = "shop"').replace(JWK, ed25519())
HIDING = MALL.replace("[data]", '[coordinates]\nhide = ["Organization.salary"]\n[data]')


def parsed(text: str, today: date = TODAY) -> Agreement:
    return parse_agreement(text, MATRIX, today, COORDINATES)


def test_an_agreement_says_what_its_file_says() -> None:
    narrower = '\n[coordinates]\nhide = ["Organization.legalRepresentativeName"]\n[limits]\npage = 50\n'
    mall = parsed(MALL + narrower)
    assert (mall.partner, mall.partner_class, mall.document) == ("mall", "P9", "青商信共享〔2026〕9号")
    assert mall.capabilities == {Capability.LOOKUP, Capability.BULK}
    assert mall.purposes == (Purpose.MERCHANT_ADMISSION,)
    assert dict(mall.data) == {
        "D1": (Level.FULL, None),
        "D17": (Level.YES_NO, frozenset({Purpose.MERCHANT_ADMISSION})),
    }
    assert mall.hidden == {"Organization.legalRepresentativeName"}
    assert mall.limits == replace(MATRIX.partners["P9"].limits, page=50)
    assert mall.quota == MATRIX.partners["P9"].quota
    assert [(key.iss, key.kid, key.alg, key.jwk["kty"]) for key in mall.issuers] == [
        ("https://mall.example", "2026-1", "EdDSA", "OKP")
    ]
    assert mall.key("https://mall.example", "2026-1", TODAY) == mall.issuers[0]
    assert mall.key("https://mall.example", "2026-1", date(2028, 1, 1)) is None
    assert mall.key("https://other.example", "2026-1", TODAY) is None


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_with_one_clear_line(case: str) -> None:
    old, new, said = REFUSALS[case]
    at = MALL.rindex(old) if "key" in case and "unknown" not in case else MALL.index(old)
    text = MALL[:at] + new + MALL[at + len(old) :]
    with pytest.raises(AgreementInvalid, match=re.escape(said)) as refusal:
        parsed(text)
    assert "\n" not in str(refusal.value)
    assert refusal.value.code == "AGREEMENT_INVALID"


def test_a_private_key_in_a_comment_is_refused_and_not_repeated() -> None:
    with pytest.raises(AgreementInvalid, match="private key") as refusal:
        parsed(MALL + "# -----BEGIN PRIVATE KEY-----\n# MC4CAQAwBQYDK2VwBCIEIP\n")
    assert "MC4" not in str(refusal.value)


@pytest.mark.parametrize(
    ("alg", "jwk"), [("ES256", elliptic()), ("RS256", modulus(2048)), ("PS256", modulus(2048))]
)
def test_keys_of_each_algorithm_are_taken(alg: str, jwk: str) -> None:
    agreement = parsed(MALL.replace('alg = "EdDSA"', f'alg = "{alg}"').replace(JWK, jwk))
    assert agreement.issuers[0].alg == alg


def test_short_and_broken_keys_are_refused() -> None:
    point = elliptic()
    off_curve = point.replace(", x", ", z").replace(", y", ", x").replace(", z", ", y")
    small_exponent = modulus(2048).replace("AQAB", "Aw")
    for alg, jwk in (("RS256", modulus(1024)), ("RS256", small_exponent), ("ES256", off_curve)):
        with pytest.raises(AgreementInvalid, match="no usable public key"):
            parsed(MALL.replace('alg = "EdDSA"', f'alg = "{alg}"').replace(JWK, jwk))


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://sso.example/jwks", True),
        ("http://127.0.0.1:8080/jwks", True),
        ("http://[::1]/jwks", True),
        ("http://sso.example/jwks", False),
        ("http://127.0.0.1.example/jwks", False),
        ("file:///etc/passwd", False),
        ("https://user@sso.example/jwks", False),
        ("https://sso.example:port/jwks", False),
        ("https:///jwks", False),
    ],
)
def test_a_key_set_is_fetched_only_over_https_or_from_loopback(url: str, taken: bool) -> None:
    issuer = (
        f'\n[[issuer]]\niss = "sso"\njwks_url = "{url}"\nalgorithms = ["ES256"]\n'
        "valid_from = 2026-01-01\nvalid_to = 2027-12-31\n"
    )
    if taken:
        assert [one.url for one in parsed(MALL + issuer).key_sets] == [url]
    else:
        with pytest.raises(AgreementInvalid, match=r"issuer\.jwks_url"):
            parsed(MALL + issuer)


def test_a_prefecture_needs_a_region_and_no_wider_one() -> None:
    xining = demo_agreements(KEY)["commerce-xining"]
    assert parsed(xining).regions == ("6301",)
    with pytest.raises(AgreementInvalid, match="P2 needs its own region"):
        parsed(xining.replace('regions = ["6301"]\n', ""))
    with pytest.raises(AgreementInvalid, match="63 is wider than a region of P2"):
        parsed(xining.replace('"6301"', '"63"'))


def test_a_sharing_attribute_that_no_longer_permits_refuses_a_new_agreement_but_keeps_the_old() -> None:
    text = demo_agreements(KEY)["commerce"]
    with pytest.raises(AgreementInvalid, match=r"data\.D17: FULL exceeds the matrix, which gives P1 YES_NO"):
        parsed(text, date(2025, 6, 30))


@given(st.integers(0, MALL.count("\n") - 1))
def test_any_line_left_out_is_refused_or_gives_no_more(number: int) -> None:
    lines = MALL.splitlines(keepends=True)
    try:
        fewer = parsed("".join(lines[:number] + lines[number + 1 :]))
    except AgreementInvalid:
        return
    whole = parsed(MALL)
    for code in MATRIX.data:
        less, more = (decide(MATRIX, one, Purpose.MERCHANT_ADMISSION, code, TODAY) for one in (fewer, whole))
        assert less.level <= more.level
    assert fewer.capabilities <= whole.capabilities


@given(st.text(max_size=200) | st.text(alphabet='[]{}="D1. \n', max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, MALL + text):
        try:
            said = parsed(candidate).document
        except AgreementInvalid as refusal:
            said = str(refusal)
        assert "\n" not in said


def test_twelve_demo_agreements_stand_for_the_twelve_classes() -> None:
    texts = demo_agreements(KEY)
    read = [parsed(texts[partner]) for partner in PARTNERS]
    assert [one.partner for one in read] == list(texts) == list(PARTNERS)
    assert [one.partner_class for one in read] == list(PARTNER_CLASSES)
    assert all(one.issuers == (replace(KEY, jwk=one.issuers[0].jwk),) for one in read)
    assert all(dict(one.issuers[0].jwk) == KEY.jwk for one in read)
    assert len({one.document for one in read}) == 12
    mall = read[PARTNERS.index("mall")]
    assert mall.capabilities == {Capability.LOOKUP, Capability.BULK, Capability.MERCHANT_WORK}


def test_texts_in_reads_the_files_of_a_directory_and_names_a_broken_one(tmp_path: Path) -> None:
    tmp_path.joinpath("mall.toml").write_text(MALL, encoding="utf-8")
    tmp_path.joinpath("notes.txt").write_text("no agreement", encoding="utf-8")
    assert texts_in(tmp_path) == (MALL,)
    tmp_path.joinpath("tax.toml").write_bytes("税务机关".encode("gb18030"))
    with pytest.raises(AgreementInvalid, match=r"tax\.toml: is no UTF-8 text"):
        texts_in(tmp_path)
    for broken, said in (
        (f"{MALL}=", "the file is not TOML"),
        (MALL.replace("mall", "M", 1), "partner: a small"),
    ):
        tmp_path.joinpath("tax.toml").write_text(broken, encoding="utf-8")
        with pytest.raises(AgreementInvalid, match=rf"^tax\.toml: {said}"):
            texts_in(tmp_path)


def test_compare_names_each_difference() -> None:
    before, after = parsed(MALL), parsed(MALL.replace('D1 = "FULL"', 'D1 = "MASKED"').replace(', "BULK"', ""))
    assert [(one.key, one.before, one.after) for one in compare(before, after)] == [
        ("capabilities.BULK", "yes", None),
        ("data.D1", "FULL", "MASKED"),
    ]
    assert compare(before, before) == ()


# In force: against a real store.
@asynccontextmanager
async def following(
    database: Database, clock: Callable[[], datetime] = lambda: NOW
) -> AsyncIterator[Agreements]:
    """The agreements as one worker holds them, with a pool of its own."""
    pool = await asyncpg.create_pool(database.writer_dsn, min_size=2, max_size=2)
    agreements = await Agreements.open(pool, MATRIX, clock, COORDINATES)
    try:
        yield agreements
    finally:
        await agreements.close()
        await pool.close()


async def applied(database: Database, *texts: str, reinstate: bool = False) -> list[Outcome]:
    done = await apply_agreements(
        database.writer, texts, MATRIX, NOW, "ops", COORDINATES, reinstate=reinstate
    )
    return [one.outcome for one in done]


def in_force(agreements: Agreements, partner: str = "mall", now: datetime = NOW) -> bool:
    try:
        agreements.get(partner, today_in(now))
    except AgreementNotInForce:
        return False
    return True


def unavailable(agreements: Agreements) -> bool:
    try:
        agreements.get("mall", today_in(NOW))
    except StoreUnavailable:
        return True
    return False


async def until(holds: Callable[[], bool], seconds: float) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.005)


async def within_a_second(holds: Callable[[], bool]) -> None:
    await until(holds, 1.0)


@pytest.mark.alone
async def test_an_applied_agreement_is_in_force_in_every_worker_within_a_second(database: Database) -> None:
    async with following(database) as first, following(database) as second:
        assert not in_force(first)
        before = first.epoch
        assert await applied(database, MALL) == [Outcome.APPLIED]
        await within_a_second(lambda: in_force(first) and in_force(second))
        assert first.epoch > before
        assert first.get("mall", today_in(NOW)) == second.get("mall", today_in(NOW))
        assert [one.partner for one in first.in_force()] == ["mall"]


@pytest.mark.alone
async def test_suspension_works_in_every_worker_within_a_second_and_is_told(database: Database) -> None:
    await applied(database, MALL, demo_agreements(KEY)["public"])
    async with following(database) as first, following(database) as second:
        told = asyncio.create_task(second.changed(second.epoch))
        assert await suspend_agreement(database.writer, "mall", NOW, "ops")
        await within_a_second(lambda: not in_force(first) and not in_force(second))
        assert await told == second.epoch
        assert in_force(first, "public")


@pytest.mark.alone
async def test_suspension_is_noticed_after_the_listener_was_cut_off(database: Database) -> None:
    await applied(database, MALL)
    admin = await asyncpg.connect(database.superuser_dsn)
    async with following(database) as agreements:
        await asyncio.sleep(0.1)
        cut = await admin.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'SELECT count(*), max(agreement_id)%'"
        )
        assert cut
        assert await suspend_agreement(database.writer, "mall", NOW, "ops")
        await within_a_second(lambda: not in_force(agreements))
        assert await applied(database, MALL, reinstate=True) == [Outcome.APPLIED]
        await within_a_second(lambda: in_force(agreements))
    await admin.close()


@pytest.mark.alone
async def test_a_change_that_nobody_announced_is_noticed_within_a_second(database: Database) -> None:
    await applied(database, MALL)
    async with following(database) as agreements:
        await asyncio.sleep(0.1)
        await database.writer.execute("UPDATE agreement SET suspended_at = now(), suspended_by = 'by hand'")
        await within_a_second(lambda: not in_force(agreements))


@pytest.mark.parametrize("failure", [*STORE_FAILED, ValueError])
async def test_no_failure_of_the_store_ends_the_following(
    database: Database, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    """asyncpg raises InternalClientError where a connection is cut at the wrong moment, which no test can choose.

    What nobody foresaw (here ValueError) may not end it either.
    """
    await applied(database, MALL)
    async with following(database) as agreements:
        met = asyncio.Event()
        load = Agreements._load

        async def cut(self: Agreements, connection: asyncpg.Connection) -> None:
            if not met.is_set():
                met.set()
                raise failure("cut")
            await load(self, connection)

        monkeypatch.setattr(Agreements, "_load", cut)
        await asyncio.wait_for(met.wait(), 5)
        monkeypatch.undo()
        await database.writer.execute("UPDATE agreement SET suspended_at = now(), suspended_by = 'by hand'")
        await until(lambda: not in_force(agreements), 5)


async def test_nothing_is_in_force_while_the_store_cannot_say_so(database: Database) -> None:
    await applied(database, MALL)
    admin = await asyncpg.connect(database.superuser_dsn)
    async with following(database) as agreements:
        await admin.execute("ALTER ROLE hub_writer NOLOGIN")
        try:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'hub_writer' AND datname = current_database()"
            )
            await until(lambda: unavailable(agreements), 8)
        finally:
            await admin.execute("ALTER ROLE hub_writer LOGIN")
        await until(lambda: not unavailable(agreements), 3)
        assert in_force(agreements)
    await admin.close()


async def test_an_agreement_holds_from_its_first_to_its_last_day_in_shanghai(database: Database) -> None:
    moment = [NOW]
    await applied(database, MALL)
    async with following(database, lambda: moment[0]) as agreements:
        for moment[0], expected in (
            (datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC), False),
            (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), True),
            (datetime(2027, 12, 31, 15, 59, 59, tzinfo=UTC), True),
            (datetime(2027, 12, 31, 16, 0, tzinfo=UTC), False),
        ):
            assert in_force(agreements, now=moment[0]) is expected
            assert bool(agreements.in_force()) is expected


async def test_an_expired_agreement_does_not_stop_the_start(database: Database) -> None:
    await applied(database, MALL)
    late = NOW + timedelta(days=1000)
    async with following(database, lambda: late) as agreements:
        assert not in_force(agreements, now=late)


async def test_law_that_narrows_later_narrows_an_agreement_and_ends_none_for_casework_either(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await applied(database, demo_agreements(KEY)["commerce"])
    (name, rows), *_ = MATRIX.sharing.items()
    ended = replace(rows[-1], since=TODAY + timedelta(days=1), permits=False)
    narrower, later = replace(MATRIX, sharing={name: (*rows, ended)}), NOW + timedelta(days=2)
    agreements = await Agreements.open(database.writer, narrower, lambda: later)
    await agreements.close()
    with pytest.raises(AgreementInvalid, match="D17"):
        parse_agreement(demo_agreements(KEY)["commerce"], narrower, today_in(later))
    monkeypatch.setattr(partners, "load_matrix", lambda: narrower)
    partners._read.cache_clear()
    found = await partners.in_force(database.writer, today_in(later))
    assert found == {one.partner: one for one in agreements.in_force()}
    assert set(found) == {"commerce"}


@pytest.mark.parametrize(
    ("partner", "given", "stored"),
    [
        # Changed after its digest was taken; another's; a key id that means another key; a coordinate that is gone.
        ("mall", MALL, MALL.replace('"BULK"', "")),
        ("shop", MALL, MALL),
        ("shop", SHOP, SHOP),
        ("mall", HIDING, HIDING),
    ],
)
async def test_what_the_gateway_does_not_take_casework_does_not_take(
    database: Database, partner: str, given: str, stored: str
) -> None:
    await applied(database, MALL, demo_agreements(KEY)["commerce"])
    await database.writer.execute(
        "INSERT INTO agreement (partner, digest, document, applied_at, applied_by) VALUES ($1, $2, $3, $4, 'x')",
        partner, digest(given), stored, NOW,
    )  # fmt: skip
    agreements = Agreements(database.writer, MATRIX, lambda: NOW, COORDINATES)
    await agreements.refresh()
    assert set(agreements.problems) == {partner}
    found = await partners.in_force(database.writer, TODAY)
    assert found == {one.partner: one for one in agreements.in_force()}
    # Nor does the list tell otherwise, nor is a list of members taken by it.
    listed = await list_agreements(database.writer, MATRIX, NOW, COORDINATES)
    assert {one.partner for one in listed if one.standing is AgreementStanding.IN_FORCE} == found.keys()
    (told,) = (one for one in listed if one.partner == partner)
    assert (told.standing, told.problem) == (AgreementStanding.INVALID, agreements.problems[partner])
    with pytest.raises(AgreementInvalid, match=re.escape(agreements.problems[partner])):
        await applied_class(database.writer, partner, MATRIX, COORDINATES)
    assert (await applied_class(database.writer, "commerce", MATRIX, COORDINATES)).code == "P1"


async def test_a_suspended_agreement_that_was_tampered_with_tells_nothing(database: Database) -> None:
    await applied(database, MALL)
    await suspend_agreement(database.writer, "mall", NOW, "ops")
    assert (await applied_class(database.writer, "mall", MATRIX, COORDINATES)).code == "P9"
    await database.writer.execute("UPDATE agreement SET document = replace(document, '\"BULK\"', '')")
    (told,) = await list_agreements(database.writer, MATRIX, NOW, COORDINATES)
    assert (told.standing, told.name) == (AgreementStanding.SUSPENDED, None)
    with pytest.raises(AgreementInvalid, match="not the one that was applied"):
        await applied_class(database.writer, "mall", MATRIX, COORDINATES)


async def test_a_file_puts_right_what_was_tampered_with(database: Database) -> None:
    await applied(database, MALL)
    await database.writer.execute("UPDATE agreement SET document = replace(document, '\"BULK\"', '')")
    changes = await diff_agreement(database.writer, MALL, MATRIX, NOW, COORDINATES)
    assert all(one.before is None for one in changes)
    assert await applied(database, MALL) == [Outcome.APPLIED]
    (told,) = await list_agreements(database.writer, MATRIX, NOW, COORDINATES)
    assert told.standing is AgreementStanding.IN_FORCE
    assert await applied(database, MALL) == [Outcome.UNCHANGED]


async def test_a_stored_agreement_that_exceeds_the_matrix_stops_the_start(database: Database) -> None:
    await applied(database, MALL)
    await database.writer.execute("UPDATE agreement SET document = replace(document, 'YES_NO', 'FULL')")
    with pytest.raises(AgreementInvalid, match=r"mall: data\.D17: FULL"):
        await Agreements.open(database.writer, MATRIX, lambda: NOW, COORDINATES)


@pytest.mark.alone
async def test_a_stored_agreement_that_was_tampered_with_goes_out_of_force_alone(database: Database) -> None:
    await applied(database, MALL, demo_agreements(KEY)["public"])
    async with following(database) as agreements:
        await database.writer.execute(
            "INSERT INTO agreement (partner, digest, document, applied_at, applied_by)"
            " SELECT partner, digest, replace(document, '\"BULK\"', ''), applied_at, applied_by"
            " FROM agreement WHERE partner = 'mall'"
        )
        await within_a_second(lambda: not in_force(agreements))
        assert "not the one that was applied" in agreements.problems["mall"]
        assert in_force(agreements, "public")


async def test_refused_agreements_change_nothing(database: Database) -> None:
    wider = demo_agreements(KEY)["public"].replace('D5 = "MASKED"', 'D5 = "FULL"')
    with pytest.raises(AgreementInvalid, match=r"public: data\.D5"):
        await applied(database, MALL, wider)
    with pytest.raises(AgreementInvalid, match="more than one file"):
        await applied(database, MALL, MALL)
    assert await database.writer.fetchval("SELECT count(*) FROM agreement") == 0


async def test_a_key_id_cannot_be_taken_by_another_partner_for_another_key(database: Database) -> None:
    await applied(database, MALL)
    thief = MALL.replace('partner = "mall"', 'partner = "shop"').replace(JWK, ed25519())
    with pytest.raises(AgreementInvalid, match=r"shop: .*another key with mall"):
        await applied(database, thief)
    assert await applied(database, thief.replace('kid = "2026-1"', 'kid = "2026-2"')) == [Outcome.APPLIED]


async def test_applying_again_never_lifts_a_suspension_unasked(database: Database) -> None:
    assert await applied(database, MALL) == [Outcome.APPLIED]
    assert await applied(database, MALL) == [Outcome.UNCHANGED]
    changed = MALL.replace('D1 = "FULL"', 'D1 = "MASKED"')
    assert await applied(database, changed) == [Outcome.APPLIED]
    assert await suspend_agreement(database.writer, "mall", NOW, "ops")
    assert not await suspend_agreement(database.writer, "mall", NOW, "ops")
    assert await applied(database, changed) == [Outcome.STILL_SUSPENDED]
    assert await applied(database, MALL) == [Outcome.STILL_SUSPENDED]
    assert await applied(database, changed, reinstate=True) == [Outcome.APPLIED]
    # Every version stays: who, when, which file.
    rows = await database.writer.fetch("SELECT applied_by, suspended_by FROM agreement ORDER BY agreement_id")
    assert [tuple(row) for row in rows] == [("ops", None), ("ops", "ops"), ("ops", None)]


async def test_suspending_a_partner_without_agreement_is_refused(database: Database) -> None:
    with pytest.raises(AgreementInvalid, match="ever applied"):
        await suspend_agreement(database.writer, "nobody", NOW, "ops")


async def test_two_appliers_at_once_leave_one_owner_of_a_key_id(database: Database) -> None:
    thief = MALL.replace('partner = "mall"', 'partner = "shop"').replace(JWK, ed25519())
    results = await asyncio.gather(applied(database, MALL), applied(database, thief), return_exceptions=True)
    assert sorted(isinstance(one, AgreementInvalid) for one in results) == [False, True]


async def test_list_and_diff_say_where_each_agreement_stands(database: Database) -> None:
    demo = demo_agreements(KEY)
    await applied(database, MALL, demo["public"], demo["tax"])
    await suspend_agreement(database.writer, "tax", NOW, "法规处")
    listed = {one.partner: one for one in await list_agreements(database.writer, MATRIX, NOW)}
    assert {partner: one.standing for partner, one in listed.items()} == {
        "mall": AgreementStanding.IN_FORCE,
        "public": AgreementStanding.IN_FORCE,
        "tax": AgreementStanding.SUSPENDED,
    }
    assert listed["tax"].suspended_by == "法规处"
    assert listed["mall"].digest == parsed(MALL).digest
    for years, standing in ((2, AgreementStanding.EXPIRED), (-2, AgreementStanding.NOT_YET)):
        later = await list_agreements(database.writer, MATRIX, NOW + timedelta(days=366 * years))
        assert later[0].standing is standing
    changed = MALL.replace('D1 = "FULL"', 'D1 = "MASKED"')
    changes = await diff_agreement(database.writer, changed, MATRIX, NOW, COORDINATES)
    assert [(one.key, one.before, one.after) for one in changes] == [("data.D1", "FULL", "MASKED")]
    new = await diff_agreement(database.writer, demo["customs"], MATRIX, NOW, COORDINATES)
    assert all(one.before is None for one in new)
    assert ("source", "CUSTOMS") in [(one.key, one.after) for one in new]


async def test_the_read_path_cannot_read_agreements(database: Database) -> None:
    with pytest.raises(StoreUnavailable) as refusal:
        await Agreements.open(database.reader, MATRIX, lambda: NOW)
    assert isinstance(refusal.value.__cause__, asyncpg.InsufficientPrivilegeError)


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert today_in(datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == date(2026, 11, 21)
    assert today_in(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == TODAY
