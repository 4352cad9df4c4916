"""The short way of requests through the HTTP server, against the ASGI way: what is answered is the same."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.serving.gateway import Gateway
from tests.hub_server import CHECK, MERCHANT, ProvinceHub
from tests.raw_http import Answer, Incoming, cut_off, document, received, request, sent

GOOD = document(CHECK, code=MERCHANT)
JSON = ("Content-Type", "application/json")
# More than the server reads at a time, and than uvicorn takes of a body before it asks the application.
LONG = b" " * 100_000 + GOOD


def bearer(hub: ProvinceHub, partner: str = "mall") -> tuple[str, str]:
    """The header of a partner's token."""
    return ("Authorization", f"Bearer {hub.token(partner)}")


def in_chunks(headers: list[tuple[str, bytes | str]], body: bytes) -> bytes:
    """The same request without a length, which goes the ASGI way."""
    head = request("POST", "/graphql", [*headers, ("Transfer-Encoding", "chunked")], None)
    return head + (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"


def told(answer: Answer | None) -> tuple[int, Mapping[str, str], Any]:
    """What two answers to the same request must have in common."""
    assert answer is not None
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    body = json.loads(answer.body)
    body.get("extensions", {}).pop("requestId", None)
    return answer.status, headers, body


def both(hub: ProvinceHub, headers: list[tuple[str, bytes | str]], body: bytes) -> tuple[Any, Any]:
    """What is answered the short way and the ASGI way."""
    short = sent(hub.address, request("POST", "/graphql", headers, body))
    return told(short), told(sent(hub.address, in_chunks(headers, body)))


ALIKE: Mapping[str, tuple[list[tuple[str, bytes | str]], bytes]] = {
    "an answer": ([JSON], GOOD),
    "the other media type": ([JSON, ("Accept", "application/graphql-response+json")], GOOD),
    "an unacceptable media type": ([JSON, ("Accept", "text/html")], GOOD),
    "a body of another kind": ([("Content-Type", "text/plain")], GOOD),
    "a long body": ([JSON], LONG),
    "no body": ([JSON], b""),
    "no JSON": ([JSON], b"{"),
    "a document that does not validate": ([JSON], document("{ nothing }")),
    "a purpose that is not granted": ([JSON, ("Hub-Purpose", "TAXATION")], GOOD),
    "a purpose given twice": ([JSON, ("Hub-Purpose", "A"), ("Hub-Purpose", "B")], GOOD),
    "the last request of a connection": ([JSON, ("Connection", "close")], GOOD),
}


@pytest.mark.parametrize(("headers", "body"), ALIKE.values(), ids=ALIKE.keys())
def test_both_ways_answer_alike(
    hub: ProvinceHub, headers: list[tuple[str, bytes | str]], body: bytes
) -> None:
    for who in ([bearer(hub)], []):
        short, long = both(hub, [*who, *headers], body)
        assert short == long


@settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.binary(max_size=60) | st.sampled_from([GOOD, LONG]),
    name=st.sampled_from(["Accept", "Content-Type", "Hub-Purpose", "Hub-Matter", "Hub-Case", "Hub-View-As"]),
    value=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20),
)
def test_both_ways_answer_anything_alike(hub: ProvinceHub, body: bytes, name: str, value: str) -> None:
    short, long = both(hub, [bearer(hub), JSON, (name, value.encode("latin-1"))], body)
    assert short == long


def test_a_request_whose_length_is_told_goes_the_short_way(
    hub: ProvinceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*_: object) -> None:
        raise AssertionError("went the ASGI way")

    monkeypatch.setattr(Gateway, "__call__", closed)
    headers: list[tuple[str, bytes | str]] = [bearer(hub), JSON]
    assert told(sent(hub.address, request("POST", "/graphql", headers, GOOD)))[0] == 200
    assert told(sent(hub.address, request("POST", "/graphql", headers, LONG)))[0] == 200
    other = sent(hub.address, in_chunks(headers, GOOD))
    assert other is not None
    assert other.status == 500


