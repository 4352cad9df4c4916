"""Whatever is sent, the hub answers with a clear code or hangs up, says nothing of its inside, and changes nothing."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.errors import HubError
from hub.rights.agreement_store import apply_agreements, suspend_agreement
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.store.embedded import EmbeddedPostgres
from tests.hub_server import CHECK, MERCHANT, ProvinceHub, province_hub
from tests.raw_http import Answer, Incoming, cut_off, document, hung_up, received, request, sent

OTHER = "91630100MA7XK2P38N"
JSON = ("Content-Type", "application/json")
GOOD = document(CHECK, code=MERCHANT)
NAMED = "query Q($v: String!, $s: IdentifierScheme!) { subject(value: $v, scheme: $s) { displayName } }"
PAGE = "query Q($n: Int, $a: String) { records(first: $n, after: $a) { edges { cursor node { id } } } }"
FILTER = "query Q($f: RecordFilter) { records(filter: $f, first: 1) { edges { cursor } } }"
ASOF = 'query Q($t: DateTime) { subject(value: "91630103MA75ABCD1M", asOf: $t) { displayName } }'
MATCH = "query Q($n: String!, $r: String) { matchSubjects(name: $n, region: $r) { score } }"
BULK = "query Q($c: [USCC!]!) { subjects(codes: $c) { displayName } }"
EXPLAIN = "query Q($c: String!, $s: USCC) { explain(coordinate: $c, subject: $s) { level } }"


def codes_of(kind: type[HubError]) -> set[str]:
    """The codes of an error and of all below it."""
    return {kind.code}.union(*(codes_of(below) for below in kind.__subclasses__()))


KNOWN_CODES = codes_of(HubError) - {"INTERNAL"}
# What an answer must never hold: traces, paths, statements, names of the store's inside.
INSIDE = re.compile(
    rb"Traceback|File \"|\.py\b|site-packages|asyncpg|SELECT |FROM \(|subject_id|/tmp/|hub_reader|postgres|PGSQL",
    re.IGNORECASE,
)


def decent(answer: Answer | None, data: bool = False) -> None:
    """An answer that may leave: a refusal with a code of the closed table, or data where that may be."""
    assert answer is not None
    assert answer.status != 500, answer.body
    assert not INSIDE.search(answer.body), answer.body
    assert answer.headers["content-type"].endswith("; charset=utf-8")
    told = json.loads(answer.body)
    if data and "data" in told:
        return
    # What never became a request has no id.
    assert list(told) == ["errors"] or (
        list(told) == ["errors", "extensions"] and list(told["extensions"]) == ["requestId"]
    )
    assert told["errors"]
    for one in told["errors"]:
        assert one["extensions"]["code"] in KNOWN_CODES
        # Up to five wrong values are told at once, each of them shortened.
        assert 0 < len(one["message"]) < 1000


def bearer(hub: ProvinceHub, partner: str = "mall") -> tuple[str, str]:
    """The header that says who asks."""
    return ("Authorization", f"Bearer {hub.token(partner)}")


def asked(hub: ProvinceHub, body: bytes, *headers: tuple[str, bytes | str], partner: str = "mall") -> Answer:
    """Post a body as a partner."""
    answer = sent(hub.address, request("POST", "/graphql", [bearer(hub, partner), JSON, *headers], body))
    assert answer is not None
    return answer


def as_commerce(hub: ProvinceHub, query: str, **variables: Any) -> Answer:
    """Ask as the commerce department, which may search and browse."""
    purpose = [("Hub-Purpose", "ONGOING_SUPERVISION"), ("Hub-Matter", "M"), ("Hub-Case", "C")]
    return asked(hub, document(query, **variables), *purpose, partner="commerce")


@pytest.fixture
async def unchanged(hub: ProvinceHub) -> AsyncIterator[None]:
    """Store and ledger are the same after the test as before."""
    before = await hub.fingerprint()
    yield
    assert await hub.fingerprint() == before


# ---- bodies

BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a string": b'"{__typename}"',
    "a number": b"1",
    "a list": b'[{"query":"{__typename}"}]',
    "not JSON": b"{query:1}",
    "half of it": GOOD[:-3],
    "two values": GOOD + GOOD,
    "invalid UTF-8": GOOD.replace(b"Check", b"\xff\xfe"),
    "GB18030": '{"query":"# 青海\n{__typename}"}'.encode("gb18030"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "an overlong NUL": GOOD.replace(b"Check", b"\xc0\x80"),
    "compressed": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "100,000 lists in each other": b"[" * 100_000 + b"]" * 100_000,
    "30,000 objects in each other": b'{"query":' + b'{"a":' * 30_000 + b"1" + b"}" * 30_000 + b"}",
    "a deep variable": b'{"query":"{__typename}","variables":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "NaN": b'{"query":"{__typename}","variables":{"a":NaN}}',
    "Infinity": b'{"query":"{__typename}","variables":{"a":-Infinity}}',
    "1e999": b'{"query":"{__typename}","variables":{"a":1e999}}',
    "an integer of 50,000 digits": b'{"query":"{__typename}","variables":{"a":' + b"9" * 50_000 + b"}}",
    "a lone surrogate": b'{"query":"{__typename}","variables":{"a":"\\ud800"}}',
    "a lone surrogate in the document": b'{"query":"{subject(value:\\"\\udfff\\"){displayName}}"}',
    "a comment": b'/* */ {"query":"{__typename}"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_json_object_in_utf8_is_refused(
    hub: ProvinceHub, unchanged: None, body: bytes
) -> None:
    answer = asked(hub, body)
    decent(answer)
    assert (answer.status, answer.codes) == (400, {"BAD_REQUEST"})


def test_a_large_body_is_refused_before_it_is_read(hub: ProvinceHub, unchanged: None) -> None:
    most = hub.settings.max_body_bytes
    with socket.create_connection(hub.address, 10) as connection:
        # The length alone is enough: not one byte of the body is sent.
        head = request("POST", "/graphql", [bearer(hub), JSON, ("Content-Length", "300000000")], None)
        connection.sendall(head)
        answer = received(connection)
        assert answer is not None
        assert (answer.status, answer.codes) == (413, {"BODY_TOO_LARGE"})
        assert json.loads(answer.body)["errors"][0]["extensions"]["maximum"] == most
        assert hung_up(connection, 2) < 2


@pytest.mark.parametrize("partner", ["commerce", "mall", "public"])
def test_a_body_may_be_as_large_as_its_senders_class_allows(hub: ProvinceHub, partner: str) -> None:
    most = {"commerce": 262_144, "mall": 131_072, "public": 16_384}[partner]
    body = b'{"query":"{ me { partnerClass } }"}'
    purposes = {"commerce": "ONGOING_SUPERVISION", "mall": "MERCHANT_ADMISSION", "public": "PUBLIC_QUERY"}
    headers = [("Hub-Purpose", purposes[partner]), ("Hub-Matter", "M"), ("Hub-Case", "C")]
    assert asked(hub, body.ljust(most), *headers, partner=partner).status == 200
    answer = asked(hub, body.ljust(most + 1), *headers, partner=partner)
    decent(answer)
    assert (answer.status, answer.codes) == (413, {"BODY_TOO_LARGE"})
    assert json.loads(answer.body)["errors"][0]["extensions"]["maximum"] == most


def test_a_large_body_in_chunks_is_cut_off(hub: ProvinceHub, unchanged: None) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = request("POST", "/graphql", [bearer(hub), JSON, ("Transfer-Encoding", "chunked")], None)
    with socket.create_connection(hub.address, 10) as connection:
        written = 0
        try:
            connection.sendall(head)
            while written < 300_000_000:
                connection.sendall(chunk)
                written += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass
    # What fits into the buffers of two sockets, and the limit itself.
    assert written < 16_000_000


def test_chunks_of_a_whole_request_are_read(hub: ProvinceHub) -> None:
    head = request("POST", "/graphql", [bearer(hub), JSON, ("Transfer-Encoding", "chunked")], None)
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, GOOD[at : at + 1]) for at in range(len(GOOD))) + b"0\r\n\r\n"
    answer = sent(hub.address, head + chunks)
    assert answer is not None
    assert answer.status == 200


# ---- what is not HTTP, or more than once

REQUESTS: Mapping[str, tuple[bytes, int, str]] = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "BAD_REQUEST"),
    "a second protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "BAD_REQUEST"),
    "no method": (b"\x00\x00\x00 / HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"),
    "two lengths": (
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        400,
        "BAD_REQUEST",
    ),
    "a length and chunks": (
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "BAD_REQUEST",
    ),
    "a negative length": (
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}",
        400,
        "BAD_REQUEST",
    ),
    "a huge length": (
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n{}",
        400,
        "BAD_REQUEST",
    ),
    "a bad chunk": (
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
        "BAD_REQUEST",
    ),
    "an address of 70,000 characters": (
        b"GET /graphql?query=" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        414,
        "URI_TOO_LONG",
    ),
    "a header without an end": (
        b"GET /graphql HTTP/1.1\r\nX: " + b"a" * 400_000,
        431,
        "HEADERS_TOO_LARGE",
    ),
    "headers without an end": (
        b"GET /graphql HTTP/1.1\r\n" + b"X: a\r\n" * 60_000,
        431,
        "HEADERS_TOO_LARGE",
    ),
}


@pytest.mark.parametrize(("data", "status", "code"), REQUESTS.values(), ids=REQUESTS.keys())
def test_what_is_no_request_is_refused_and_hung_up_on(
    hub: ProvinceHub, unchanged: None, data: bytes, status: int, code: str
) -> None:
    with socket.create_connection(hub.address, 10) as connection:
        connection.sendall(data)
        answer = received(connection)
        decent(answer)
        assert answer is not None
        assert (answer.status, answer.codes) == (status, {code})
        assert hung_up(connection, 2) < 2


def of_size(hub: ProvinceHub, size: int, path: str = "/graphql") -> bytes:
    """A request for `path` whose line and headers have `size` bytes."""
    head = request("POST", path, [bearer(hub), JSON, ("X", "")], GOOD).removesuffix(GOOD)
    return head.replace(b"X: ", b"X: " + b"a" * (size - len(head))) + GOOD


def test_the_log_says_once_which_limit_a_request_exceeded(
    hub: ProvinceHub, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("uvicorn.error")
    # A server of another test in this process may have set it to say less.
    caplog.set_level(logging.WARNING, log.name)
    log.addHandler(caplog.handler)
    try:
        for data in (of_size(hub, 65_537), b"GET / HTTP/1.1\r\nX: " + b"a" * 400_000):
            caplog.clear()
            answer = sent(hub.address, data)
            assert answer is not None
            assert answer.status == 431
            assert {record.getMessage() for record in caplog.records} == {
                "refused: HEADERS_TOO_LARGE (at most 65536 bytes)"
            }
    finally:
        log.removeHandler(caplog.handler)


@pytest.mark.parametrize("path", ["/graphql", "/graphql?"], ids=["short way", "uvicorn's way"])
@pytest.mark.parametrize("pieces", [1, 7])
def test_line_and_headers_may_have_64_kib_and_not_one_byte_more(
    hub: ProvinceHub, path: str, pieces: int
) -> None:
    for size, expected in ((65_536, 200), (65_537, 431)):
        data = of_size(hub, size, path)
        with socket.create_connection(hub.address, 10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(data), length := -(-len(data) // pieces)):
                connection.sendall(data[at : at + length])
                time.sleep(0.02)
            answer = received(connection)
            assert answer is not None
            assert answer.status == expected
            if expected == 431:
                assert answer.codes == {"HEADERS_TOO_LARGE"}
                assert hung_up(connection, 2) < 2


def test_the_body_of_one_request_does_not_count_as_headers_of_the_next(hub: ProvinceHub) -> None:
    headers = [("Hub-Purpose", "ONGOING_SUPERVISION"), ("Hub-Matter", "M"), ("Hub-Case", "C")]
    body = b'{"query":"{ me { partnerClass } }"}'
    asking = [bearer(hub, "commerce"), JSON, *headers]
    first, second = (request("POST", "/graphql", asking, one) for one in (body.ljust(100_000), body))
    with socket.create_connection(hub.address, 10) as connection:
        connection.sendall(first * 8 + second[:-60])
        time.sleep(0.3)
        connection.sendall(second[-60:])
        incoming = Incoming(connection)
        for _ in range(9):
            answer = incoming.answer()
            assert answer is not None
            assert answer.status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer x"),
        ("Content-Type", "text/plain"),
        ("Hub-Purpose", "MERCHANT_ADMISSION"),
        ("Hub-Matter", "2"),
        ("Hub-Case", "2"),
        ("Hub-View-As", "public"),
    ],
)
def test_a_header_with_two_meanings_is_refused(
    hub: ProvinceHub, unchanged: None, name: str, value: str
) -> None:
    """Whoever stands between may have checked the one and the hub would read the other."""
    first = (
        ("Hub-Purpose", "MERCHANT_ADMISSION"),
        ("Hub-Matter", "1"),
        ("Hub-Case", "1"),
        ("Hub-View-As", "x"),
    )
    for second in (value, value.upper(), ""):
        answer = asked(hub, GOOD, *(one for one in first if one[0] == name), (name.lower(), second))
        assert (answer.status, answer.codes) == (400, {"BAD_REQUEST"})


# ---- who asks, and why

HEADERS: Mapping[str, tuple[tuple[str, bytes], int, str]] = {
    "an unknown purpose": (("Hub-Purpose", b"CURIOSITY"), 403, "PURPOSE_NOT_ALLOWED"),
    "a purpose of others": (("Hub-Purpose", b"JOINT_PUNISHMENT"), 403, "PURPOSE_NOT_ALLOWED"),
    "a purpose in lower case": (("Hub-Purpose", b"merchant_admission"), 403, "PURPOSE_NOT_ALLOWED"),
    "two purposes": (("Hub-Purpose", b"MERCHANT_ADMISSION,STATISTICS"), 403, "PURPOSE_NOT_ALLOWED"),
    "a purpose in Chinese": (("Hub-Purpose", "商户准入".encode()), 403, "PURPOSE_NOT_ALLOWED"),
    "a matter that is no UTF-8": (("Hub-Matter", b"\xff\xfe"), 400, "BAD_REQUEST"),
    "a matter in GB18030": (("Hub-Matter", "青商".encode("gb18030")), 400, "BAD_REQUEST"),
    "a case that is no UTF-8": (("Hub-Case", b"\xc3"), 400, "BAD_REQUEST"),
    "an empty matter": (("Hub-Matter", b""), 403, "MATTER_REQUIRED"),
    "a long matter": (("Hub-Matter", b"a" * 65), 403, "MATTER_REQUIRED"),
    "a person's number as a case": (("Hub-Case", b"AJ-630102199003074514"), 400, "BAD_REQUEST"),
    "a person's number as a matter": (("Hub-Matter", b"63010219900307 4514"), 400, "BAD_REQUEST"),
    "a long case": (("Hub-Case", "案".encode() * 65), 403, "MATTER_REQUIRED"),
    "a matter with a tab": (("Hub-Matter", b"a\tb"), 403, "MATTER_REQUIRED"),
    "a matter with a line separator": (("Hub-Matter", "a\u2028b".encode()), 403, "MATTER_REQUIRED"),
    "a matter with a control of C1": (("Hub-Matter", "a\u0085b".encode()), 403, "MATTER_REQUIRED"),
    "a matter that reads backwards": (("Hub-Matter", "a\u202eb".encode()), 403, "MATTER_REQUIRED"),
    "somebody else's eyes": (("Hub-View-As", b"commerce"), 403, "FORBIDDEN"),
    "its own eyes": (("Hub-View-As", b"mall"), 403, "FORBIDDEN"),
}


@pytest.mark.parametrize(("header", "status", "code"), HEADERS.values(), ids=HEADERS.keys())
def test_an_unusable_declaration_is_refused(
    hub: ProvinceHub, unchanged: None, header: tuple[str, bytes], status: int, code: str
) -> None:
    answer = asked(hub, GOOD, header)
    decent(answer)
    assert (answer.status, answer.codes) == (status, {code})


@pytest.mark.parametrize(
    ("view_as", "status", "code"),
    [
        (b"nobody", 403, "AGREEMENT_NOT_IN_FORCE"),
        (b"", 403, "AGREEMENT_NOT_IN_FORCE"),
        (b"../mall", 403, "AGREEMENT_NOT_IN_FORCE"),
        (b"\xff", 403, "AGREEMENT_NOT_IN_FORCE"),
        (b"mall/STATISTICS", 403, "PURPOSE_NOT_ALLOWED"),
        (b"mall/x", 403, "PURPOSE_NOT_ALLOWED"),
    ],
)
def test_an_auditor_can_look_through_eyes_that_exist_alone(
    hub: ProvinceHub, unchanged: None, view_as: bytes, status: int, code: str
) -> None:
    matter = (("Hub-Matter", "M"), ("Hub-Case", "C"))
    answer = asked(hub, GOOD, *matter, ("Hub-View-As", view_as), partner="auditor")
    assert (answer.status, answer.codes) == (status, {code})


@pytest.mark.parametrize(
    "authorization",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic bWFsbDp4",
        b"Bearer a.b.c",
        b"Bearer \xff",
        b"Bearer " + b"a" * 9000,
    ],
)
def test_a_request_without_a_usable_token_is_401(
    hub: ProvinceHub, unchanged: None, authorization: bytes
) -> None:
    head = [("Authorization", authorization), JSON]
    answer = sent(hub.address, request("POST", "/graphql", head, GOOD))
    decent(answer)
    assert answer is not None
    assert (answer.status, answer.codes) == (401, {"UNAUTHENTICATED"})


def test_a_partner_without_an_agreement_is_401_however_well_its_token_is_signed(
    hub: ProvinceHub, unchanged: None
) -> None:
    """Keys are those of the agreements: where there is none, nothing can be verified."""
    answer = asked(hub, GOOD, partner="nobody")
    decent(answer)
    assert (answer.status, answer.codes) == (401, {"UNAUTHENTICATED"})


@pytest.mark.alone
async def test_a_suspended_partner_is_out_within_a_second_on_a_connection_it_keeps(hub: ProvinceHub) -> None:
    with httpx.Client(trust_env=False, headers=hub.headers("chamber")) as client:

        def ask() -> httpx.Response:
            return client.post(hub.graphql, json={"query": "{ __typename }"})

        async def becomes(status: int) -> tuple[float, httpx.Response]:
            begun = time.monotonic()
            while (answer := ask()).status_code != status:
                assert time.monotonic() - begun < 5
            return time.monotonic() - begun, answer

        # One purpose is all that this partner has, so nothing else can refuse it.
        assert ask().status_code == 200, ask().text
        assert await suspend_agreement(hub.database.writer, "chamber", datetime.now(UTC), "test")
        seconds, answer = await becomes(401)
        assert seconds < 1
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        text = demo_agreements(demo_issuer(hub.settings.state_dir).key)["chamber"]
        now = datetime.now(UTC)
        await apply_agreements(hub.database.writer, [text], load_matrix(), now, "test", reinstate=True)
        seconds, _ = await becomes(200)
        assert seconds < 1


# ---- variables, identifiers, cursors, ids

REFUSED: Mapping[str, tuple[str, dict[str, Any], str]] = {
    **{
        f"the code {value!r:.24}": (CHECK, {"code": value}, "BAD_USER_INPUT")
        for value in (
            None, 1, 1.5, True, [], {}, [MERCHANT], {"code": MERCHANT}, "", " ", "\0", "9163", MERCHANT[:-1],
            MERCHANT[:-1] + "X", MERCHANT + "0", "00000000000000000X", "63010419900101123X", "I" * 18, "x" * 10_000,
            "'; DROP TABLE subject; --", "\u202e" + MERCHANT, "９" * 18, 2**63,
        )
    },
    **{
        f"an identifier {scheme} {value!r:.12}": (NAMED, {"s": scheme, "v": value}, "BAD_USER_INPUT")
        for scheme, value in (
            ("BUSINESS_REG_NO", "9" * 65), ("NAME", "青海"),
            ("uscc", MERCHANT), (None, MERCHANT), (1, MERCHANT), ("RESIDENT_ID", "9" * 65),
            # A code under another scheme is no answer of “nobody”: of taxpayers it is the number.
            ("TAXPAYER_ID", MERCHANT), ("TAXPAYER_ID", MERCHANT.lower()), ("ORG_CODE", MERCHANT),
            ("BUSINESS_REG_NO", MERCHANT), ("CUSTOMS_CODE", MERCHANT),
        )
    },
    **{
        f"a page of {size}": (PAGE, {"n": size}, code)
        for size, code in (
            (-1, "BAD_USER_INPUT"), (-(2**31), "BAD_USER_INPUT"), (101, "LIMIT_EXCEEDED"),
            (2**31 - 1, "LIMIT_EXCEEDED"), (2**31, "BAD_USER_INPUT"), (2**64, "BAD_USER_INPUT"), (1.5, "BAD_USER_INPUT"),
            ("2", "BAD_USER_INPUT"), (True, "BAD_USER_INPUT"),
        )
    },
    **{
        f"the filter {value!r:.30}": (FILTER, {"f": value}, "BAD_USER_INPUT")
        for value in (
            [], 1, "x", True, {"nothing": 1}, {"kinds": ["X"]}, {"kinds": [None]}, {"kinds": 5}, {"decidedFrom": 5},
            {"decidedFrom": "2026-13-01"}, {"decidedFrom": "2026-02-30"}, {"decidedFrom": "99999-01-01"},
            {"decidedFrom": "2026-1-1"}, {"decidedFrom": "2026-01-01\0"}, {"decidedFrom": "２０２６-01-01"},
        )
    },
    **{
        f"the moment {value!r:.30}": (ASOF, {"t": value}, "BAD_USER_INPUT")
        for value in (
            5, "x", "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z",
            "2026-01-01T24:00:00Z", "20260101T24+08",
            "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00Z" + " " * 40,
        )
    },
    **{
        f"the name {name!r:.12} in {region!r:.12}": (MATCH, {"n": name, "r": region}, "BAD_USER_INPUT")
        for name, region in (
            ("", None), (" ", None), ("青" * 201, None), (5, None), (None, None), ("\u202e", None),
            ("青海三江", "\0"), ("青海三江", "%"), ("青海三江", "6%"), ("青海三江", ""), ("青海三江", "6301030"), ("青海三江", 63),
        )
    },
    **{
        f"the codes {value!r:.24}": (BULK, {"c": value}, code)
        for value, code in (
            (None, "BAD_USER_INPUT"), ([None], "BAD_USER_INPUT"), ([[MERCHANT]], "BAD_USER_INPUT"), ([1], "BAD_USER_INPUT"),
            ({"a": MERCHANT}, "BAD_USER_INPUT"), ([MERCHANT, "x"], "BAD_USER_INPUT"), ([MERCHANT] * 501, "LIMIT_EXCEEDED"),
            (["x"] * 20_000, "LIMIT_EXCEEDED"),
        )
    },
    **{
        f"the coordinate {value!r:.20}": (EXPLAIN, {"c": value}, "BAD_USER_INPUT")
        for value in ("", "x", "\0", "Organization.", ".contact", "Query.__schema", "__Type.name", "A" * 10_000, "a.b.c", None, 1)
    },
    "an explanation about nobody": (EXPLAIN, {"c": "Organization.contact", "s": "91630000000000000X"}, "BAD_USER_INPUT"),
}  # fmt: skip


@pytest.mark.parametrize(("query", "variables", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_an_unusable_value_is_refused_with_its_code(
    hub: ProvinceHub, query: str, variables: dict[str, Any], code: str
) -> None:
    answer = as_commerce(hub, query, **variables)
    decent(answer)
    assert answer.codes == {code}, answer.body


@pytest.mark.parametrize(
    "written", ["MA75ABCD1", "ma75abcd1", "MA75ABCD-1", "ＭＡ７５ＡＢＣＤ－１", " MA75 ABCD1 "]
)
def test_a_code_is_found_as_it_is_written_on_papers(hub: ProvinceHub, written: str) -> None:
    """2.2: written MA75ABCD-1; 2.1: full width and blanks are usual. The store has codes without either."""
    answer = as_commerce(hub, NAMED, s="ORG_CODE", v=written)
    assert json.loads(answer.body)["data"] == {"subject": {"displayName": "青海三江源商贸有限公司"}}


@pytest.mark.parametrize(
    ("former", "today"), [("6321", "6302"), ("630122", "630106"), ("632124", "630106"), ("6301", "6301")]
)
def test_a_region_is_found_by_the_code_that_it_had_before(hub: ProvinceHub, former: str, today: str) -> None:
    """2.3: papers keep an old code for ever; of an area that was divided it is the one that contains all of it."""
    found, expected = (
        json.loads(as_commerce(hub, MATCH, n="有限公司", r=region).body)["data"]["matchSubjects"]
        for region in (former, today)
    )
    assert found == expected != []


def test_several_unusable_values_are_told_apart(hub: ProvinceHub) -> None:
    answer = as_commerce(hub, BULK, c=[MERCHANT, "x", MERCHANT, "y"])
    (said,) = (one["message"] for one in json.loads(answer.body)["errors"])
    first, second = said.split("; ")
    assert "at [1]" in first
    assert "at [3]" in second


async def test_no_unusable_value_changes_anything(hub: ProvinceHub, unchanged: None) -> None:
    for query, variables, _ in REFUSED.values():
        as_commerce(hub, query, **variables)


@pytest.mark.parametrize(
    "forged",
    [
        "", "x", "=", "AAAA", "\0", "é", "a" * 5000, "eA==",
        lambda cursor: cursor[:-4], lambda cursor: cursor[4:], lambda cursor: cursor + "A", lambda cursor: cursor + "\n",
        lambda cursor: " " + cursor, lambda cursor: cursor.swapcase(), lambda cursor: cursor[::-1],
        lambda cursor: cursor + "=", lambda cursor: cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:],
    ],
)  # fmt: skip
def test_a_forged_cursor_is_refused(hub: ProvinceHub, forged: str | Callable[[str], str]) -> None:
    first = json.loads(as_commerce(hub, PAGE, n=2).body)["data"]["records"]["edges"]
    cursor = first[0]["cursor"]
    following = as_commerce(hub, PAGE, n=1, a=cursor)
    assert json.loads(following.body)["data"]["records"]["edges"][0]["node"] == first[1]["node"]
    answer = as_commerce(hub, PAGE, n=1, a=forged if isinstance(forged, str) else forged(cursor))
    decent(answer)
    assert answer.codes == {"BAD_USER_INPUT"}


def test_a_cursor_of_another_caller_purpose_or_page_is_refused(hub: ProvinceHub) -> None:
    cursor = json.loads(as_commerce(hub, PAGE, n=1).body)["data"]["records"]["edges"][0]["cursor"]
    body = document(PAGE, n=1, a=cursor)
    matter = (("Hub-Matter", "M"), ("Hub-Case", "C"))
    for partner, purpose in (
        ("auditor", "AUDIT"),
        ("commerce", "CREDIT_REPAIR"),
        ("reform", "ONGOING_SUPERVISION"),
    ):
        answer = asked(hub, body, ("Hub-Purpose", purpose), *matter, partner=partner)
        assert answer.codes == {"BAD_USER_INPUT"}, (partner, answer.body)
    elsewhere = "query Q($a: String) { listEntries(first: 1, after: $a) { edges { cursor } } }"
    assert as_commerce(hub, elsewhere, a=cursor).codes == {"BAD_USER_INPUT"}
    narrower = "query Q($a: String) { records(filter: {kinds: [PENALTY]}, first: 1, after: $a) { edges { cursor } } }"
    assert as_commerce(hub, narrower, a=cursor).codes == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("filter_", ["$f", "{kinds: $k}", "{kinds: [$one]}", "{kinds: $k, decidedFrom: $d}"])
def test_a_cursor_of_another_filter_is_refused_wherever_its_values_stand(
    hub: ProvinceHub, filter_: str
) -> None:
    declared = {"$f": "RecordFilter", "$k": "[RecordKind!]", "$one": "RecordKind!", "$d": "Date"}
    named = ", ".join(f"{name}: {kind}" for name, kind in declared.items() if name in filter_)
    page = f"query Q({named}, $a: String) {{ records(filter: {filter_}, first: 1, after: $a) {{ edges {{ cursor }} }} }}"

    def of(kind: str, day: str = "2000-01-01", after: str | None = None) -> Answer:
        given = {"f": {"kinds": [kind]}, "k": [kind], "one": kind, "d": day}
        return as_commerce(
            hub, page, a=after, **{name: one for name, one in given.items() if f"${name}" in named}
        )

    cursor = json.loads(of("PENALTY").body)["data"]["records"]["edges"][0]["cursor"]
    assert json.loads(of("PENALTY", after=cursor).body)["data"]["records"]["edges"]
    assert of("LICENSE", after=cursor).codes == {"BAD_USER_INPUT"}
    if "$d" in named:
        assert of("PENALTY", "2000-01-02", cursor).codes == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(
    "node", ["", "x", "r", "r" + "0" * 31, "r" + "0" * 32, "r" + "g" * 32, "R" + "0" * 32, "\0", "z" + "0" * 32, "r" + "0" * 33,
             "r" + "٠" * 32, "' OR 1=1 --"],
)  # fmt: skip
def test_an_id_that_names_nothing_gives_null_whatever_it_looks_like(hub: ProvinceHub, node: str) -> None:
    """Malformed, unknown and hidden are the same, or ids could be tried out."""
    answer = as_commerce(hub, "query Q($i: ID!) { node(id: $i) { id } }", i=node)
    assert json.loads(answer.body)["data"] == {"node": None}


# ---- slow and half-open


@pytest.fixture(scope="module")
async def hasty(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    sandboxes: Mapping[str, str],
) -> AsyncIterator[ProvinceHub]:
    """A hub that waits one second for a request."""
    options = {"HUB_REQUEST_TIMEOUT": "1"}
    name = database_names()
    async with province_hub(postgres, province_store, name, state_dir, sandboxes, **options) as found:
        yield found


@contextmanager
def connections(hub: ProvinceHub, count: int) -> Iterator[list[socket.socket]]:
    """Open connections that have said nothing yet."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(hub.address, 5)) for _ in range(count)]


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /graphql HTTP/1.1\r\nHost: x\r\n",
        request("POST", "/graphql", [JSON, ("Content-Length", "10")], None),
        request("POST", "/graphql", [JSON, ("Content-Length", "10")], None) + b'{"q',
        request("POST", "/graphql", [JSON, ("Transfer-Encoding", "chunked")], None) + b"5\r\n{",
    ],
    ids=["in the headers", "before the body", "in the body", "in a chunk"],
)
@pytest.mark.alone
def test_a_request_that_stops_is_answered_408_and_hung_up_on(hasty: ProvinceHub, begun: bytes) -> None:
    with socket.create_connection(hasty.address, 5) as connection:
        started = time.monotonic()
        connection.sendall(begun)
        answer = received(connection)
        assert answer is not None
        assert (answer.status, answer.codes) == (408, {"REQUEST_TIMEOUT"})
        assert hung_up(connection, 2) < 1
        assert 0.9 < time.monotonic() - started < 2


