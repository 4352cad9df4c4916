"""The store's connections: a pool for each role, the embedded server when no address is set."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from hub.config import Settings
from hub.errors import HubError, StoreInvalid, StoreUnavailable
from hub.store.embedded import EmbeddedPostgres, exists, running

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
# A batch of the harvest writes thousands of rows in one statement; the read path has its own, short bound.
WRITE_SECONDS = 60.0
_VERSION = re.compile(r"[0-9]{4}_[a-z_]+\.py")
_FOLLOWING = re.compile(r"[0-9]{4}")
PROBE = "青海"
_NOT_MIGRATED = "BEGIN; LOCK TABLE alembic_version IN ACCESS SHARE MODE NOWAIT; COMMIT"
_FIT = "SELECT version_num, show_trgm($1) FROM alembic_version"
_SESSION = "SELECT current_user, setting FROM pg_settings WHERE name = 'statement_timeout'"
# What statements raise when their connection is gone; the last is said of one that was cut in the middle of a reply.
# Not all that an operator does: a statement that took too long is cancelled, and its connection goes on.
CONNECTION_LOST = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
# What they raise when the answer did not come, for whichever of the two reasons.
NOT_ANSWERED = (*CONNECTION_LOST, asyncpg.QueryCanceledError)
# All that the store may answer with, or not answer in time: what comes back to it again and again must not end with one.
STORE_FAILED = (*CONNECTION_LOST, OSError, TimeoutError, asyncpg.PostgresError)
# The server ends, within a minute, the session of a machine that vanished without a word, and gives up what was under
# way to it (milliseconds): by itself it would keep its locks for two hours, and nobody else could harvest its source.
VANISHED = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}

# An address that asyncpg cannot follow: a mode of TLS that it does not know, a certificate that is not there.
_UNUSABLE = asyncpg.exceptions.ClientConfigurationError
# An address of several machines, of which none is the one that writes, or whatever else it asks for.
_NOT_SUCH = asyncpg.exceptions.TargetServerAttributeNotMatched
# What answers does not take what a session is set to, or mixes up the statements of several: a pooler does.
_NOT_UNDERSTOOD = (
    asyncpg.ProtocolViolationError,
    asyncpg.DuplicatePreparedStatementError,
    asyncpg.InvalidSQLStatementNameError,
)
_POOLER = "PgBouncer or another pooler stands before PostgreSQL: give the address of PostgreSQL itself, the hub has pools of its own"


class _Unfit(ConnectionError):
    """What a connection leads to cannot serve; for whoever had others before it, they are lost and no new one is to be had."""

    def __init__(self, why: HubError) -> None:
        super().__init__(str(why))
        self.why = why


class Role(StrEnum):
    """As whom the hub connects; what each may do is fixed by the migrations."""

    OWNER = "hub_owner"
    WRITER = "hub_writer"
    READER = "hub_reader"
    AUDITOR = "hub_auditor"


def _own_url(settings: Settings, role: Role) -> tuple[str, str | None]:
    """The variable that is for `role` alone, and its value."""
    return {
        Role.OWNER: ("HUB_DATABASE_URL", settings.database_url),
        Role.WRITER: ("HUB_DATABASE_WRITER_URL", settings.database_writer_url),
        Role.READER: ("HUB_DATABASE_READER_URL", settings.database_reader_url),
        Role.AUDITOR: ("HUB_DATABASE_AUDITOR_URL", settings.database_auditor_url),
    }[role]


def role_url(settings: Settings, role: Role) -> str:
    """The address of the store for `role`. Errors: StoreInvalid when no store is configured."""
    _, own = _own_url(settings, role)
    if own is not None:
        return own
    if settings.database_url is None:
        raise StoreInvalid("No store: HUB_DATABASE_URL is not set and no embedded server runs.")
    return as_user(settings.database_url, role)


def as_user(dsn: str, user: str) -> str:
    """`dsn` for another user, without the password of the first."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{place}"))


def spoken(error: BaseException) -> str:
    """Why the store could not be reached: of what kind the error is, and what to do where that tells nobody anything."""
    if isinstance(error, _NOT_SUCH):
        return (
            "none of the machines that the address names is what its target_session_attrs asks for; `primary` is for all roles,"
            " `read-write` refuses hub_reader, which may only read"
        )
    if isinstance(error, _NOT_UNDERSTOOD):
        return f"{str(error).splitlines()[0]} ({type(error).__name__}); {_POOLER}"
    return type(error).__name__


