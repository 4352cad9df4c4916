"""That the numbers of persons in the store were made with the key of today: with another none would match any more."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from hub.errors import SettingInvalid
from schema.persons import hmac_sm3

VARIABLE = "HUB_ID_KEY"
# No number of a person, so its digest is that of none.
_TEXT = "credithub: the key of persons' numbers"
_NOTED = "SELECT digest FROM key_check WHERE variable = $1"
_NOTE = (
    "INSERT INTO key_check (variable, digest, noted_at) VALUES ($1, $2, $3) ON CONFLICT (variable) DO NOTHING"
)


async def require_id_key(pool: asyncpg.Pool, key: bytes, now: datetime) -> None:
    """Refuse another key than the store was first used with; the first one is noted. `pool`: of the writing role.

    Errors: SettingInvalid.
    """
    await pool.execute(_NOTE, VARIABLE, _digest(key), now)
    _compare(await pool.fetchval(_NOTED, VARIABLE), key)


async def refuse_other_id_key(connection: asyncpg.Connection, key: bytes) -> None:
    """The same for who may only read: before the first use nothing is known, and any key is taken.

    Errors: SettingInvalid.
    """
    _compare(await connection.fetchval(_NOTED, VARIABLE), key)


def _compare(noted: str | None, key: bytes) -> None:
    if noted is not None and noted != _digest(key):
        raise SettingInvalid(
            f"{VARIABLE}: not the key that this store was first used with; the numbers of persons in it would no longer"
            " be found",
            variable=VARIABLE,
        )


def _digest(key: bytes) -> str:
    return hmac_sm3(key, _TEXT)
