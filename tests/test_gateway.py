"""GraphQL over HTTP as the specification has it, on the whole hub: media types, methods, status codes, members."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
import pytest

from tests.hub_server import CHECK, MERCHANT, ProvinceHub

LEGACY, RESPONSE = "application/json", "application/graphql-response+json"
# Newer versions may audit more; they are taken on purpose.
AUDIT_PACKAGES = ("graphql-http@1.23.1", "graphql@16")
AUDITS = 61
AUDIT = """
import { serverAudits } from "graphql-http";
const [url, token] = process.argv.slice(2);
const fetchFn = (to, init = {}) =>
  fetch(to, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
const told = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { status, reason } = await audit.fn();
  told.push({ name: audit.name, status, reason: reason ?? null });
}
console.log(JSON.stringify(told));
"""


def post(hub: ProvinceHub, body: object, accept: str | None = LEGACY, **headers: str) -> httpx.Response:
    """Post `body` as JSON as the mall."""
    given = {**hub.headers("mall", **headers), "content-type": LEGACY}
    if accept is not None:
        given["accept"] = accept
    with httpx.Client(trust_env=False) as client:
        # httpx would accept everything by itself.
        del client.headers["accept"]
        return client.post(hub.graphql, content=json.dumps(body), headers=given)


def get(hub: ProvinceHub, accept: str = LEGACY, **parameters: str) -> httpx.Response:
    """Ask by GET as the mall."""
    address = f"{hub.graphql}?{urlencode(parameters)}"
    return httpx.get(address, headers={**hub.headers("mall"), "accept": accept}, trust_env=False)


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal that has one error and no data."""
    body = answer.json()
    assert list(body) == ["errors", "extensions"], body
    assert re.fullmatch("[0-9a-f]{16}", body["extensions"]["requestId"])
    (one,) = body["errors"]
    return answer.status_code, one["extensions"]["code"]


def media(answer: httpx.Response) -> str:
    """The media type of an answer, which is always UTF-8."""
    kind, _, charset = answer.headers["content-type"].partition("; ")
    assert charset == "charset=utf-8"
    return kind


# Without npm, as on a machine without Node.js, the tests below say the same in our own words.
if shutil.which("npm"):

    def test_the_public_audit_of_graphql_over_http_passes_whole(hub: ProvinceHub, tmp_path: Path) -> None:
        # A package of its own rather than --prefix, which would also leave out the machine's npm settings.
        (tmp_path / "package.json").write_text('{"private": true}', encoding="utf-8")
        installed = ["npm", "install", "--no-save", "--no-audit", "--no-fund", *AUDIT_PACKAGES]
        subprocess.run(installed, check=True, capture_output=True, timeout=120, cwd=tmp_path)
        script = tmp_path / "audit.mjs"
        script.write_text(AUDIT, encoding="utf-8")
        command = ["node", str(script), hub.graphql, hub.token("mall")]
        done = subprocess.run(command, check=True, capture_output=True, timeout=60)
        told = json.loads(done.stdout)
        assert [one for one in told if one["status"] != "ok"] == []
        assert Counter(one["status"] for one in told) == {"ok": AUDITS}


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, LEGACY),
        ("*/*", LEGACY),
        ("application/*", LEGACY),
        (LEGACY, LEGACY),
        (RESPONSE, RESPONSE),
        (RESPONSE.upper(), RESPONSE),
        (f"{RESPONSE}, {LEGACY};q=0.9", RESPONSE),
        (f"{LEGACY};q=0.9, {RESPONSE}", RESPONSE),
        (f"{LEGACY}, {RESPONSE}", LEGACY),
        (f"{RESPONSE};q=0.5, {LEGACY};q=0.6, */*;q=0.1", LEGACY),
        (f"{RESPONSE};q=0, {LEGACY};q=0.1", LEGACY),
        # A wildcard does not stand for what is named beside it.
        (f"{LEGACY};q=0, */*", RESPONSE),
        (f"{LEGACY};q=0.5, application/*", RESPONSE),
        (f"{LEGACY}, text/plain, */*", LEGACY),
        (f"{RESPONSE}; charset=utf-8", RESPONSE),
        (f'{RESPONSE}; charset="UTF-8"', RESPONSE),
        (f"{RESPONSE}; charset=gb18030, {LEGACY}", LEGACY),
        ("text/html, multipart/mixed, application/json", LEGACY),
        # urql lists event streams last; whoever serves them whenever they are listed breaks it.
        (f"{RESPONSE}, application/graphql+json, {LEGACY}, text/event-stream, multipart/mixed", RESPONSE),
    ],
)
def test_the_answer_has_the_best_media_type_of_accept(
    hub: ProvinceHub, accept: str | None, given: str
) -> None:
    answer = post(hub, {"query": CHECK, "variables": {"code": MERCHANT}}, accept)
    assert (answer.status_code, media(answer)) == (200, given)
    assert answer.json()["data"]["subject"]["displayName"] == "青海三江源商贸有限公司"