@contextmanager
def attached(settings: Settings, *, create: bool = False) -> Iterator[Settings]:
    """Settings with the address of a store: configured, else of the running embedded server, else of our own.

    Our own is started here and stopped at the end; it is made only with `create`, so that nobody whose settings are
    missing works on an empty store. Errors: StoreInvalid, EngineFailed.
    """
    roles = (settings.database_writer_url, settings.database_reader_url, settings.database_auditor_url)
    if settings.database_url is not None or any(roles):
        yield settings
        return
    found = running(settings.state_dir)
    if found is not None:
        yield replace(settings, database_url=found)
        return
    if not create and not exists(settings.state_dir):
        raise StoreInvalid(
            f"HUB_DATABASE_URL is not set, and there is no store below {settings.state_dir}: set it, or go to the"
            " directory of the hub; `credithub migrate` makes a new one."
        )
    with EmbeddedPostgres(settings.state_dir) as server:
        yield replace(settings, database_url=server.dsn())


async def open_pool(
    settings: Settings, role: Role | str, size: int | None = None, *, statement_seconds: float | None = None
) -> asyncpg.Pool:
    """Open `size` connections (by default HUB_POOL_SIZE) as `role`: "reader", "writer", "auditor" or a Role.

    `statement_seconds`: time until which each statement must end, on both sides; by default
    HUB_DATABASE_TIMEOUT to read and one minute to write. Values of type json come and go as bytes.
    Errors: StoreUnavailable when the server cannot be reached, StoreInvalid when the store cannot serve, or the address
    is another role's.
    """
    role = Role(role if role.startswith("hub_") else f"hub_{role}")
    reads = role is Role.READER
    size = size or settings.pool_size
    bound = statement_seconds or (settings.database_timeout if reads else WRITE_SECONDS)
    session = {
        "application_name": f"credithub {role}",
        "timezone": "Asia/Shanghai",
        "jit": "off",
        "statement_timeout": f"{round(bound * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{round(bound * 1000) + 30_000}ms",
        **VANISHED,
    }
    if reads:
        session["default_transaction_read_only"] = "on"
        # Statements of plans find rows by key or by the order of an index, whatever the values: planning them
        # anew for each request, as PostgreSQL does where it hopes to gain, costs more than they take.
        session["plan_cache_mode"] = "force_generic_plan"
        # Below it names have hardly more in common than 青海…有限公司, which all of a province have.
        session["pg_trgm.similarity_threshold"] = "0.4"
    try:
        pool = await asyncpg.create_pool(
            role_url(settings, role),
            min_size=size,
            max_size=size,
            # Connections stay, warm: each has prepared the statements of the known plans, some of them long.
            max_inactive_connection_lifetime=0,
            max_queries=100_000_000,
            statement_cache_size=256,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=262_144,
            timeout=CONNECT_SECONDS,
            # Without it a frozen server cannot be given up from outside (asyncpg issue 1326).
            command_timeout=bound,
            init=_Prepared(role),
            # The reader keeps no session state, so a connection goes back without a round trip.
            reset=_keep if reads else None,
            server_settings=session,
        )
    except _Unfit as error:
        raise error.why from None
    except (OSError, TimeoutError, asyncpg.PostgresError, ssl.SSLError, _UNUSABLE, _NOT_SUCH) as error:
        why = spoken(error)
        if isinstance(
            error, (asyncpg.InvalidAuthorizationSpecificationError, _UNUSABLE, _NOT_SUCH, *_NOT_UNDERSTOOD)
        ):
            variable, own = _own_url(settings, role)
            why += f"; look at {variable}" + (", which is not set" if own is None else "")
        raise StoreUnavailable(f"The store cannot be reached as {role}: {why}.") from error
    try:
        async with pool.acquire() as connection:
            # Two addresses that were mistaken for each other: the reading one would work, and may then read and write all.
            found, milliseconds = await connection.fetchrow(_SESSION)
            if found != role:
                variable, _ = _own_url(settings, role)
                raise StoreInvalid(f"{variable} leads to the store as {found}: it must be {role}.")
            if int(milliseconds) != round(bound * 1000):
                # Told to pass over what it does not know, it drops the bounds of statements, and how names are looked for.
                raise StoreInvalid(f"What the session of {role} is set to is lost on its way: {_POOLER}.")
    except _NOT_UNDERSTOOD as error:
        pool.terminate()
        raise StoreUnavailable(f"The store cannot be reached as {role}: {spoken(error)}.") from error
    except BaseException:
        pool.terminate()
        raise
    return pool


