"""`credithub migrate`, and commands on a store that is away, takes nothing or is another."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest

from hub.store.database import as_user, head
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from tests.commands.shell import Shell
from tests.conftest import Database
from tests.test_database import migrated_before

SECRET = "s3cr3t-value"


def test_migrate_makes_the_store_and_may_be_repeated(shell: Shell, empty: str) -> None:
    shell("agreements", "list", HUB_DATABASE_URL=empty).refused("STORE_INVALID", "credithub migrate")
    shell("serve", HUB_DATABASE_URL=empty).refused("STORE_INVALID", "credithub migrate")
    for said in ("was made", "is up to date"):
        done = shell("migrate", HUB_DATABASE_URL=empty)
        assert (done.status, done.out) == (0, f"the store {said}, at version {head()}\n")
    assert shell("agreements", "list", HUB_DATABASE_URL=empty).status == 0


async def test_migrate_says_from_which_version_to_which(shell: Shell, empty: str) -> None:
    await migrated_before(empty, "0020")
    assert shell("migrate", HUB_DATABASE_URL=empty).out == f"the store went from version 0019 to {head()}\n"


@pytest.mark.parametrize(
    "command",
    [["migrate"], ["agreements", "list"], ["ledger", "verify"], ["quarantine", "list"], ["harvest"]],
    ids=" ".join,
)
def test_a_store_that_is_away_is_told_in_one_line(shell: Shell, command: list[str]) -> None:
    address = f"postgresql://hub_owner:{SECRET}@127.0.0.1:1/hub"
    done = shell(*command, HUB_DATABASE_URL=address)
    done.refused("STORE_UNAVAILABLE")
    assert SECRET not in done.err


@pytest.mark.parametrize("command", [["migrate"], ["ledger", "verify"]], ids=" ".join)
def test_a_store_that_takes_nobody_in_is_told_in_one_line(
    shell: Shell, command: list[str], postgres: EmbeddedPostgres
) -> None:
    address = postgres.dsn("nobody_here", "no_such_hub")
    shell(*command, HUB_DATABASE_URL=address).refused("STORE_UNAVAILABLE", "Error")


@pytest.mark.parametrize("command", [["harvest", "TAX"], ["migrate"]], ids=" ".join)
async def test_a_store_that_takes_nothing_is_told_in_one_line(
    shell: Shell, command: list[str], postgres: EmbeddedPostgres, empty: str
) -> None:
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    name = urlsplit(empty).path[1:]
    try:
        if command != ["migrate"]:
            await migrated(empty)
        await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
        done = shell(*command, HUB_DATABASE_URL=empty)
    finally:
        await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await admin.close()
    code = "STORE_INVALID" if command == ["migrate"] else "STORE_UNAVAILABLE"
    done.refused(code, "ReadOnlySQLTransactionError")


@pytest.mark.parametrize(
    "command",
    [
        ["quarantine", "show", "{}"],
        ["quarantine", "replay", "{}"],
        ["quarantine", "dismiss", "{}", "--reason", "x"],
        ["consents", "withdraw", "{}"],
        ["deliveries", "retry", "{}"],
    ],
    ids=" ".join,
)
def test_a_number_that_no_row_can_have_is_no_fault_of_the_store(shell: Shell, command: list[str]) -> None:
    done = shell(*(one.format(2**63) for one in command))
    assert (done.status, "less than" in done.err, "STORE" in done.err) == (2, True, False), done.err


@pytest.mark.parametrize("role", ["hub_writer", "hub_reader", "hub_auditor"])
def test_a_role_that_owns_nothing_does_not_call_the_store_up_to_date(
    shell: Shell, store: Database, role: str
) -> None:
    done = shell("migrate", HUB_DATABASE_URL=as_user(store.owner_dsn, role))
    done.refused("STORE_INVALID", f"The role {role} may not migrate the store, which is hub_owner's")


def test_an_address_of_another_role_is_told_in_one_line_with_its_setting(
    shell: Shell, store: Database
) -> None:
    done = shell("ledger", "verify", HUB_DATABASE_AUDITOR_URL=store.reader_dsn)
    done.refused("STORE_INVALID", "HUB_DATABASE_AUDITOR_URL", "as hub_reader: it must be hub_auditor")


async def test_what_a_role_may_not_do_is_told_in_one_line_with_the_place(
    shell: Shell, store: Database
) -> None:
    owner = await asyncpg.connect(store.owner_dsn)
    try:
        await owner.execute("REVOKE SELECT ON ledger_block FROM hub_auditor")
        done = await asyncio.to_thread(shell, "ledger", "verify")
        done.refused("STORE_UNAVAILABLE", "InsufficientPrivilegeError at ", "/hub/ledger/audit.py:")
    finally:
        await owner.execute("GRANT SELECT ON ledger_block TO hub_auditor")
        await owner.close()