@pytest.mark.alone
def test_one_byte_in_a_while_does_not_keep_a_request_alive(hasty: ProvinceHub) -> None:
    head = request("POST", "/graphql", [JSON, ("Content-Length", "1000")], None)
    for begun in (b"GET / HTTP/1.1\r\nX: ", head):
        with socket.create_connection(hasty.address, 5) as connection:
            connection.sendall(begun)
            assert cut_off(connection, b"a", 0.05, within=5) < 2


def test_a_connection_that_says_nothing_or_half_closes_is_hung_up_on(hasty: ProvinceHub) -> None:
    with connections(hasty, 3) as (silent, half, closed):
        half.sendall(b"POST /graphql HTTP/1.1\r\n")
        half.shutdown(socket.SHUT_WR)
        closed.shutdown(socket.SHUT_WR)
        assert hung_up(half, 2) < 2
        assert hung_up(closed, 2) < 2
        assert hung_up(silent, 2) < 2


def test_a_slow_second_request_does_not_disturb_the_answer_to_the_first(hasty: ProvinceHub) -> None:
    whole = request("POST", "/graphql", [bearer(hasty), JSON], GOOD)
    with socket.create_connection(hasty.address, 5) as connection:
        connection.sendall(whole + whole[:30])
        incoming = Incoming(connection)
        first, second = incoming.answer(), incoming.answer()
        assert first is not None
        assert second is not None
        assert (first.status, second.status) == (200, 408)


