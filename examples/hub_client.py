"""Asks a running demo hub (`make demo`) in GraphQL, with Python's standard library alone: what the other examples share."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
URL = os.environ.get("HUB_URL", f"http://127.0.0.1:{os.environ.get('HUB_PORT', '8000')}/graphql")
# Something of everything; on the serious dishonesty list; an individual business.
FIRM, LISTED, SHOP = "91630103MA75ABCD1M", "91632801MA7D3E5F01", "92630104MA758WQ780"


class Refused(Exception):
    """The hub refused a request; `code` and `reason` as it said them."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        said = error.get("extensions", {})
        self.code, self.reason = said.get("code"), said.get("reason")
        super().__init__(f"{self.code}: {error['message']}" + (f" ({self.reason})" if self.reason else ""))


@dataclass(frozen=True)
class Desk:
    """An officer of a partner who asks for one purpose, on one matter and case."""

    partner: str
    purpose: str | None = None
    matter: str | None = None
    case: str | None = None
    officer: str | None = None

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of the answer. Raises Refused."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._token()}",
            "Hub-Purpose": self.purpose,
            "Hub-Matter": self.matter,
            "Hub-Case": self.case,
        }
        request = urllib.request.Request(
            URL,
            json.dumps({"query": query, "variables": variables}).encode(),
            {name: value for name, value in headers.items() if value is not None},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Answers())
        try:
            with opener.open(request, timeout=30) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.URLError as error:
            raise SystemExit(
                f"No hub at {URL}: {error.reason}. `make demo` starts one; HUB_PORT names its port."
            ) from None
        if answer.get("errors"):
            raise Refused(answer["errors"][0])
        data: dict[str, Any] = answer["data"]
        return data

    def refused(self, query: str, **variables: Any) -> str:
        """The reason of a refusal, or its code, where one must come."""
        try:
            data = self.ask(query, **variables)
        except Refused as error:
            return str(error.reason or error.code)
        raise SystemExit(f"This should have been refused: {data}")

    def _token(self) -> str:
        return _token_of(self.partner, self.officer)


@cache
def _token_of(partner: str, officer: str | None) -> str:
    """A token of a demo partner; good for an hour, so each is made once."""
    command = [str(Path(sys.executable).parent / "credithub"), "token", "--partner", partner]
    if officer is not None:
        command += ["--officer", officer]
    made: subprocess.CompletedProcess[str] = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "HUB_DEMO": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


class _Answers(urllib.request.HTTPErrorProcessor):
    """An answer is an answer, whatever its status: the body says what is wrong."""

    def http_response(self, request: Any, response: Any) -> Any:
        """The response as it came."""
        return response

    def https_response(self, request: Any, response: Any) -> Any:
        """The response as it came."""
        return response


def fresh(prefix: str) -> str:
    """A number for a document that no earlier run of an example has used."""
    return f"{prefix}〔演示〕{secrets.randbelow(10**8):08}号"


def this_day() -> date:
    """The day in Qinghai, whatever day it is where this runs."""
    return datetime.now(timezone(timedelta(hours=8))).date()


def today(after: int = 0) -> str:
    """The day in Qinghai, or so many days after it, as GraphQL writes days."""
    return str(this_day() + timedelta(days=after))


def until(ask: Callable[[], Any], holds: Callable[[Any], bool], seconds: float = 120) -> Any:
    """Ask every second until the answer is as it must become; what the worker does takes a while."""
    end = time.monotonic() + seconds
    while not holds(found := ask()):
        if time.monotonic() > end:
            raise SystemExit(f"This did not come about within {seconds:.0f} s; does a worker run? {found}")
        time.sleep(1)
    return found


def say(title: str, value: Any) -> None:
    """Print what came, for a person to read."""
    print(f"\n== {title}\n{json.dumps(value, ensure_ascii=False, indent=2)}", flush=True)
