"""Drafts the next version from what hub/store/tables declares: `python -m migrations.draft MESSAGE`."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from hub.store.embedded import EmbeddedPostgres


async def draft(dsn: str, message: str) -> Path:
    """Write versions/NNNN_message.py from how the tables differ from the store at `dsn`, migrated."""
    here = Path(__file__).parent
    number = f"{len(list((here / 'versions').glob('[0-9]*.py'))) + 1:04}"

    def difference(connection: Connection) -> object:
        config = Config()
        config.set_main_option("script_location", str(here))
        config.set_main_option("path_separator", "os")
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        config.attributes["connection"] = connection
        config.attributes["grants"] = False
        if ScriptDirectory.from_config(config).get_current_head() is not None:
            command.upgrade(config, "head")
        return command.revision(config, message, autogenerate=True, rev_id=number)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))
    async with engine.begin() as connection:
        await connection.run_sync(difference)
    await engine.dispose()
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")
    return next((here / "versions").glob(f"{number}_{slug[:10]}*.py"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as state:
        server = EmbeddedPostgres(Path(state))
        try:
            print(asyncio.run(draft(server.start(), " ".join(sys.argv[1:]))))
        finally:
            server.destroy()