def test_pipelined_requests_are_answered_in_their_order(hub: ProvinceHub) -> None:
    bodies = [document("{ __typename }"), b"null", document(CHECK, code=MERCHANT), b"[]"]
    with socket.create_connection(hub.address, 5) as connection:
        connection.sendall(b"".join(request("POST", "/graphql", [bearer(hub), JSON], one) for one in bodies))
        incoming = Incoming(connection)
        answers = [incoming.answer() for _ in bodies]
    assert [one and one.status for one in answers] == [200, 400, 200, 400]


@pytest.mark.alone
def test_an_answer_that_nobody_takes_is_given_up(hasty: ProvinceHub) -> None:
    """Whoever asks much and reads nothing would fill the memory of the hub."""
    schema = document("{ __schema { types { name description fields { name description } } } }")
    asking = request("POST", "/graphql", [bearer(hasty), JSON], schema)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(5)
    with connection:
        connection.connect(hasty.address)
        assert cut_off(connection, asking, 0.002, within=8) < 6


@pytest.mark.alone
def test_500_slow_connections_cost_little_and_others_nothing(hasty: ProvinceHub) -> None:
    """Hub and connections live in this one process: both ends together stay below the bound."""

    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    hasty.check()
    before = resident()
    stop = threading.Event()
    with connections(hasty, 500) as slow:
        started = time.monotonic()
        for number, connection in enumerate(slow):
            connection.sendall(b"POST /graphql HTTP/1.1\r\nX: "[: number % 27])
        with httpx.Client(trust_env=False, headers=hasty.headers("mall")) as client:
            taken: list[float] = []
            while time.monotonic() - started < 1.5:
                begun = time.monotonic()
                answer = client.post(
                    hasty.graphql, content=GOOD, headers={"content-type": "application/json"}
                )
                assert answer.status_code == 200
                taken.append(time.monotonic() - begun)
        assert resident() - before < 20 * 2**20
        stop.set()
        for connection in slow:
            hung_up(connection, 2)
        assert time.monotonic() - started < 15
    assert len(taken) > 20
    # One may have had to wait for something else on this machine.
    assert sorted(taken)[-2] < 0.5