@pytest.mark.parametrize(
    "accept",
    ["text/html", "text/event-stream", f"{LEGACY};q=0", f"{LEGACY};charset=gbk", "nonsense", ";,;q="],
)
def test_without_an_acceptable_media_type_the_request_is_refused(hub: ProvinceHub, accept: str) -> None:
    assert error(post(hub, {"query": "{__typename}"}, accept)) == (406, "NOT_ACCEPTABLE")


def test_accept_may_stand_in_two_headers(hub: ProvinceHub) -> None:
    headers = [
        *hub.headers("mall").items(),
        ("accept", "text/html"),
        ("accept", RESPONSE),
        ("content-type", LEGACY),
    ]
    answer = httpx.post(hub.graphql, content=b'{"query":"{__typename}"}', headers=headers, trust_env=False)
    assert (answer.status_code, media(answer)) == (200, RESPONSE)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": CHECK, "variables": {"code": 5}}, "BAD_USER_INPUT"),
        ({"query": CHECK}, "BAD_USER_INPUT"),
        # Which operation is meant is a question of the document, too.
        ({"query": "query A {__typename}", "operationName": "B"}, "BAD_USER_INPUT"),
        ({"query": "query A {__typename} query B {__typename}"}, "BAD_USER_INPUT"),
        ({"query": "query A {__typename} query B {__typename}", "operationName": ""}, "BAD_USER_INPUT"),
        ({"query": "fragment F on Query {__typename}"}, "BAD_USER_INPUT"),
        ({"query": "{" + " ".join(f"a{n}: __typename" for n in range(60)) + "}"}, "LIMIT_EXCEEDED"),
    ],
)
def test_a_refused_document_is_400_and_200_for_those_who_know_only_json(
    hub: ProvinceHub, body: dict[str, Any], code: str
) -> None:
    assert error(post(hub, body, RESPONSE)) == (400, code)
    assert error(post(hub, body, LEGACY)) == (200, code)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "Expected a value of non-null type 'String!' to be provided."),
        ({"code": 5}, "String cannot represent a non string value: 5"),
        (
            {"code": [1234567890123] * 9},
            "String cannot represent a non string value: [1234567890123, 1234567890123, 123456789…",
        ),
    ],
)
def test_what_is_wrong_with_a_variable_is_told_whole_and_its_value_short(
    hub: ProvinceHub, variables: dict[str, Any], told: str
) -> None:
    answer = post(hub, {"query": CHECK, "variables": variables})
    assert answer.json()["errors"][0]["message"] == f"Variable '$code' has invalid value: {told}"


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ('{subjects(codes: ["91630103MA75ABCD1M", "91630103MA75ABCD1X"]) {id}}', 41),
        (
            '{subject(value: "91630103MA75ABCD1M") {records(filter: {decidedFrom: "2026"}) {edges {cursor}}}}',
            70,
        ),
    ],
)
def test_a_wrong_literal_is_told_with_its_place(hub: ProvinceHub, query: str, column: int) -> None:
    (told,) = post(hub, {"query": query}).json()["errors"]
    assert told["locations"] == [{"line": 1, "column": column}]


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "{__typename}",
        [],
        [{"query": "{__typename}"}, {"query": "{__typename}"}],
        {},
        {"query": None},
        {"query": ["{__typename}"]},
        {"query": {"a": 1}},
        {"Query": "{__typename}"},
        {"query": "{__typename}", "operationName": 1},
        {"query": "{__typename}", "operationName": []},
        {"query": "{__typename}", "variables": "{}"},
        {"query": "{__typename}", "variables": []},
        {"query": "{__typename}", "variables": 0},
        {"query": "{__typename}", "variables": False},
        {"query": "{__typename}", "extensions": []},
        {"query": "{__typename}", "extensions": "x"},
    ],
)
@pytest.mark.parametrize("accept", [LEGACY, RESPONSE])
def test_what_is_no_graphql_request_is_400(hub: ProvinceHub, body: object, accept: str) -> None:
    answer = post(hub, body, accept)
    assert answer.status_code == 400
    assert media(answer) == accept
    assert {one["extensions"]["code"] for one in answer.json()["errors"]} <= {
        "BAD_REQUEST",
        "GRAPHQL_PARSE_FAILED",
    }


