"""What one transaction at a time does, whichever process it runs in."""

from __future__ import annotations

import asyncpg

# Any constant of our own.
_WRITE = "SELECT pg_advisory_xact_lock(1212240470)"
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


async def one_writer(connection: asyncpg.Connection) -> None:
    """From here to the end of the transaction nobody else writes facts: what is read now is still so when it is changed."""
    await connection.execute(_WRITE)


async def one_at_a_time(connection: asyncpg.Connection, what: str) -> None:
    """From here to the end of the transaction nobody else does `what`, a name of the caller's own."""
    await connection.execute(_HOLD, what)
