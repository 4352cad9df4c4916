"""HTTP by hand, for requests that no client library would send."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An answer, as far as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def codes(self) -> set[str]:
        """The codes of its errors."""
        return {one["extensions"]["code"] for one in json.loads(self.body)["errors"]}


def request(
    method: str, path: str, headers: Iterable[tuple[str, bytes | str]] = (), body: bytes | None = b""
) -> bytes:
    """The bytes of a request; with `body` None it says nothing of a length."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: hub"]
    lines += [
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in headers
    ]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


class Incoming:
    """What comes back over a connection, answer by answer."""

    def __init__(self, connection: socket.socket) -> None:
        """Nothing is read before it is asked for."""
        self._connection = connection
        self._rest = b""

    def _more(self) -> bool:
        try:
            data = self._connection.recv(65536)
        except ConnectionResetError:
            data = b""
        self._rest += data
        return bool(data)

    def answer(self) -> Answer | None:
        """The next answer; None when the other side hung up before it began."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        code = int(status.split()[1])
        if code == 100:
            return self.answer()
        length = int(headers.get("content-length", "0"))
        while len(self._rest) < length and self._more():
            pass
        body, self._rest = self._rest[:length], self._rest[length:]
        return Answer(code, headers, body)


def received(connection: socket.socket) -> Answer | None:
    """The one answer on the connection; None when the other side hung up before it began."""
    return Incoming(connection).answer()


def sent(address: tuple[str, int], data: bytes, timeout: float = 10) -> Answer | None:
    """Send `data` over a connection of its own; the answer to it."""
    with socket.create_connection(address, timeout) as connection:
        # When it is cut off while sending, what was answered before that still counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        return received(connection)


def cut_off(connection: socket.socket, data: bytes, pause: float, within: float) -> float:
    """Send `data` again and again; seconds until the other side hangs up. AssertionError when it does not."""
    begun = time.monotonic()
    with suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() - begun < within:
            connection.sendall(data)
            time.sleep(pause)
        raise AssertionError(f"still open after {within} s")
    return time.monotonic() - begun


def hung_up(connection: socket.socket, within: float) -> float:
    """Seconds until the other side hangs up. AssertionError when it does not within that many."""
    begun = time.monotonic()
    connection.settimeout(within)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        raise AssertionError(f"still open after {within} s") from None
    except ConnectionResetError:
        pass
    return time.monotonic() - begun


def document(query: str, **variables: Any) -> bytes:
    """The body of a GraphQL request."""
    return json.dumps({"query": query, "variables": variables}).encode()
