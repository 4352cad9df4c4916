"""The floor: a bare ASGI endpoint that sends SQL written by hand and gives the same `data`; no rights, no ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import asyncpg
import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.workloads import PAGE
from hub.config import Settings
from hub.store.database import Role, role_url

_IN_FORCE = (
    "l.subject_id = s.subject_id AND l.superseded_at IS NULL AND l.state = 'PUBLISHED'"
    " AND (l.publicity_ends_on IS NULL OR l.publicity_ends_on >= current_date)"
)
_IN_USE = (
    "r.superseded_at IS NULL AND r.data_class IN ('D4', 'D6') AND r.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')"
    " AND (r.usable_until IS NULL OR r.usable_until >= current_date)"
)
_LIST_ENTRIES = f"""
 (SELECT coalesce(json_agg((SELECT row_to_json(e) FROM (SELECT l.color, l.decision_number AS "decisionNumber",
    l.recognized_on AS "recognizedOn") e) ORDER BY l.recognized_on DESC, l.public_id DESC), '[]')
  FROM list_entry l WHERE {_IN_FORCE}) AS "listEntries\""""

W1 = f"""
SELECT row_to_json(d) FROM (SELECT (SELECT row_to_json(o) FROM (SELECT
 s.display_name AS "displayName", s.uscc, s.registration_status AS "registrationStatus",
 (SELECT row_to_json(m) FROM (SELECT
   CASE WHEN EXISTS (SELECT FROM list_entry l WHERE {_IN_FORCE} AND l.color = 'BLACK')
     THEN 'YES' ELSE 'NO' END AS "hasSeriousDishonestyEntry",
   CASE WHEN EXISTS (SELECT FROM list_entry l WHERE {_IN_FORCE} AND l.color = 'RED')
     THEN 'YES' ELSE 'NO' END AS "isHonestModel",
   CASE WHEN EXISTS (SELECT FROM record r WHERE r.subject_id = s.subject_id AND r.kind = 'PENALTY' AND {_IN_USE})
     THEN 'YES' ELSE 'NO' END AS "hasPublicPenalty") m) AS summary,{_LIST_ENTRIES}
 FROM subject s WHERE s.uscc = $1) o) AS subject) d"""

W2 = f"""
SELECT row_to_json(d) FROM (SELECT (SELECT row_to_json(o) FROM (SELECT
 s.kind, s.display_name AS "displayName", s.uscc, s.registration_status AS "registrationStatus",
 s.region_code AS "regionCode", s.industry_code AS "industryCode", s.established_on AS "establishedOn",
 s.legal_representative_name AS "legalRepresentativeName",
 (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', row_to_json(n))), '[]')) FROM (
   SELECT r.title, r.document_number AS "documentNumber", r.decided_on AS "decidedOn", r.valid_to AS "validTo",
     r.seriousness, r.lifecycle FROM record r WHERE r.subject_id = s.subject_id AND {_IN_USE}
   ORDER BY r.decided_on DESC, r.public_id DESC LIMIT 20) n) AS records,{_LIST_ENTRIES}
 FROM subject s WHERE s.uscc = $1) o) AS subject) d"""

W3 = f"""
SELECT row_to_json(d) FROM (SELECT (
 SELECT json_build_object(
   'edges', coalesce(json_agg(json_build_object('node', (SELECT row_to_json(n) FROM (
       SELECT p.title, p.document_number AS "documentNumber", p.decided_on AS "decidedOn", (
         SELECT row_to_json(o) FROM (SELECT s.display_name AS "displayName", s.uscc,
           s.registration_status AS "registrationStatus" FROM subject s WHERE s.subject_id = p.subject_id) o
       ) AS subject) n))) FILTER (WHERE p.place <= {PAGE}), '[]'),
   'pageInfo', json_build_object('hasNextPage', count(*) > {PAGE},
     'endCursor', max(p.decided_on || '/' || p.public_id) FILTER (WHERE p.place = {PAGE})))
 FROM (SELECT r.*, row_number() OVER (ORDER BY r.decided_on DESC, r.public_id DESC) AS place FROM record r
   WHERE {_IN_USE} AND r.decided_on <= $1 ORDER BY r.decided_on DESC, r.public_id DESC LIMIT {PAGE + 1}) p
) AS records) d"""

W4 = f"""
SELECT row_to_json(d) FROM (SELECT (
 SELECT coalesce(json_agg(v.value ORDER BY k.place), '[]') FROM unnest($1::text[]) WITH ORDINALITY k(code, place)
 LEFT JOIN LATERAL (SELECT (SELECT row_to_json(o) FROM (SELECT s.display_name AS "displayName", s.uscc,
   s.registration_status AS "registrationStatus",{_LIST_ENTRIES}) o) AS value
   FROM subject s WHERE s.uscc = k.code) v ON TRUE
) AS subjects) d"""

Argument = Callable[[Mapping[str, Any]], Any]
# Operation → its statement and the argument in the request's variables.
STATEMENTS: Mapping[bytes, tuple[str, Argument]] = {
    b"MerchantCheck": (W1, lambda given: given["code"]),
    b"Dossier": (W2, lambda given: given["code"]),
    b"ListPage": (W3, lambda given: date.fromisoformat(given["to"])),
    b"BulkCheck": (W4, lambda given: given["codes"]),
}


def create_floor(settings: Settings, extensions: Mapping[bytes, bytes]) -> ASGIApp:
    """The floor as an ASGI application. `extensions`: what every answer of an operation ends with."""
    held: list[asyncpg.Pool] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(settings, held, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        given = orjson.loads(body)
        operation = given["query"][6 : given["query"].index("(")].encode()
        sql, argument = STATEMENTS[operation]
        data = await held[0].fetchval(sql, argument(given["variables"]))
        answer = b'{"data":%b,"extensions":%b}' % (data, extensions.get(operation, b"{}"))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return application


async def _lifespan(settings: Settings, held: list[asyncpg.Pool], receive: Receive, send: Send) -> None:
    async def prepare(connection: asyncpg.Connection) -> None:
        await connection.set_type_codec(
            "json", schema="pg_catalog", format="binary", encoder=lambda one: one, decoder=lambda one: one
        )

    async def keep(_: asyncpg.Connection) -> None:
        """Nothing to reset: a round trip less than asyncpg's own."""

    await receive()
    pool = await asyncpg.create_pool(
        role_url(settings, Role.READER),
        min_size=settings.pool_size,
        max_size=settings.pool_size,
        init=prepare,
        reset=keep,
        server_settings={"jit": "off", "timezone": "Asia/Shanghai"},
    )
    held.append(pool)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})
