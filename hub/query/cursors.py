"""Cursors: where a row stands in the order of its page, sealed so that it tells nothing and serves its own page alone.

The statement seals, what a caller gives is opened here. A place is the day that the page is in order of and the id of
the row as the store has it. Its MAC comes first; what follows is the place, hidden under a stream of which the MAC is
the nonce: two places have two, and the same place has the same cursor every time. The key is the page's own (`Seal`):
of this caller, view, relation and arguments. The hashes of one key differ in the length of what they are given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import date, timedelta

# Bytes of a MAC, and of a place: eight of the day, sixteen of the id. Together they are base64 without padding.
_MAC, _PLACE = 18, 24
# Days are counted from here, as PostgreSQL does.
_FIRST_DAY = date(2000, 1, 1)
# Those that PostgreSQL takes the last and the first date of Python for.
_ENDLESS = {0x7FFFFFFF: date.max, 0x80000000: date.min}


def sealed(day: str, public_id: str, key: str, alias: str) -> str:
    """SQL of the cursor of a row; `day`: SQL of a date, empty where the page is in no order of days."""
    days = f"int4send(0) || date_send({day})" if day else "int8send(0)"
    hidden = f"('x' || {alias}.place)::bit({8 * _PLACE}) # ('x' || left({alias}.stream, {2 * _PLACE}))::bit({8 * _PLACE})"
    words = " || ".join(
        f"int8send(substring({alias}.hidden FROM {start} FOR 64)::bit(64)::bigint)"
        for start in range(1, 8 * _PLACE, 64)
    )
    # Said once each, from the inside out: whatever a level gives is taken more than once by the next.
    place = f"SELECT {days} || uuid_send({public_id}) AS place OFFSET 0"
    mac = f"substr(sha256({key} || sha256({key} || {alias}.place)), 1, {_MAC})"
    signed = f"SELECT {alias}.place, {mac} AS mac FROM ({place}) {alias} OFFSET 0"
    streamed = (
        f"SELECT {alias}.mac, encode({alias}.place, 'hex') AS place,"
        f" encode(sha256({key} || {alias}.mac), 'hex') AS stream FROM ({signed}) {alias} OFFSET 0"
    )
    covered = f"SELECT {alias}.mac, {hidden} AS hidden FROM ({streamed}) {alias} OFFSET 0"
    return f"(SELECT encode({alias}.mac || {words}, 'base64') FROM ({covered}) {alias})"


def opened(cursor: str, key: bytes) -> tuple[date, str] | None:
    """The day and the id (32 hexadecimal digits) in a cursor; None: it was not sealed with this key."""
    try:
        given = base64.b64decode(cursor, validate=True)
    except ValueError:
        return None
    # One place is one cursor: no other spelling of it is taken.
    if len(given) != _MAC + _PLACE or len(cursor) != 4 * len(given) // 3:
        return None
    mac, hidden = given[:_MAC], given[_MAC:]
    stream = hashlib.sha256(key + mac).digest()
    place = bytes(a ^ b for a, b in zip(hidden, stream[:_PLACE], strict=True))
    expected = hashlib.sha256(key + hashlib.sha256(key + place).digest()).digest()[:_MAC]
    if not hmac.compare_digest(mac, expected):
        return None
    return _day(int.from_bytes(place[:8])), place[8:].hex()


def _day(sent: int) -> date:
    """The day that PostgreSQL's date_send wrote in four bytes."""
    return _ENDLESS.get(sent) or _FIRST_DAY + timedelta(days=sent - (sent >> 31 << 32))
