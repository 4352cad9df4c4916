"""A hub that asks customs over a wire that can break."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.rights.agreement import today_in
from hub.sandbox.run import province_in
from hub.sandbox.server import Fault
from hub.store.embedded import EmbeddedPostgres
from tests.faulty_wire import FaultyWire
from tests.hub_server import SUBJECTS, ProvinceHub, province_hub

DOSSIER = """
query Dossier($code: String!) {
  subject(value: $code) {
    displayName
    ... on Organization { grades { scheme gradeLabel } }
  }
}
"""
# What a client may wait beyond the hub's own bounds: those of a statement, and of waiting for a connection.
GRACE = 0.5


@dataclass
class Stand:
    """A hub that asks customs over a wire that can break."""

    hub: ProvinceHub
    wire: FaultyWire
    platform: str
    # Subjects that customs knows, each to be asked about once: what was asked before may be remembered.
    traders: Iterator[str]

    @asynccontextmanager
    async def fault(self, fault: Fault) -> AsyncIterator[None]:
        """Break the wire, or customs itself, for the duration of the block."""
        behind = fault in (Fault.ERROR, Fault.GARBAGE, Fault.LIES, Fault.SIGNATURE)
        if behind:
            await self._customs(fault)
        else:
            self.wire.fault = fault
        try:
            yield
        finally:
            self.wire.fault = Fault.NONE
            await self._customs(Fault.NONE)

    async def _customs(self, fault: Fault) -> None:
        async with httpx.AsyncClient(trust_env=False) as line:
            await line.put(f"{self.platform}/sandbox/fault", content=str(fault))

    async def ask(
        self, code: str, query: str = DOSSIER, partner: str = "customs", purpose: str = "ONGOING_SUPERVISION"
    ) -> tuple[float, dict[str, Any]]:
        """Ask as a partner; seconds and the answer."""
        headers = self.hub.headers(partner, purpose, Hub_Matter="M", Hub_Case="C")
        async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=10) as line:
            begun = time.monotonic()
            answer = await line.post(self.hub.graphql, json={"query": query, "variables": {"code": code}})
            assert answer.status_code == 200, answer.text
            return time.monotonic() - begun, answer.json()


@pytest.fixture(scope="module")
def traders(state_dir: Path, province_store: str) -> list[str]:
    """Organizations of which customs has levels now."""
    today = today_in(datetime.now(UTC))
    return [
        subject.code
        for subject in province_in(state_dir, SUBJECTS, today)
        if subject.customs is not None and any(level.ended_on is None for level in subject.customs.levels)
    ]


@pytest.fixture
async def stand(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    sandboxes: Mapping[str, str],
    traders: list[str],
    options: dict[str, str],
) -> AsyncIterator[Stand]:
    """A hub whose customs can be broken; `options` are settings that differ."""
    platform = sandboxes["HUB_CUSTOMS_URL"]
    host, _, port = platform.removeprefix("http://").partition(":")
    wire = FaultyWire(host, int(port))
    async with wire.open() as (at, number):
        sources = {**sandboxes, "HUB_CUSTOMS_URL": f"http://{at}:{number}"}
        name = database_names()
        async with province_hub(postgres, province_store, name, state_dir, sources, **options) as hub:
            yield Stand(hub, wire, platform, iter(traders))


@pytest.fixture
def options() -> dict[str, str]:
    """Settings of the stand's hub that differ from the usual."""
    return {}
