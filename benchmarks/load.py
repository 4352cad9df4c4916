"""The load: keeps some connections busy with rendered requests and notes how long each answer takes.

Runs in a process of its own, with nothing but sockets and epoll, so that it costs a fraction of the servers.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

READ_BYTES = 1 << 18
# How much of a stretch goes before it, uncounted: all connections ask at once at first.
_START = 0.2


def rendered(body: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST of `body` to /graphql over a connection that stays open."""
    lines = [
        "POST /graphql HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    """One connection with one request on its way at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parts: list[bytes] = []
        self.missing = 0
        self.sent = 0.0

    def take(self) -> bytes | None:
        """The whole answer, or None while some of it is missing."""
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.parts.append(data)
        if self.missing == 0:
            whole = b"".join(self.parts)
            end = whole.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = whole[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at:].split(b"\r", 1)[0])
            self.missing = end + 4 + length - len(whole)
        else:
            self.missing -= len(data)
        if self.missing > 0:
            return None
        answer = b"".join(self.parts)
        self.parts.clear()
        self.missing = 0
        return answer


def drive(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, start: int
) -> dict[str, Any]:
    """Send `requests` in turn over `connections`; count answers, errors, and note the latencies.

    Rate and latencies are those of `seconds` behind the start: of what is under way at the end nothing is counted, so neither may
    be the time in which nothing can have come back yet. It would weigh on a slow server more than on a quick one.
    """
    poll = select.epoll()
    following = cycle([*requests[start % len(requests) :], *requests[: start % len(requests)]])
    by_number: dict[int, _Connection] = {}
    clock = time.perf_counter
    for _ in range(connections):
        connection = _Connection(port)
        by_number[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    latencies: list[float] = []
    answers = errors = 0
    begun = clock() + _START * seconds
    end = begun + seconds
    for connection in by_number.values():
        connection.sent = clock()
        connection.socket.sendall(next(following))
    while (now := clock()) < end:
        for number, _ in poll.poll(1.0):
            connection = by_number[number]
            answer = connection.take()
            if answer is None:
                continue
            now = clock()
            answers += 1
            if now >= begun:
                latencies.append(now - connection.sent)
            if not answer.startswith(b"HTTP/1.1 200") or b'"errors":' in answer or b'"data":' not in answer:
                errors += 1
            connection.sent = now
            connection.socket.sendall(next(following))
    took = clock() - begun
    for connection in by_number.values():
        connection.socket.close()
    latencies.sort()
    count = len(latencies)
    return {
        "answers": answers,
        "errors": errors,
        "seconds": took,
        "rate": count / took,
        "p50": latencies[count // 2] if count else 0.0,
        "p99": latencies[count * 99 // 100] if count else 0.0,
        "cpu": time.process_time(),
    }


def main() -> None:
    """Drive as the JSON of the first argument says, and print what was measured as JSON."""
    given = json.loads(sys.argv[1])
    if given["cpus"]:
        os.sched_setaffinity(0, given["cpus"])
    with open(given["requests"], "rb") as file:
        requests = pickle.load(file)
    print(json.dumps(drive(given["port"], requests, given["connections"], given["seconds"], given["start"])))


if __name__ == "__main__":
    main()
