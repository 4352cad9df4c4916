"""The benchmark's own PostgreSQL and the stores in it: migrated and filled once, kept between runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from benchmarks import data
from hub.config import Settings
from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.store.database import Role, open_pool
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from migrations.grants import SECURE_DATABASE

SERVER_SETTINGS = {"shared_buffers": "1GB", "effective_cache_size": "4GB", "max_wal_size": "8GB"}


async def ready_store(server: EmbeddedPostgres, state_dir: Path, subjects: int) -> Settings:
    """Settings of a hub over a store with `subjects` subjects; it is made when there is none, or an older one."""
    name = f"bench_{subjects}"
    settings = Settings(
        database_url=server.dsn(database=name), state_dir=state_dir, demo=True, database_timeout=10
    )
    admin = await asyncpg.connect(server.dsn("postgres", "postgres"))
    try:
        mark = await admin.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", name
        )
        if mark != data.VERSION:
            print(f"Filling a store with {subjects:,} subjects and {subjects * 10:,} records …", flush=True)
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await admin.execute(f"CREATE DATABASE {name} OWNER hub_owner")
            await _fill(settings, subjects)
            await admin.execute(f"COMMENT ON DATABASE {name} IS '{data.VERSION}'")
    finally:
        await admin.close()
    await migrated(settings.database_url or "")
    await _fresh(settings)
    return settings


async def _fill(settings: Settings, subjects: int) -> None:
    await migrated(settings.database_url or "")
    owner = await asyncpg.connect(settings.database_url)
    try:
        await owner.execute(SECURE_DATABASE)
        await data.fill(owner, subjects)
    finally:
        await owner.close()


async def _fresh(settings: Settings) -> None:
    """Agreements of the demo partners that trust the local issuer, sources that answered just now, warm tables."""
    key = demo_issuer(settings.state_dir).key
    pool = await open_pool(settings, Role.WRITER, 1)
    try:
        await apply_agreements(
            pool, demo_agreements(key).values(), load_matrix(), datetime.now(UTC), "benchmark"
        )
    finally:
        await pool.close()
    owner = await asyncpg.connect(settings.database_url)
    try:
        await owner.execute("UPDATE source_state SET status = 'OK', as_of = now(), checked_at = now()")
        # The day's quota is counted in the store, and every run begins with all of it.
        await owner.execute("DELETE FROM quota_use")
        for table in ("subject", "record", "list_entry"):
            await owner.execute(f"SELECT count(*) FROM {table}")
    finally:
        await owner.close()