def test_batches_are_off(hub: ProvinceHub) -> None:
    answer = post(hub, [{"query": "{__typename}"}])
    assert error(answer) == (400, "BAD_REQUEST")
    assert "batches" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"variables": None},
        {"variables": {}},
        {"variables": {"unused": [[1]]}},
        {"extensions": None},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"operationName": None},
        {"operationName": "A"},
        {"operationName": ""},
        {"more": "members are for the future"},
    ],
)
def test_optional_members_may_be_missing_null_or_unused(hub: ProvinceHub, more: dict[str, Any]) -> None:
    answer = post(hub, {"query": "query A {__typename}", **more})
    assert (answer.status_code, answer.json()["data"]) == (200, {"__typename": "Query"})


def test_the_operation_name_chooses_among_operations(hub: ProvinceHub) -> None:
    document = "query A {a: __typename} query B {b: __typename}"
    for name in ("A", "B"):
        assert post(hub, {"query": document, "operationName": name}).json()["data"] == {name.lower(): "Query"}


@pytest.mark.parametrize(
    "kind",
    [
        LEGACY,
        "application/json;charset=utf-8",
        'APPLICATION/JSON; Charset="UTF-8"',
        "application/json; charset=utf-8; profile=x",
    ],
)
def test_bodies_are_json_in_utf8_however_that_is_written(hub: ProvinceHub, kind: str) -> None:
    answer = httpx.post(
        hub.graphql,
        content='{"query":"{__typename}"}',
        headers={**hub.headers("mall"), "content-type": kind},
        trust_env=False,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=gb18030",
        "application/jsonp",
        "text/json",
    ],
)
def test_bodies_of_another_kind_are_415(hub: ProvinceHub, kind: str) -> None:
    """Also what a page of another origin may send without asking first: text/plain, forms."""
    headers = {**hub.headers("mall"), **({"content-type": kind} if kind else {})}
    answer = httpx.post(hub.graphql, content='{"query":"{__typename}"}', headers=headers, trust_env=False)
    assert error(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_compressed_body_is_415_and_says_so(hub: ProvinceHub) -> None:
    headers = {**hub.headers("mall"), "content-type": "application/json"}
    body = b'{"query":"{__typename}"}'
    for encoding, content in (("gzip", gzip.compress(body)), ("identity", body)):
        answer = httpx.post(
            hub.graphql, content=content, headers={**headers, "content-encoding": encoding}, trust_env=False
        )
        if encoding == "identity":
            assert answer.status_code == 200
        else:
            assert error(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
            assert "Content-Encoding" in answer.json()["errors"][0]["message"]


def test_get_and_post_give_the_same_answer(hub: ProvinceHub) -> None:
    by_post = post(hub, {"query": CHECK, "variables": {"code": MERCHANT}, "operationName": "Check"})
    by_get = get(hub, query=CHECK, variables=json.dumps({"code": MERCHANT}), operationName="Check")
    assert by_get.status_code == by_post.status_code == 200
    assert by_get.json()["data"] == by_post.json()["data"]
    assert {n: v for n, v in by_get.headers.items() if n != "date"} == {
        n: v for n, v in by_post.headers.items() if n != "date"
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": CHECK, "variables": "{"},
        {"query": CHECK, "variables": "[]"},
        {"query": CHECK, "variables": '"x"'},
        {"query": "{__typename}", "extensions": "5"},
        {"query": "{__typename}", "operationName": "B"},
        {"variables": "{}"},
    ],
)
def test_a_get_without_a_usable_query_is_400(hub: ProvinceHub, parameters: dict[str, str]) -> None:
    answer = get(hub, RESPONSE, **parameters)
    assert answer.status_code == 400
    code = answer.json()["errors"][0]["extensions"]["code"]
    assert code in ("BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "query_string",
    [
        "query={__typename}&query={__typename}",
        "query=%ff",
        "query=%7B__typename%7D&" + "&".join(f"a{n}=1" for n in range(40)),
        "%7B__typename%7D",
        "query",
    ],
)
def test_a_query_string_with_two_meanings_is_400(hub: ProvinceHub, query_string: str) -> None:
    answer = httpx.get(f"{hub.graphql}?{query_string}", headers=hub.headers("mall"), trust_env=False)
    assert error(answer) == (400, "BAD_REQUEST")


def test_get_is_for_queries_alone(hub: ProvinceHub) -> None:
    """Whoever makes somebody follow a link does nothing in their name."""
    command = (
        "query Look { __typename } mutation Do($code: USCC!) { runCreditCheck(subject: $code) { number } }"
    )
    headers = hub.headers("commerce", "ADMINISTRATIVE_LICENSING", hub_matter="unknown", hub_case="C-1")
    asked = {"query": command, "variables": json.dumps({"code": MERCHANT})}
    with httpx.Client(trust_env=False, headers=headers) as client:
        refused = client.get(f"{hub.graphql}?{urlencode({**asked, 'operationName': 'Do'})}")
        assert error(refused) == (405, "METHOD_NOT_ALLOWED")
        assert refused.headers["allow"] == "GET, POST"
        looked = client.get(f"{hub.graphql}?{urlencode({**asked, 'operationName': 'Look'})}")
        assert looked.json()["data"] == {"__typename": "Query"}
        # By POST it reaches the command, which knows no such matter.
        body = {"query": command, "variables": {"code": MERCHANT}, "operationName": "Do"}
        assert error(client.post(hub.graphql, json=body)) == (403, "MATTER_UNKNOWN")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"])
def test_other_methods_are_405_and_say_which_are_served(hub: ProvinceHub, method: str) -> None:
    answer = httpx.request(method, hub.graphql, headers=hub.headers("mall"), trust_env=False)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    if method != "HEAD":
        assert error(answer) == (405, "METHOD_NOT_ALLOWED")


def test_a_person_who_opens_the_endpoint_in_a_browser_finds_graphiql(hub: ProvinceHub) -> None:
    page = httpx.get(hub.graphql, headers={"accept": "text/html,application/xhtml+xml"}, trust_env=False)
    assert (page.status_code, page.headers["location"]) == (303, "/graphiql")


def test_answers_are_not_kept_by_anybody_between(hub: ProvinceHub) -> None:
    for answer in (hub.check(), post(hub, {"query": "{"}), httpx.post(hub.graphql, trust_env=False)):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == "accept, authorization"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_refusals_say_what_to_do_next(hub: ProvinceHub) -> None:
    missing = httpx.post(hub.graphql, json={"query": "{__typename}"}, trust_env=False)
    assert error(missing) == (401, "UNAUTHENTICATED")
    assert missing.headers["www-authenticate"] == "Bearer"
    assert missing.json()["errors"][0]["extensions"]["messageZh"] == "请求没有有效令牌"
    unsaid = hub.check("customs")
    assert error(unsaid) == (403, "PURPOSE_REQUIRED")
    assert unsaid.json()["errors"][0]["extensions"]["purposes"] == [
        "ONGOING_SUPERVISION",
        "JOINT_INCENTIVE",
        "JOINT_PUNISHMENT",
        "NOTIFICATION",
    ]


def test_of_many_values_in_one_request_the_unusable_one_is_named(hub: ProvinceHub) -> None:
    one = "{0}: subject(value: ${0}) {{ displayName records(after: ${0}c) {{ edges {{ cursor }} }} }}"
    query = (
        "query($a: String!, $b: String!, $ac: String, $bc: String) { "
        + " ".join(one.format(name) for name in "ab")
        + " }"
    )
    for wrong, argument, variable in (
        ({"b": MERCHANT[:-1] + "N"}, "value", "b"),
        ({"bc": "no cursor"}, "after", "bc"),
    ):
        told = hub.post(query, {"a": MERCHANT, "b": MERCHANT, **wrong}).json()["errors"][0]["extensions"]
        assert (told["code"], told["argument"]) == ("BAD_USER_INPUT", argument)
        assert told.get("variable") == variable


def test_errors_of_validation_say_where_and_all_that_is_wrong(hub: ProvinceHub) -> None:
    answer = post(hub, {"query": "{\n  nothing\n  neither\n}"}, RESPONSE)
    errors = answer.json()["errors"]
    assert [one["locations"] for one in errors] == [
        [{"line": 2, "column": 3}],
        [{"line": 3, "column": 3}],
    ]
    assert {one["extensions"]["code"] for one in errors} == {"GRAPHQL_VALIDATION_FAILED"}


async def test_every_answer_stands_in_the_ledger_under_its_request_id(hub: ProvinceHub) -> None:
    answer = hub.check()
    connection = await asyncpg.connect(hub.database.auditor_dsn)
    blocks = await connection.fetch("SELECT entries FROM ledger_block")
    await connection.close()
    known = {json.loads(line)["request"] for block in blocks for line in block[0].splitlines()}
    assert answer.json()["extensions"]["requestId"] in known