@asynccontextmanager
async def lent(pool: asyncpg.Pool, seconds: float, wait: float = 0.5) -> AsyncIterator[asyncpg.Connection]:
    """A connection of `pool` for at most `seconds`, after at most `wait` of waiting for one.

    Then it is hung up and whatever waits for it fails: to cancel a statement would wait for a server that may be
    frozen (asyncpg issue 1326). Errors: TimeoutError, and those of asyncpg.
    """
    connection = await pool.acquire(timeout=wait)
    watchdog = asyncio.get_running_loop().call_later(seconds, _hang_up, connection)
    try:
        yield connection
    except (*CONNECTION_LOST, OSError, TimeoutError, asyncio.CancelledError):
        _hang_up(connection)
        raise
    finally:
        watchdog.cancel()
        # What was done on it is done: that it could not be put in order afterwards (the pool has hung it up then) is no
        # failure of the caller's.
        with suppress(*STORE_FAILED):
            await pool.release(connection, timeout=wait)


def _hang_up(connection: asyncpg.Connection) -> None:
    # What the server closed, the pool has taken back by itself.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def check_store(connection: asyncpg.Connection) -> None:
    """Refuse a store that would answer wrongly: name search without Chinese, or tables of another version.

    Errors: StoreInvalid; StoreUnavailable while it is migrated.
    """
    try:
        # In one message: a request may wait for the connection.
        await connection.execute(_NOT_MIGRATED)
        revision, trigrams = await connection.fetchrow(_FIT, PROBE)
    except asyncpg.LockNotAvailableError:
        raise StoreUnavailable(
            "The store is being migrated: wait until `credithub migrate` has ended."
        ) from None
    except (asyncpg.UndefinedFunctionError, asyncpg.UndefinedTableError):
        raise StoreInvalid("The store has no tables yet: run `credithub migrate`.") from None
    except asyncpg.InsufficientPrivilegeError:
        raise StoreInvalid("The role may not read the store: run `credithub migrate` as the owner.") from None
    if not trigrams:
        raise StoreInvalid(
            "pg_trgm ignores Chinese in this database: create it with a UTF-8 LC_CTYPE such as C.UTF-8."
        )
    refuse_newer(revision)
    if revision != head():
        raise StoreInvalid(
            f"The store is at version {revision}, this hub needs {head()}: run `credithub migrate`."
        )


def refuse_newer(revision: str) -> None:
    """Refuse a store that a newer hub has migrated. Errors: StoreInvalid."""
    if _FOLLOWING.fullmatch(revision) and revision > head():
        raise StoreInvalid(
            f"The store is at version {revision}, newer than this hub, which knows {head()}: install the newer hub again,"
            " or restore the backup that was made before it."
        )


@cache
def head() -> str:
    """The version of the store that this hub needs: the last of migrations/versions."""
    names = (file.name for file in files("migrations.versions").iterdir())
    return max(name[:4] for name in names if _VERSION.fullmatch(name))


class _Prepared:
    """Prepares each connection of a pool, those too that take the place of lost ones: the store may be another by then.

    A hub whose connections were ended, as those of a machine that hangs, would go on by the tables of before a migration.
    """

    def __init__(self, role: Role) -> None:
        self._role = role
        self._begun = False
        self._told = ""

    async def __call__(self, connection: asyncpg.Connection) -> None:
        # The statement of a plan makes the answer's JSON; decoding it only to encode it again would be waste.
        await connection.set_type_codec(
            "json", schema="pg_catalog", format="binary", encoder=_same, decoder=_same
        )
        try:
            await check_store(connection)
        except HubError as error:
            # Tried again with each request; who opens the pool tells it by itself.
            if self._begun and self._told != str(error):
                _log.error("no connection as %s: %s", self._role, error)
                self._told = str(error)
            raise _Unfit(error) from error
        self._begun, self._told = True, ""


def _same(value: bytes) -> bytes:
    return value


async def _keep(_: asyncpg.Connection) -> None:
    """Leave the session as it is."""
