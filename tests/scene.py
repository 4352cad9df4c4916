"""A hub over a few known subjects, each hidden thing in them unlike any other, asked over real HTTP in all its ways."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx
import uvicorn
from starlette.types import ASGIApp

from hub.app import create_app
from hub.config import Settings
from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.sandbox.tokens import DEMO_SUBJECT, demo_token
from hub.store.database import Role, open_pool
from schema.coordinates import vocabulary
from schema.identifiers import hmac_sm3
from tests.conftest import Database
from tests.reference.ids import permuted
from tests.worlds import (
    ID_KEY,
    NOW,
    TODAY,
    Builder,
    Row,
    World,
    add_definitions,
    add_registration,
    archive_of,
    entry_of,
    fill,
    grade_of,
    record_of,
)

# How documents are sent; what is true of one way must be true of the others.
WAYS = ("POST", "GET")
MATTER = {"hub-matter": "QH-2026-17", "hub-case": "2026-0001"}
IN_FORCE = {
    "lifecycle": "EFFECTIVE", "usable_until": None, "sharing_attribute": "PUBLIC", "under_objection": False,
    "superseded_at": None,
}  # fmt: skip
PUBLISHED = {
    "state": "PUBLISHED", "publicity_ends_on": None, "sharing_attribute": "PUBLIC", "superseded_at": None,
    "recognized_on": date(2026, 10, 1),
}  # fmt: skip


@dataclass
class Scene:
    """The world and its people, by what they are in the tests."""

    world: World
    # The mall's merchant, the chamber's member, in Xining, the subject that asks for itself.
    merchant: Row
    # Neither, and in Golmud.
    stranger: Row
    # Has a penalty (D8) and a licence (D5).
    person: Row
    # Has a penalty (D8) and nothing else.
    penalized: Row
    number: str
    rows: dict[str, Row] = field(default_factory=dict)

    def id(self, name: str, partner_class: str = "") -> str:
        """The opaque id of a named row or subject; of what is about a person, as callers of the class have it."""
        row = self.rows.get(name) or getattr(self, name)
        letter = {"kind_of_subject": "s"}.get(name) or (
            "s" if "uscc" in row else "l" if "list_code" in row else "r"
        )
        persons = (self.person["subject_id"], self.penalized["subject_id"])
        own = partner_class and row["subject_id"] in persons
        return letter + (permuted(row["public_id"], partner_class) if own else row["public_id"])


def scene() -> Scene:
    """The same each time."""
    make = Builder(7)
    add_definitions(make)
    merchant = _organization(make, "青海昆仑商贸有限公司", "630102", DEMO_SUBJECT)
    stranger = _organization(make, "青海江源物流有限公司", "632801", None)
    number = "630102199003070018"
    person, penalized = (
        make.add(
            "subject",
            subject_id=make.next(), public_id=make.uuid(), kind="NATURAL_PERSON", region_code="630102",
            is_minor=False, created_at=make.moment(900, 800), display_name=name, name_key=name,
        )
        for name in ("马得林", "冶生才")
    )  # fmt: skip
    make.add(
        "identifier",
        identifier_id=make.next(), subject_id=person["subject_id"], scheme="RESIDENT_ID",
        value=hmac_sm3(ID_KEY, number), data_class="D3", source="COMMERCE", recorded_at=make.moment(),
    )  # fmt: skip
    stage = Scene(make.world, merchant, stranger, person, penalized, number)
    for kind, partner in (("MEMBER", "chamber"), ("MERCHANT", "mall")):
        make.add(
            "affiliation",
            partner=partner, subject_id=merchant["subject_id"], kind=kind, valid_from=date(2020, 1, 1),
        )  # fmt: skip
    day = timedelta(days=1)
    for name, subject, kind, data_class, changes in (
        ("penalty", merchant, "PENALTY", "D6", {"decided_on": TODAY - 9 * day}),
        ("minor", merchant, "PENALTY", "D7", {"decided_on": TODAY - 8 * day, "seriousness": "MINOR"}),
        ("repaired", merchant, "PENALTY", "D6", {"decided_on": TODAY - 7 * day, "lifecycle": "REPAIRED"}),
        ("licence", merchant, "LICENSE", "D4", {"decided_on": TODAY - 6 * day}),
        ("suspicion", merchant, "GENERIC", "D34", {"decided_on": TODAY - 5 * day}),
        ("restricted", merchant, "PENALTY", "D6", {"decided_on": TODAY - 4 * day, "sharing_attribute": "RESTRICTED"}),
        ("far_penalty", stranger, "PENALTY", "D6", {"decided_on": TODAY - 3 * day}),
        ("far_minor", stranger, "PENALTY", "D7", {"decided_on": TODAY - 2 * day, "seriousness": "MINOR"}),
        ("person_penalty", person, "PENALTY", "D8", {"decided_on": TODAY - day}),
        ("person_licence", person, "LICENSE", "D5", {"decided_on": TODAY}),
        ("only_penalty", penalized, "PENALTY", "D8", {"decided_on": TODAY}),
    ):  # fmt: skip
        row = record_of(make, subject, kind, data_class) | IN_FORCE | changes
        for column in ("document_number", "authority_name"):
            row[column] = make.sentinel(column)
        row["details"] = {one: make.sentinel(one) for one in ("facts", "content", "certificate_number")}
        stage.rows[name] = make.add("record", **row)
    for name, data_class, code, color in (
        ("watch", "D12", "WATCH-1", "WATCH"), ("black", "D10", "BLACK-1", "BLACK"), ("red", "D13", "RED-1", "RED"),
    ):  # fmt: skip
        stage.rows[name] = make.add(
            "list_entry", **entry_of(make, merchant, data_class, code, color) | PUBLISHED
        )
    for name, data_class, grade in (("grade", "D17", "D"), ("safe", "D19", "B")):
        row = grade_of(make, merchant) | {
            "data_class": data_class, "scheme": "TAX" if name == "grade" else "SAFE", "grade_code": grade,
            "source": "TAX" if name == "grade" else "FOREIGN_EXCHANGE", "sharing_attribute": "PUBLIC",
            "effective_from": TODAY - timedelta(days=30), "effective_to": None,
        }  # fmt: skip
        stage.rows[name] = make.add("grade", **row)
    for name, data_class in (("public_archive", "D24"), ("inner_archive", "D25"), ("balance", "D31")):
        row = archive_of(make, merchant) | {
            "data_class": data_class,
            "sharing_attribute": "PUBLIC",
            "source": "COMMERCE",
        }
        stage.rows[name] = make.add("archive", **row)
    # What the chamber itself keeps of its member; the row above is another association's.
    own = archive_of(make, merchant) | {
        "data_class": "D25", "sharing_attribute": "PUBLIC", "source": "ASSOCIATION",
    }  # fmt: skip
    stage.rows["own_inner_archive"] = make.add("archive", **own)
    return stage


def _organization(make: Builder, name: str, region: str, code: str | None) -> Row:
    subject = make.add(
        "subject",
        subject_id=make.next(), public_id=make.uuid(), kind="LEGAL_PERSON", region_code=region,
        uscc=code or make.code("LEGAL_PERSON", region), is_minor=False, created_at=make.moment(900, 800),
        display_name=name, name_key=name, registration_status="存续", established_on=date(2015, 5, 1),
        industry_code="F5211", legal_representative_name="韩生福",
    )  # fmt: skip
    for scheme, value, data_class in (
        ("USCC", subject["uscc"], "D1"), ("TAXPAYER_ID", f"63010{make.next():010d}", "D3"),
    ):  # fmt: skip
        make.add(
            "identifier",
            identifier_id=make.next(), subject_id=subject["subject_id"], scheme=scheme, value=value,
            data_class=data_class, source="COMMERCE", recorded_at=make.moment(),
        )  # fmt: skip
    add_registration(make, subject, make.uuid(), make.moment(800, 700), None, name, "COMMERCE")
    row = make.world.tables["registration"][-1]
    row |= {
        "sharing_attribute": "PUBLIC",
        "phone": "13897001234",
        "address": "青海省西宁市城东区昆仑路8号阳光小区3单元",
    }
    return subject


@dataclass
class Answered:
    """An answer: what a caller can tell of it."""

    status: int
    body: Any
    text: str
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        """The data, of an answer that has some and no errors."""
        assert "errors" not in self.body, self.body
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [one["extensions"]["code"] for one in self.body.get("errors", ())]

    @property
    def plain(self) -> str:
        """The body without what differs from request to request."""
        body = json.loads(self.text)
        body.get("extensions", {}).pop("requestId", None)
        return json.dumps(body, ensure_ascii=False)


@dataclass
class ServedScene:
    """The hub over the scene, and who asks it."""

    url: str
    scene: Scene
    settings: Settings
    database: Database
    client: httpx.AsyncClient
    _tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def token(self, partner: str, purpose: str | None = None) -> str:
        """A token of a demo partner."""
        key = (partner, purpose)
        if key not in self._tokens:
            self._tokens[key] = demo_token(self.settings, partner, purpose, 3600, NOW)
        return self._tokens[key]

    async def ask(
        self,
        partner: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        way: str = "POST",
        purpose: str | None = None,
        **headers: str,
    ) -> Answered:
        """One request over HTTP; names of `headers` with underscores for hyphens."""
        sent = {"authorization": f"Bearer {self.token(partner, purpose)}", **MATTER}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if way == "POST":
            body = {"query": query, "variables": variables or {}}
            response = await self.client.post(f"{self.url}/graphql", json=body, headers=sent)
        else:
            parameters = {"query": query, "variables": json.dumps(variables or {})}
            response = await self.client.get(f"{self.url}/graphql", params=parameters, headers=sent)
        return answered(response)

    async def send(self, body: Any, partner: str = "mall") -> Answered:
        """A body of one's own."""
        headers = {"authorization": f"Bearer {self.token(partner)}", **MATTER}
        return answered(await self.client.post(f"{self.url}/graphql", json=body, headers=headers))


