"""The GraphiQL page: what it may load and keep, and a person asking with it in a real Chromium."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, graphql, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.graphiql import build
from hub.graphiql.examples import read_examples
from hub.graphiql.page import DemoOfficer, DemoPartner, PurposeChoice, graphiql_routes
from hub.query.document import DocumentLimits, check_limits, parse_document
from schema.coordinates import vocabulary
from schema.enums import Purpose
from tests.chromium import Pipe
from tests.graphiql_person import Person
from tests.serving import serving

SLOW = 2.0  # seconds that the field `slow` takes
PURPOSES = (
    PurposeChoice("NOTIFICATION", "信用通报", "630000-TB-001"),
    PurposeChoice("JOINT_PUNISHMENT", "联合惩戒", "630000-CJ-001"),
)
PARTNERS = {
    "customs": ("西宁海关", "P4", PURPOSES),
    "mall": ("河湟电商平台", "P9", (PurposeChoice("MERCHANT_ADMISSION", "平台商户准入"),)),
}

# A small endpoint with two views; the page does not know more of a hub than this.
SDL = """
type Query { "按标识精确查找信用主体 · a subject" subject(value: String!): CreditSubject slow: String }
interface CreditSubject { displayName: String summary: CreditSummary listEntries: [ListEntry!] }
type CreditSummary { hasSeriousDishonestyEntry: String hasTaxViolationEntry: String isHonestModel: String
  hasPublicPenalty: String incompleteSources: [String!] }
type ListEntry { color: String state: String cause: String publicityEndsOn: String list: ListName }
type ListName { name: String }
type Grade { scheme: String gradeCode: String gradeLabel: String effectiveFrom: String }
type Contact { address: String phone: String }
type Organization implements CreditSubject { displayName: String summary: CreditSummary
  listEntries: [ListEntry!] uscc: String registrationStatus: String legalRepresentativeName: String
  grades: [Grade!] contact: Contact }
type IndividualBusiness implements CreditSubject { displayName: String summary: CreditSummary
  listEntries: [ListEntry!] uscc: String registrationStatus: String operatorName: String }
type Mutation { act: String }
"""
VIEWS = {
    "customs": build_schema(SDL),
    "mall": build_schema(re.sub(r"contact: Contact|type Contact {.*?}", "", SDL)),
}


def _subject(partner: str, code: str) -> dict[str, Any]:
    grades = [("CUSTOMS", "认证企业", "customs mall"), ("TAX", "B", "customs")]
    return {
        "__typename": "Organization",
        "displayName": "青海三江源商贸有限公司",
        "uscc": code,
        "registrationStatus": "存续",
        "legalRepresentativeName": "马得林",
        "summary": {"hasSeriousDishonestyEntry": "NO", "isHonestModel": "YES", "incompleteSources": []},
        "listEntries": [],
        "grades": [
            {"scheme": scheme, "gradeCode": grade, "effectiveFrom": "2026-01-01"}
            for scheme, grade, seen_by in grades
            if partner in seen_by
        ],
    }


class Endpoint:
    """The small endpoint, and the headers and documents it was sent."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.heard: list[dict[str, str]] = []
        self.documents: list[str] = []
        self.pause = 0.0  # seconds before each answer
        self.failing = 0  # so many answers more are 503
        self.valid = 1  # tokens end in this number; raising it lets all that were given out expire

    async def answer(self, request: Request) -> Response:
        """Answer a POST as the partner that the token names."""
        self.heard.append(dict(request.headers))
        token = re.fullmatch(r"Bearer demo-(\w+)-(\d+)(?:-second)?", request.headers.get("authorization", ""))
        if token is None or token[1] not in VIEWS or int(token[2]) != self.valid:
            refusal = {
                "message": "The request carries no valid token.",
                "extensions": {"messageZh": "请求没有有效令牌"},
            }
            return JSONResponse({"errors": [refusal]}, 401)
        body = await request.json()
        self.documents.append(body["query"])
        await asyncio.sleep(self.pause)

        async def slow(*_: Any) -> str:
            await asyncio.sleep(SLOW)
            return "late answer"

        if self.failing:
            self.failing -= 1
            return JSONResponse({"errors": [{"message": "The store did not answer in time."}]}, 503)
        root = {"act": "done", "subject": lambda _, value: _subject(token[1], value), "slow": slow}
        result = await graphql(VIEWS[token[1]], body["query"], root, variable_values=body.get("variables"))
        return JSONResponse(result.formatted)

    def partners(self) -> list[DemoPartner]:
        """The demo partners, with tokens that are valid now."""
        return [
            DemoPartner(
                name,
                *facts,
                officers=(
                    DemoOfficer("first", f"demo-{name}-{self.valid}"),
                    DemoOfficer("second", f"demo-{name}-{self.valid}-second"),
                ),
            )
            for name, facts in PARTNERS.items()
        ]


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def demo_url(endpoint: Endpoint, graphiql_assets: None) -> AsyncIterator[str]:
    """A hub in demo mode."""
    routes = [Route("/graphql", endpoint.answer, methods=["POST"]), *graphiql_routes(endpoint.partners)]
    async with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture
async def production_url(endpoint: Endpoint, graphiql_assets: None) -> AsyncIterator[str]:
    """A hub outside demo mode."""
    routes = [Route("/graphql", endpoint.answer, methods=["POST"]), *graphiql_routes(None)]
    async with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture
async def guest(browser: Pipe, demo_url: str) -> Person:
    """Somebody at a hub in demo mode."""
    return Person(await browser.tab(), demo_url)


@pytest.fixture
async def official(browser: Pipe, production_url: str) -> Person:
    """Somebody at a hub outside demo mode."""
    return Person(await browser.tab(), production_url)


def schemes(answer: dict[str, Any]) -> set[str]:
    """Whose grades an answer holds."""
    return {grade["scheme"] for grade in answer["data"]["subject"]["grades"]}


@pytest.mark.browser
async def test_a_person_presses_run_as_customs_and_the_mall_then_sees_less(guest: Person) -> None:
    await guest.open()
    customs_fields = await guest.become("customs")
    assert schemes(await guest.run()) == {"CUSTOMS", "TAX"}
    assert "Organization.contact" in await guest.looks_up("contact")

    assert await guest.become("mall") < customs_fields
    assert await guest.reads() == "", "an answer given to customs stays visible to the mall"
    assert schemes(await guest.run()) == {"CUSTOMS"}
    assert await guest.looks_up("contact") == []
    assert await guest.looks_up("registrationStatus") != []
    await guest.leaves_no_trace()


@pytest.mark.browser
async def test_answers_in_other_tabs_are_forgotten_too_and_what_was_typed_stays(guest: Person) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.run()
    await guest.switch_to("Dossier")
    await guest.ask("query Dossier { slow }")
    await guest.become("mall")
    await guest.switch_to("MerchantCheck")
    assert await guest.reads() == ""
    assert schemes(await guest.run()) == {"CUSTOMS"}
    await guest.switch_to("Dossier")
    assert await guest.run() == {"data": {"slow": "late answer"}}


@pytest.mark.browser
async def test_what_was_typed_just_before_another_caller_was_chosen_stays(guest: Person) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.asks_and_becomes("query Late { slow }", "mall")
    assert await guest.run() == {"data": {"slow": "late answer"}}
    await guest.switch_to("Dossier")
    await guest.switch_to("Late")
    assert await guest.run() == {"data": {"slow": "late answer"}}


@pytest.mark.browser
async def test_every_example_is_open_in_a_tab_of_its_own(guest: Person) -> None:
    await guest.open()
    await guest.sees()
    shown = "[...document.querySelectorAll('.graphiql-tab-button')].map(e => e.innerText)"
    titles = await guest.tab.evaluate(shown)
    assert [title.lower() for title in titles] == [item.name.replace("-", "") for item in read_examples()]


