"""The GraphiQL page: what it may load and keep, and a person asking with it in a real Chromium."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse, validate
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from hub.graphiql import build
from hub.graphiql.examples import read_examples
from hub.graphiql.page import graphiql_routes
from hub.query.document import DocumentLimits, check_limits, parse_document
from schema.coordinates import vocabulary
from schema.enums import Purpose
from tests.chromium import Pipe
from tests.graphiql_endpoint import SLOW, Endpoint, refused
from tests.graphiql_person import Person
from tests.serving import serving


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def demo_url(endpoint: Endpoint, graphiql_assets: None) -> AsyncIterator[str]:
    """A hub in demo mode."""
    routes = [Route("/graphql", endpoint.answer, methods=["POST"]), *graphiql_routes(endpoint.partners)]
    async with serving(Starlette(routes=routes)) as url:
        yield url
        endpoint.gate.set()  # the server ends when all that was asked is answered


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


def keys_of(endpoint: Endpoint) -> list[str]:
    """The Idempotency-Keys that the endpoint heard, in their order."""
    return [heard["idempotency-key"] for heard in endpoint.heard if "idempotency-key" in heard]


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
    assert (await guest.run())["data"] == {"slow": "late answer"}


@pytest.mark.browser
async def test_what_was_typed_just_before_another_caller_was_chosen_stays(guest: Person) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.asks_and_becomes("query Late { slow }", "mall")
    assert (await guest.run())["data"] == {"slow": "late answer"}
    await guest.switch_to("Dossier")
    await guest.switch_to("Late")
    assert (await guest.run())["data"] == {"slow": "late answer"}


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
async def test_a_command_keeps_its_key_until_an_answer_tells_what_became_of_it(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.run()
    assert keys_of(endpoint) == []
    await guest.ask("mutation Act { act }")
    endpoint.mishaps = [
        refused(503, "STORE_UNAVAILABLE"),
        HTMLResponse("<html>504 Gateway Time-out</html>", 504),
        refused(500, "INTERNAL", committed=True),
        refused(429, "QUOTA"),
    ]
    for _ in range(6):
        await guest.run()
    first, *others = keys = keys_of(endpoint)
    assert others == [first] * 4 + keys[5:]
    assert keys[5] != first
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    endpoint.mishaps = [refused(409, "IDEMPOTENCY_CONFLICT")]
    await guest.run()
    await guest.run()
    assert len(set(keys_of(endpoint)[5:])) == 3


@pytest.mark.browser
async def test_a_command_that_was_sent_before_says_so_under_its_answer(
    guest: Person, endpoint: Endpoint
) -> None:
    """Whoever means to do it a second time must see that it was the first that was answered."""
    await guest.open()
    await guest.become("customs")
    await guest.ask("mutation Act { act }")
    endpoint.mishaps = [HTMLResponse("<html>504 Gateway Time-out</html>", 504)]
    told = []
    for _ in range(3):
        await guest.run()
        told.append(await guest.tab.evaluate("document.querySelector('.hub-asked')?.innerText ?? ''"))
    assert ["只办理一次" in one for one in told] == [False, True, False]


@pytest.mark.browser
async def test_outside_demo_mode_too_each_officer_has_keys_of_its_own(
    official: Person, endpoint: Endpoint
) -> None:
    def token(officer: str) -> str:
        claims = json.dumps({"partner": "customs", "sub": officer}, ensure_ascii=False).encode()
        return f"e30.{urlsafe_b64encode(claims).decode().rstrip('=')}.demo-customs-1"

    await official.open()
    for officer in ("马一", "马二", "马一"):
        await official.connect(token(officer), "NOTIFICATION")
        await official.sees()
        await official.ask("mutation Act { act }")
        endpoint.mishaps = [refused(503, "STORE_UNAVAILABLE")]
        await official.run()
    first, second, again = keys_of(endpoint)
    assert first == again != second
    await official.run()
    asked = await official.tab.evaluate("document.querySelector('.hub-asked').innerText")
    assert "customs 马一" in asked


@pytest.mark.browser
async def test_a_command_for_another_case_has_another_key(guest: Person, endpoint: Endpoint) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.ask("mutation Act { act }")
    endpoint.mishaps = [refused(503, "STORE_UNAVAILABLE") for _ in range(2)]
    for case in ("2026-0001", "2026-0002", "2026-0001"):
        await guest.tab.type('input[name="case"]', case)
        await guest.run()
    first, second, again = keys_of(endpoint)
    assert first == again != second


@pytest.mark.browser
async def test_a_command_that_a_change_of_caller_cut_off_is_told_and_asked_again_under_its_key(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.ask("mutation Act { act }")
    endpoint.gate.clear()
    await guest.press_run()
    await guest.tab.until("!!document.querySelector('.graphiql-response .graphiql-spinner')")
    await guest.tab.choose('select[name="officer"]', "second")
    assert "命令可能已经执行" in await guest.reads_at_last()
    endpoint.gate.set()
    await guest.tab.choose('select[name="officer"]', "first")
    await guest.sees()
    assert (await guest.run())["data"] == {"act": "done"}
    cut_off, again = keys_of(endpoint)
    assert cut_off == again


@pytest.mark.browser
async def test_an_answer_that_comes_after_another_tab_was_opened_is_not_written_into_that_one(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.become("customs")
    endpoint.gate.clear()
    await guest.press_run()
    assert await guest.waits()
    await guest.switch_to("Dossier")
    endpoint.gate.set()
    await asyncio.sleep(0.5)
    assert await guest.reads() == "", "the answer to MerchantCheck stands under Dossier"
    await guest.switch_to("MerchantCheck")
    assert "没有等到答复就离开了" in await guest.reads()
    assert schemes(await guest.run()) == {"CUSTOMS", "TAX"}


@pytest.mark.browser
async def test_under_an_answer_stands_what_it_was_asked_for_whatever_the_bar_says_now(
    guest: Person, endpoint: Endpoint
) -> None:
    await guest.open()
    await guest.become("customs", "JOINT_PUNISHMENT")
    await guest.tab.type('input[name="case"]', "2026-0001")
    await guest.run()
    await guest.tab.type('input[name="case"]', "2026-0002")
    asked = str(await guest.tab.evaluate("document.querySelector('.graphiql-footer')?.innerText ?? ''"))
    for part in (
        "customs first",
        "JOINT_PUNISHMENT",
        "630000-CJ-001",
        "case 2026-0001",
        "request-",
        "北京时间",
    ):
        assert part in asked
    # Why the schema cannot be read stands in the same place, and is no answer to that.
    endpoint.mishaps = [refused(403, "MATTER_REQUIRED") for _ in range(2)]
    await guest.tab.click('button[aria-label="Re-fetch GraphQL schema"]')
    await guest.tab.until("!!document.querySelector('.hub-refused')", "the refusal")
    assert "MATTER_REQUIRED" in await guest.reads()
    assert await guest.tab.evaluate("document.querySelector('.graphiql-footer').innerText") == ""


@pytest.mark.browser
async def test_on_paper_an_answer_is_whole_and_says_what_was_asked(guest: Person) -> None:
    await guest.open()
    await guest.become("customs", "JOINT_PUNISHMENT")
    await guest.ask("query Long { " + " ".join(f"a{number}: slow" for number in range(200)) + " }")
    await guest.run()
    paper = await guest.tab.on_paper()
    for part in ('"a0": "late answer"', '"a199": "late answer"', "query Long", "JOINT_PUNISHMENT"):
        assert part in paper


@pytest.mark.browser
async def test_without_an_answer_a_person_reads_what_to_do(guest: Person, endpoint: Endpoint) -> None:
    await guest.open()
    await guest.become("customs")
    endpoint.mishaps = [HTMLResponse("<html>502 Bad Gateway</html>", 502) for _ in range(2)]
    said = (await guest.run())["errors"][0]["message"]
    assert "没有收到枢纽的答复：请稍候再运行" in said
    assert "<html>" not in said
    await guest.ask("mutation Act { act }")
    assert "不会重复执行" in (await guest.run())["errors"][0]["message"]


@pytest.mark.browser
async def test_the_keyboard_alone_passes_every_editor_and_each_has_a_name(guest: Person) -> None:
    await guest.open()
    await guest.become("customs")
    await guest.run()
    before = await guest.typed()
    await guest.tab.click(".graphiql-query-editor .CodeMirror")
    passed = []
    for _ in range(12):
        await guest.tab.press("Tab")
        passed.append(await guest.tab.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))
    assert "变量 variables" in passed
    assert "答复 answer" in passed
    assert await guest.typed() == before


@pytest.mark.browser
async def test_a_long_line_of_a_query_is_read_without_scrolling(guest: Person) -> None:
    await guest.open()
    await guest.sees()
    editor = "document.querySelector('.graphiql-query-editor .CodeMirror')"
    await guest.tab.evaluate(f"{editor}.CodeMirror.setValue('# ' + '未予提供的内容及理由'.repeat(20))")
    beyond = f"{editor}.querySelector('.cm-comment').getBoundingClientRect().right > {editor}.getBoundingClientRect().right"
    assert await guest.tab.until(f"{editor}.querySelectorAll('.cm-comment').length === 1")
    assert not await guest.tab.evaluate(beyond)


@pytest.mark.browser
async def test_more_tabs_than_fit_can_be_scrolled_to_with_a_mouse(guest: Person) -> None:
    await guest.open()
    await guest.sees()
    tabs = "document.querySelector('.graphiql-tabs')"
    assert await guest.tab.evaluate(f"{tabs}.scrollWidth > {tabs}.clientWidth")
    assert await guest.tab.evaluate(f"getComputedStyle({tabs}).scrollbarWidth") == "thin"


@pytest.mark.browser
async def test_enlarged_twice_on_a_small_screen_the_variables_can_be_scrolled_to(guest: Person) -> None:
    await guest.tab.resize(1366 // 2, 650 // 2)
    await guest.open()
    await guest.sees()
    await guest.tab.click('section[aria-label="Variables"] .CodeMirror')
    inside = "document.querySelector('section[aria-label=\"Variables\"]').contains(document.activeElement)"
    assert await guest.tab.evaluate(inside)


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
async def test_a_refused_caller_reads_why_in_the_bar(official: Person, endpoint: Endpoint) -> None:
    await official.open()
    await official.connect("forged", "NOTIFICATION")
    refusal = await official.tab.until("document.querySelector('.hub-refused')?.innerText", "the refusal")
    assert refusal == "请求没有有效令牌 The request carries no valid token."
    await official.tab.type('input[name="token"]', "令牌")
    await official.tab.click(".hub-form button")
    await official.tab.until(
        "document.querySelector('.hub-refused')?.innerText.includes('请重新复制')", "what is wrong with it"
    )
    # However long: what to do stands at its end.
    endpoint.mishaps = [refused(403, "MATTER_REQUIRED " * 20) for _ in range(2)]
    await official.connect("demo-customs-1", "JOINT_PUNISHMENT")
    await official.tab.until("document.querySelector('.hub-refused')?.innerText.includes('MATTER_REQUIRED')")
    refused_in = "document.querySelector('.hub-refused')"
    assert await official.tab.evaluate(f"{refused_in}.scrollWidth <= {refused_in}.clientWidth")


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