def test_a_request_that_nothing_can_answer_is_hung_up_on(
    hub: ProvinceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(Gateway, "reply", broken)
    assert sent(hub.address, request("POST", "/graphql", [bearer(hub), JSON], GOOD), timeout=5) is None


def test_a_body_that_arrives_byte_by_byte_is_whole_at_its_end(hub: ProvinceHub) -> None:
    with socket.create_connection(hub.address, 5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("POST", "/graphql", [bearer(hub), JSON], GOOD):
            connection.sendall(bytes([byte]))
        assert told(received(connection))[0] == 200


def test_who_asks_to_go_on_is_told_to(hub: ProvinceHub) -> None:
    """Expect: 100-continue goes the ASGI way, where uvicorn answers it."""
    with socket.create_connection(hub.address, 5) as connection:
        whole = request("POST", "/graphql", [bearer(hub), JSON, ("Expect", "100-continue")], GOOD)
        connection.sendall(whole[: -len(GOOD)])
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(GOOD)
        assert told(received(connection))[0] == 200


def test_a_connection_is_kept_over_both_ways_and_closed_when_asked(hub: ProvinceHub) -> None:
    headers: list[tuple[str, bytes | str]] = [bearer(hub), JSON]
    last = request("POST", "/graphql", [*headers, ("Connection", "close")], GOOD)
    with socket.create_connection(hub.address, 5) as connection:
        incoming = Incoming(connection)
        for one in (request("POST", "/graphql", headers, GOOD), in_chunks(headers, GOOD)) * 2:
            connection.sendall(one)
            assert told(incoming.answer())[0] == 200
        connection.sendall(last)
        assert told(incoming.answer())[1]["connection"] == "close"
        assert incoming.answer() is None


def with_trailers(headers: list[tuple[str, bytes | str]], *trailers: bytes) -> bytes:
    """A request in chunks, and fields after its body."""
    return in_chunks(headers, GOOD)[:-2] + b"".join(b"%b\r\n" % one for one in trailers) + b"\r\n"


def test_what_follows_the_body_is_no_header_in_however_many_packets_it_comes(hub: ProvinceHub) -> None:
    name, value = bearer(hub)
    token = f"{name}: {value}".encode()
    assert told(sent(hub.address, with_trailers([JSON], token)))[0] == 401
    harmless = with_trailers([JSON, bearer(hub)], token, b"Hub-Purpose: AUDIT", b"Hub-View-As: customs")
    with socket.create_connection(hub.address, 5) as connection:
        connection.sendall(harmless + request("POST", "/graphql", [JSON, bearer(hub)], GOOD))
        incoming = Incoming(connection)
        assert [told(incoming.answer())[0] for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("begun", "more"),
    [(b"0\r\n", b"a: b\r\n" * 1000), (b"0\r\na: ", b"x" * 10_000), (b"1;a=", b"x" * 10_000)],
    ids=["many trailers", "a long trailer", "a long extension"],
)
def test_what_is_neither_header_nor_body_is_bounded(hub: ProvinceHub, begun: bytes, more: bytes) -> None:
    head = request("POST", "/graphql", [JSON, ("Transfer-Encoding", "chunked")], None)
    with socket.create_connection(hub.address, 5) as connection:
        connection.sendall(head + begun)
        # Cut off long before the time is up in which a request must arrive.
        assert cut_off(connection, more, 0.002, 5) < 5


def test_blanks_after_a_value_are_not_part_of_it(hub: ProvinceHub) -> None:
    name, value = bearer(hub)
    headers = [JSON, (name, f"{value} "), ("Hub-Purpose", "MERCHANT_ADMISSION \t"), ("Hub-Matter", " \t")]
    short, chunked = both(hub, headers, GOOD)
    assert (short[0], chunked[0]) == (403, 403)
    short, chunked = both(hub, headers[:3], GOOD)
    assert (short[0], chunked[0]) == (200, 200)


@pytest.mark.parametrize("cut", [None, 40, -10], ids=["whole", "in its headers", "in its body"])
def test_who_would_rather_speak_another_protocol_is_answered_in_http(
    hub: ProvinceHub, cut: int | None
) -> None:
    """As Java's and other clients ask of each server without TLS (RFC 9110, 7.8)."""
    wish = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAEAAEAA")]
    asked = [
        request("POST", "/graphql", [JSON, bearer(hub), *wish], GOOD),
        in_chunks([JSON, bearer(hub), *wish], GOOD),
        request("GET", "/healthz", wish, None),
        request("POST", "/graphql", [JSON, bearer(hub), ("Connection", "close, Upgrade"), wish[1]], GOOD),
    ]
    with socket.create_connection(hub.address, 5) as connection:
        incoming = Incoming(connection)
        if cut is None:
            # More of them in one piece than Python calls may be nested.
            connection.sendall(asked[2] * 1200 + b"".join(asked))
            assert {answer and answer.status for answer in (incoming.answer() for _ in range(1200))} == {200}
        answers = []
        for one in asked:
            if cut is not None:
                connection.sendall(one[:cut])
                time.sleep(0.02)
                connection.sendall(one[cut:])
            answers.append(incoming.answer())
        assert [answer and answer.status for answer in answers] == [200, 200, 200, 200]
        assert b"displayName" in answers[0].body
        assert incoming.answer() is None


def test_both_ways_mixed_in_one_piece_are_answered_in_their_order(hub: ProvinceHub) -> None:
    headers: list[tuple[str, bytes | str]] = [bearer(hub), JSON]
    good, bad = request("POST", "/graphql", headers, GOOD), request("POST", "/graphql", headers, b"null")
    with socket.create_connection(hub.address, 5) as connection:
        connection.sendall(
            good
            + in_chunks(headers, b"[]")
            + bad
            + good
            + in_chunks(headers, GOOD)
            + request("GET", "/healthz")
        )
        incoming = Incoming(connection)
        answers = [incoming.answer() for _ in range(6)]
    assert [one and one.status for one in answers] == [200, 400, 400, 200, 200, 200]


async def test_whoever_leaves_before_the_answer_harms_nobody(hub: ProvinceHub) -> None:
    for number in range(50):
        with socket.create_connection(hub.address, 5) as connection:
            connection.sendall(request("POST", "/graphql", [bearer(hub), JSON], GOOD) * (1 + number % 3))
            if number % 2:
                await asyncio.sleep(0.002)
    assert told(sent(hub.address, request("POST", "/graphql", [bearer(hub), JSON], GOOD)))[0] == 200
