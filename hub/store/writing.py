"""One writer of facts at a time, whichever process it runs in."""

from __future__ import annotations

import asyncpg

# Any constant of our own.
_LOCK = "SELECT pg_advisory_xact_lock(0x48415256)"


async def one_writer(connection: asyncpg.Connection) -> None:
    """From here to the end of the transaction nobody else writes facts: what is read now is still so when it is changed."""
    await connection.execute(_LOCK)