def answered(response: httpx.Response) -> Answered:
    """What came back."""
    # Its text without what differs from request to request.
    text = re.sub('(?<="requestId":")[0-9a-f]{16}', "", response.text)
    return Answered(response.status_code, response.json(), text, response.headers)


@asynccontextmanager
async def served_scene(
    database: Database, stage: Scene | None = None, **changes: Any
) -> AsyncIterator[ServedScene]:
    """Serve the scene from `database` at its own moment. `changes`: of the settings."""
    stage = stage or scene()
    settings = replace(database.settings, port=0, pool_size=4, configured_id_key=ID_KEY, **changes)
    owner = await asyncpg.connect(database.owner_dsn)
    await fill(owner, stage.world)
    await owner.close()
    pool = await open_pool(settings, Role.WRITER, 1)
    texts = demo_agreements(demo_issuer(settings.state_dir).key).values()
    await apply_agreements(pool, texts, load_matrix(), NOW, "test", vocabulary().coordinates)
    pool.terminate()
    limits = httpx.Limits(max_connections=32)
    with on_a_thread(create_app(settings, lambda: NOW)) as url:
        async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as client:
            yield ServedScene(url, stage, settings, database, client)


@contextmanager
def on_a_thread(app: ASGIApp) -> Iterator[str]:
    """Serve `app` on a free port of loopback, on a thread and an event loop of its own, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="scene")
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            assert server.started, "the hub did not start; its log says why"
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive(), "the hub did not stop"