# ---- fuzz

FUZZ = settings(
    max_examples=250,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WORDS = st.sampled_from(
    ["query", "variables", "operationName", "extensions", CHECK, "{__typename}", MERCHANT, "code", "\0", "\ud800", "é", "{"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = [
    CHECK, NAMED, PAGE, FILTER, ASOF, MATCH, BULK, EXPLAIN,
    "{ me { partner } sources { source } creditLists { name } }",
    "fragment F on Organization { grades { scheme } } query Q($c: [USCC!]!) { subjects(codes: $c) { ...F } }",
]  # fmt: skip


@pytest.fixture(scope="module")
def line(hub: ProvinceHub) -> Iterator[httpx.Client]:
    """A connection that is kept over many requests."""
    with httpx.Client(trust_env=False, timeout=10, base_url=hub.url) as client:
        yield client


def answered(answer: httpx.Response) -> None:
    """Check what came over a kept connection."""
    decent(Answer(answer.status_code, dict(answer.headers), answer.content), data=True)


@FUZZ
@given(body=st.binary(max_size=200), prefix=st.sampled_from([b"", b"{", b'{"query":', GOOD[:40]]))
def test_any_bytes_for_a_body_are_answered_decently(
    hub: ProvinceHub, line: httpx.Client, body: bytes, prefix: bytes
) -> None:
    headers = {**hub.headers("mall"), "content-type": "application/json"}
    answered(line.post("/graphql", content=prefix + body, headers=headers))


@FUZZ
@given(
    given=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("query", "operationName", "variables", "extensions", "id"), VALUES)
    )
    | VALUES
)
def test_any_json_for_a_body_is_answered_decently(
    hub: ProvinceHub, line: httpx.Client, given: object
) -> None:
    headers = {**hub.headers("mall"), "content-type": "application/json"}
    answered(line.post("/graphql", content=json.dumps(given).encode(), headers=headers))


@FUZZ
@given(
    query=st.sampled_from(DOCUMENTS),
    variables=st.dictionaries(st.sampled_from([*"abcfinrstv", "code"]), VALUES, max_size=4),
)
def test_any_variables_are_answered_decently(
    hub: ProvinceHub, line: httpx.Client, query: str, variables: dict[str, object]
) -> None:
    headers = {
        **hub.headers("commerce", "ONGOING_SUPERVISION", Hub_Matter="M"),
        "content-type": "application/json",
    }
    body = json.dumps({"query": query, "variables": variables}).encode()
    answered(line.post("/graphql", content=body, headers=headers))


@FUZZ
@given(
    query=st.sampled_from(DOCUMENTS),
    cuts=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 6), st.text(max_size=6) | WORDS), max_size=4),
)
@example(query='{ a: subject(value: "\\u0000") { displayName } }', cuts=[])
@example(query='query Q { subject(value: """""") { displayName } }', cuts=[])
def test_any_edit_of_a_document_is_answered_decently(
    hub: ProvinceHub, line: httpx.Client, query: str, cuts: list[tuple[int, int, str]]
) -> None:
    for at, length, text in cuts:
        query = query[:at] + text + query[at + length :]
    headers = {
        **hub.headers("commerce", "ONGOING_SUPERVISION", Hub_Matter="M"),
        "content-type": "application/json",
    }
    body = json.dumps({"query": query, "variables": {"code": MERCHANT}}).encode()
    answered(line.post("/graphql", content=body, headers=headers))