@pytest.mark.browser
async def test_the_bar_sends_token_purpose_matter_and_case_as_headers(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.become("customs", "JOINT_PUNISHMENT")
    await guest.tab.type('input[name="case"]', "青商许〔2026〕1号")
    await guest.run()
    heard = endpoint.heard[-1]
    assert heard["authorization"] == "Bearer demo-customs-1"
    assert heard["hub-purpose"] == "JOINT_PUNISHMENT"
    assert heard["hub-matter"] == "630000-CJ-001"
    assert heard["hub-case"].encode("latin-1").decode("utf-8") == "青商许〔2026〕1号"
    assert "graphql-response+json" in heard["accept"]


@pytest.mark.browser
async def test_another_officer_of_the_partner_goes_on_with_what_the_first_one_was_answered(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    fields = await guest.become("customs")
    answer = await guest.run()
    await guest.tab.choose('select[name="officer"]', "second")
    assert await guest.sees() == fields
    assert json.loads(await guest.reads()) == answer
    await guest.run()
    assert endpoint.heard[-1]["authorization"] == "Bearer demo-customs-1-second"
    # A token that expired is renewed for the officer who asks.
    endpoint.valid = 2
    await guest.run()
    assert endpoint.heard[-1]["authorization"] == "Bearer demo-customs-2-second"
    await guest.become("mall")
    await guest.run()
    assert endpoint.heard[-1]["authorization"] == "Bearer demo-mall-2"


@pytest.mark.browser
async def test_a_command_without_an_answer_is_sent_again_under_its_key_and_every_other_under_a_new_one(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.run()
    assert "idempotency-key" not in endpoint.heard[-1]
    await guest.ask("mutation Act { act }")
    endpoint.failing = 2
    keys = []
    for _ in range(5):
        await guest.run()
        keys.append(endpoint.heard[-1]["idempotency-key"])
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


@pytest.mark.browser
async def test_an_answer_under_way_is_dropped_when_the_caller_changes(guest: Person) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.ask("query Slow { slow }")
    await guest.press_run()
    assert await guest.waits()
    await guest.become("mall")
    await asyncio.sleep(SLOW + 0.2)
    assert not await guest.waits()
    assert "late answer" not in await guest.reads()


@pytest.mark.browser
async def test_a_caller_who_changes_while_the_schema_is_read_sees_the_right_one(
    guest: Person, endpoint: Endpoint
) -> None:
    endpoint.pause = 0.3
    await guest.open()
    for partner in ("mall", "customs", "mall"):
        await guest.tab.choose('select[name="partner"]', partner)
        await asyncio.sleep(0.1)
    await guest.sees()
    assert await guest.looks_up("contact") == []
    await guest.leaves_no_trace()


@pytest.mark.browser
async def test_an_expired_demo_token_is_renewed_without_a_word(guest: Person, endpoint: Endpoint) -> None:
    await guest.open()
    await guest.become("customs")
    endpoint.valid = 2
    assert schemes(await guest.run()) == {"CUSTOMS", "TAX"}
    assert endpoint.heard[-1]["authorization"] == "Bearer demo-customs-2"


@pytest.mark.browser
async def test_the_schema_is_read_with_a_document_within_the_limits_of_any_partner(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.sees()
    limits = DocumentLimits(depth=10, tokens=400, document_bytes=4096)
    check_limits(parse_document(endpoint.documents[0], limits), limits)
    assert "__schema" in endpoint.documents[0]


@pytest.mark.browser
async def test_dialogs_are_styled_under_the_policy_and_eval_is_refused(guest: Person) -> None:
    await guest.open()
    await guest.sees()
    await guest.tab.click('button[data-value="settings"]')
    dialog = await guest.tab.until("document.querySelector('.graphiql-dialog')?.innerText", "the settings")
    assert "Persist headers" not in dialog
    locked = "getComputedStyle(document.body).getPropertyValue('overflow')"
    assert await guest.tab.evaluate(locked) == "hidden", "the dialog's own style element was refused"
    await guest.leaves_no_trace()
    evaluated = "(() => { try { return Object.constructor('return 1')(); } catch (e) { return e.name; } })()"
    assert await guest.tab.evaluate(evaluated, eval_as_page=True) == "EvalError"
    assert guest.tab.violations


@pytest.mark.browser
async def test_outside_demo_mode_a_token_and_a_purpose_must_be_given(
    official: Person, endpoint: Endpoint
) -> None:
    await official.open()
    await official.tab.type('input[name="token"]', "demo-customs-1")
    assert await official.tab.evaluate("document.querySelector('.hub-form button').disabled")
    assert not endpoint.heard, "the hub was asked before a caller was declared"
    await official.connect("demo-customs-1", "NOTIFICATION")
    await official.sees()
    assert schemes(await official.run()) == {"CUSTOMS", "TAX"}
    assert endpoint.heard[-1]["hub-purpose"] == "NOTIFICATION"
    # Nothing is asked but as the bar says: the case as it is now, and for another purpose from Connect on.
    await official.tab.type('input[name="case"]', "2026-0001")
    await official.run()
    assert endpoint.heard[-1]["hub-case"] == "2026-0001"
    heard = len(endpoint.heard)
    await official.tab.choose('select[name="purpose"]', "JOINT_PUNISHMENT")
    await official.tab.until(
        "!document.querySelector('.hub-sight').dataset.fields", "that the caller is gone"
    )
    assert await official.reads() == ""
    assert "then connect" in (await official.run())["errors"][0]["message"]
    assert len(endpoint.heard) == heard
    await official.tab.click(".hub-form button")
    await official.sees()
    await official.run()
    assert endpoint.heard[-1]["hub-purpose"] == "JOINT_PUNISHMENT"
    assert endpoint.heard[-1]["hub-case"] == "2026-0001"
    assert not [asked["url"] for asked in official.tab.requests if "partners" in asked["url"]]
    await official.leaves_no_trace()

    await official.open()  # everything typed is gone with the page
    assert await official.tab.until("document.querySelector('input[name=token]')?.value === ''")


@pytest.mark.browser
async def test_a_refused_caller_reads_why_in_the_bar(official: Person) -> None:
    await official.open()
    await official.connect("forged", "NOTIFICATION")
    refusal = await official.tab.until("document.querySelector('.hub-refused')?.innerText", "the refusal")
    assert refusal == "请求没有有效令牌 The request carries no valid token."


async def test_every_document_carries_the_policy_with_a_nonce_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "digest.json").write_text('{"digest": "0123456789abcdef0123"}')
    app = Starlette(routes=list(graphiql_routes(None, assets=tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        first, second = await client.get("/graphiql"), await client.get("/graphiql")
    policies = [answer.headers["content-security-policy"] for answer in (first, second)]
    assert policies[0] != policies[1]
    for answer, policy in zip((first, second), policies, strict=True):
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        assert nonce[1] in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "<style" not in answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)


async def test_demo_tokens_are_given_out_in_demo_mode_only(endpoint: Endpoint) -> None:
    async def get(demo: bool) -> httpx.Response:
        app = Starlette(routes=list(graphiql_routes(endpoint.partners if demo else None)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
            return await client.get("/graphiql/partners")

    assert (await get(demo=False)).status_code == 404
    given = await get(demo=True)
    assert given.headers["cache-control"] == "no-store"
    assert given.json()[1] == {
        "id": "mall", "name": "河湟电商平台", "className": "P9",
            "officers": [
                {"name": "first", "token": "demo-mall-1"}, {"name": "second", "token": "demo-mall-1-second"},
            ],
        "purposes": [{"code": "MERCHANT_ADMISSION", "label": "平台商户准入", "matter": "", "case": ""}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("rebound.example:8000", 404),
        ("", 404),
    ],
)
async def test_a_page_elsewhere_whose_name_leads_here_gets_no_demo_tokens(
    endpoint: Endpoint, host: str, status: int
) -> None:
    app = Starlette(routes=list(graphiql_routes(endpoint.partners, only_here=True)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        answer = await client.get("/graphiql/partners", headers={"host": host})
    assert answer.status_code == status
    assert ("demo-mall" in answer.text) is (status == 200)


async def test_outside_demo_mode_every_purpose_of_the_vocabulary_is_offered_with_its_chinese_term() -> None:
    app = Starlette(routes=list(graphiql_routes(None)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        offered = (await client.get("/graphiql/settings")).json()["purposes"]
        bare = await client.get("/")
    assert [purpose["code"] for purpose in offered] == list(Purpose.__members__)
    assert {"code": "NOTIFICATION", "label": "信用通报", "matter": "", "case": ""} in offered
    assert (bare.status_code, bare.headers["location"]) == (307, "/graphiql")


async def test_unbuilt_assets_are_said_to_be_missing_and_no_other_file_is_served(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    app = Starlette(routes=list(graphiql_routes(None, assets=tmp_path / "assets")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        missing = await client.get("/graphiql")
        assert missing.status_code == 503
        assert "python -m hub.graphiql.build" in missing.text
        for name in ("app.js", "digest.json", "..%2Fsecret.txt", "%2e%2e/secret.txt", "x/../../secret.txt"):
            assert (await client.get(f"/graphiql/assets/{name}")).status_code == 404


def test_without_npm_the_build_says_so_in_one_line_and_succeeds(tmp_path: Path) -> None:
    package = tmp_path / "hub" / "graphiql"
    shutil.copytree(build.FRONTEND, package / "frontend", ignore=shutil.ignore_patterns("node_modules"))
    for module in ("hub/__init__.py", "hub/graphiql/__init__.py", "hub/graphiql/build.py"):
        shutil.copyfile(Path(build.__file__).parents[2] / module, tmp_path / module)
    bare = {"PATH": str(tmp_path / "nothing"), "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "hub.graphiql.build"]
    done = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    said = r"GraphiQL: not built, npm is not on PATH .*everything else works without it\n"
    assert re.fullmatch(said, done.stdout)
    assert not (package / "assets").exists()


def test_a_changed_source_makes_the_assets_stale(tmp_path: Path) -> None:
    frontend = tmp_path / "frontend"
    shutil.copytree(build.FRONTEND, frontend, ignore=shutil.ignore_patterns("node_modules"))
    before = build.sources_digest(frontend)
    assert before == build.sources_digest()
    (frontend / "node_modules").mkdir()
    (frontend / "node_modules" / "anything.js").write_text("installed, not a source")
    assert build.sources_digest(frontend) == before
    lock = frontend / "package-lock.json"
    lock.write_text(lock.read_text("utf-8") + " ", "utf-8")
    assert build.sources_digest(frontend) != before


def test_the_lock_fixes_every_package_by_digest_and_names_no_registry() -> None:
    lock = json.loads((build.FRONTEND / "package-lock.json").read_text("utf-8"))
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert [name for name, facts in packages.items() if "integrity" not in facts] == []
    assert [name for name, facts in packages.items() if "resolved" in facts] == []


def test_every_example_is_one_named_operation_that_fits_the_whole_schema() -> None:
    examples = read_examples()
    assert [example.name for example in examples] == [
        "merchant-check", "dossier", "contact", "bulk-check", "list-page", "who-am-i", "explain", "catalogue",
        "tiers", "commitments", "archives", "quarterly-report", "repairs", "notifications", "objections",
        "foreign-trade", "what-is-due", "run-check",
    ]  # fmt: skip
    for example in examples:
        document = parse(example.query)
        assert len(document.definitions) == 1
        operation = document.definitions[0].to_dict()
        assert operation["name"]["value"].lower() == example.name.replace("-", "")
        declared = {item["variable"]["name"]["value"] for item in operation["variable_definitions"] or ()}
        assert set(example.variables) == declared
        assert not validate(vocabulary().schema, document)