@FUZZ
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                ["accept", "content-type", "authorization", "hub-purpose", "hub-matter", "hub-case", "hub-view-as", "expect"]
            ),
            st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n\0")),
        ),
        max_size=4,
    ),
    known=st.booleans(),
)  # fmt: skip
def test_any_headers_are_answered_decently(
    hub: ProvinceHub, headers: list[tuple[str, bytes]], known: bool
) -> None:
    who = [bearer(hub), JSON] if known else []
    decent(sent(hub.address, request("POST", "/graphql", [*who, *headers], GOOD)), data=True)


@FUZZ
@given(
    query_string=st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=80
    )
)
@example(query_string="query=%7B__typename%7D&variables=%00")
@example(query_string="query=%7B__typename%7D&variables=" + "%5B" * 3000)
def test_any_query_string_is_answered_decently(hub: ProvinceHub, query_string: str) -> None:
    asking = request("GET", f"/graphql?{query_string}", [bearer(hub)], None)
    decent(sent(hub.address, asking), data=True)


@FUZZ
@given(data=st.binary(min_size=1, max_size=300), at=st.integers(0, 200), length=st.integers(0, 20))
def test_any_edit_of_the_bytes_of_a_request_is_answered_decently_or_hung_up_on(
    hasty: ProvinceHub, data: bytes, at: int, length: int
) -> None:
    whole = request("POST", "/graphql", [bearer(hasty), JSON], GOOD)
    with socket.create_connection(hasty.address, 5) as connection:
        connection.sendall(whole[:at] + data[:40] + whole[at + length :])
        # Says that nothing more comes, so that what stays unfinished ends at once.
        connection.shutdown(socket.SHUT_WR)
        answer = received(connection)
    if answer is not None and answer.status not in (404, 405):
        assert answer.status != 500
        assert not INSIDE.search(answer.body)
