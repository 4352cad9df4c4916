"""The chamber of commerce (行业协会): members' archives and evaluations, over its own GraphQL interface."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from connectors.certificates import certificate_problem
from connectors.contract import (
    SHANGHAI,
    Batch,
    CatalogItem,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Refused,
    Retention,
    RowRejected,
    Setting,
    Source,
    SubjectRef,
    Tools,
    Unavailable,
)
from connectors.counterparty import fold
from connectors.files import defect, reject_defect
from connectors.reading import Reader, json_raw, kind_of
from connectors.tls import trusted, words

ARCHIVE = "XH-ARCHIVE"
INTERNAL = "XH-INTERNAL"
GRADE = "XH-GRADE"
KEEPER = "青海省商业联合会"
KEEPER_CODE = "51630000500001237G"

SOURCE = Source(
    name="ASSOCIATION",
    title_zh="行业协会",
    provider_name=KEEPER,
    provider_code=KEEPER_CODE,
    items=(
        CatalogItem(ARCHIVE, "会员信用档案(公开部分)", Kind.ARCHIVE, "D24"),
        CatalogItem(INTERNAL, "会员信用档案(内部部分)", Kind.ARCHIVE, "D25"),
        CatalogItem(GRADE, "行业信用评价", Kind.GRADE, "D24"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.QUARTERLY,
    settings=(
        Setting("HUB_ASSOCIATION_URL", "GraphQL endpoint of the association"),
        Setting("HUB_ASSOCIATION_TOKEN", "Token for it", secret=True),
    ),
)

# Telephone, fax and the representative's number are marked 此项不对外公开: they are not asked for.
_MEMBER = """
fragment M on Member { memberNo name uscc memberClass status joinedOn conventionSignedOn updatedAt
  honours grade certificateNo gradedOn complaints { received resolved } sanctions { kind decidedOn } }
"""
_PAGE = (
    """
query Members($since: String, $after: String, $first: Int!) {
  members(since: $since, after: $after, first: $first) {
    totalCount pageInfo { hasNextPage endCursor } nodes { ...M } } }
"""
    + _MEMBER
)
_SOME = "query Some($codes: [String!]!) { membersByCode(codes: $codes) { ...M } }" + _MEMBER
_PER_PAGE = 100
_SHAPE = "the association's answer has another shape"
_MAX_BYTES = 16 << 20
_COMMON = ("memberNo", "name", "uscc", "status", "updatedAt")
_PARTS = {
    ARCHIVE: ("memberClass", "joinedOn", "conventionSignedOn", "honours"),
    INTERNAL: ("joinedOn", "complaintsReceived", "complaintsResolved", "sanctions"),
    GRADE: ("grade", "certificateNo", "gradedOn"),
}
_TOLD = ("complaints", "sanctions", "honours", "grade", "certificateNo")
_LABELS = {
    "memberClass": "会员类别",
    "joinedOn": "入会日期",
    "conventionSignedOn": "自律公约签署日期",
    "honours": "荣誉",
    "complaintsReceived": "收到投诉数",
    "complaintsResolved": "已处理投诉数",
    "sanctions": "行业惩戒",
}
_PROBLEMS = {
    "NOT_A_NUMBER": "a certificate number has 15 digits, three of them a grade's",
    "OTHER_GRADE": "the certificate number belongs to another grade",
    "OTHER_YEAR": "the certificate number belongs to another year",
}


class Association:
    """The association's interface, ready to be asked page by page or by codes."""

    source = SOURCE

    def __init__(self, url: str, token: str, tools: Tools) -> None:
        """Ask at `url` with `token`."""
        # Loaded where there is an association: it brings a command line with it, 5 MB of memory.
        import httpx

        self._url, self._deadline, self._now = url, tools.deadline, tools.now
        self._client = httpx.AsyncClient(
            timeout=tools.deadline,
            trust_env=False,
            verify=trusted(),
            headers={"Authorization": f"Bearer {token}"},
        )

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Members changed since the last harvest, oldest change first. Raises SourceError."""
        place = json.loads(cursor) if cursor else {}
        since, after, latest = self._come(place.get("since")), place.get("after"), place.get("latest")
        while True:
            page = (await self._ask(_PAGE, {"since": since, "after": after, "first": _PER_PAGE})).get(
                "members"
            )
            try:
                assert isinstance(page, dict)
                nodes, more = page["nodes"], bool(page["pageInfo"]["hasNextPage"])
                assert all(isinstance(node, dict) for node in nodes)
                total, after = int(page["totalCount"]) * len(_PARTS), page["pageInfo"]["endCursor"]
                latest = nodes[-1]["updatedAt"] if nodes else latest
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                raise Unavailable(_SHAPE) from error
            rows = [row for node in nodes for row in _split(node)]
            if not more:
                # The next harvest begins with the last change seen: one in the same second is not missed.
                latest = self._come(latest)
                yield Batch(rows, json.dumps({"since": latest, "after": None, "latest": latest}), total)
                return
            yield Batch(rows, json.dumps({"since": since, "after": after, "latest": latest}), total)

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The parts `items` of the members with the given USCCs. Raises SourceError."""
        if unknown := set(items) - set(_PARTS):
            raise Refused(f"the association has no item {min(unknown)}")
        found: dict[str, list[RawRow]] = {key: [] for key in keys}
        for start in range(0, len(keys), _PER_PAGE):
            some = list(keys[start : start + _PER_PAGE])
            nodes = (await self._ask(_SOME, {"codes": some})).get("membersByCode")
            if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
                raise Unavailable(_SHAPE)
            for node in nodes:
                code = fold(str(node.get("uscc", "")))
                # A member nobody asked for goes to all keys of its call: the hub distrusts them.
                for key in [code] if code in some else some:
                    found[key] += [row for row in _split(node) if row.origin.rpartition("/")[2] in items]
        return found

    def canonical(self, row: RawRow) -> Item:
        """The part of an archive, or the evaluation, that `row` states. Raises RowRejected."""
        reject_defect(row)
        read = Reader(row)
        item = row.origin.rpartition("/")[2]
        number, code, updated = (
            read.required("memberNo"),
            read.required_code("uscc"),
            read.moment("updatedAt"),
        )
        read.required("status")
        subject = SubjectRef(kind_of(code), read.required("name"), (("USCC", code),))
        deleted = read.says("status", ("已退会",), ("在会",)) is True
        if item == GRADE:
            # A member has one grade, whatever number its certificate has: the next one takes its place, and so does none.
            none = read.text("grade") is None and read.text("certificateNo") is None
            values = {} if none or deleted else _evaluation(read, self._now().astimezone(SHANGHAI).date())
            record_id, ended = f"{GRADE}:{number}", none or deleted
            return Item(Kind.GRADE, record_id, GRADE, subject, values, updated, ended, read.flags)
        archive: dict[str, object] = {
            "archive_type": "ASSOCIATION" if item == ARCHIVE else "ASSOCIATION_INTERNAL",
            "origin_class": "MARKET_CREDIT",
            "keeper_name": KEEPER,
            "keeper_uscc": KEEPER_CODE,
            "opened_on": read.day("joinedOn"),
            "last_updated_on": updated.date() if updated else None,
            "items": [
                {"code": name, "label": _LABELS[name], "value": _shown(read, name)} for name in _PARTS[item]
            ],
        }
        return Item(Kind.ARCHIVE, f"{item}:{number}", item, subject, archive, updated, deleted, read.flags)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _come(self, moment: str | None) -> str | None:
        """`moment`, or the present where it is yet to come: what changes until then would be asked for by no harvest."""
        with suppress(ValueError, TypeError):
            now = self._now().astimezone(SHANGHAI)
            if moment is not None and datetime.fromisoformat(moment) > now:
                return now.isoformat(timespec="seconds")
        return moment

    async def _ask(self, query: str, variables: Mapping[str, object]) -> dict[str, object]:
        import httpx

        try:
            async with asyncio.timeout(self._deadline):
                content = await self._post(json.dumps({"query": query, "variables": variables}).encode())
        except TimeoutError:
            raise Unavailable(f"the association did not answer within {self._deadline:g} s") from None
        # The library passes on as they are what fails in TLS once the greeting is over, and a redirection to no web address.
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise Unavailable(f"the association: {words(error)}") from error
        try:
            answer = json.loads(content)
            errors, data = answer.get("errors"), answer.get("data")
        except (ValueError, AttributeError, RecursionError):
            raise Unavailable("the association's answer is not GraphQL") from None
        if errors:
            codes = {
                str(one.get("extensions", {}).get("code", "")) for one in errors if isinstance(one, dict)
            }
            if codes & {"RATE_LIMITED", "INTERNAL_SERVER_ERROR"}:
                raise Unavailable(f"the association refuses for now: {min(codes)[:32]}")
            raise Refused(f"the association refuses: {min(codes, default='')[:32]}")
        if not isinstance(data, dict):
            raise Unavailable("the association's answer has no data")
        return data

    async def _post(self, body: bytes) -> bytes:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/graphql-response+json, application/json",
        }
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            if response.status_code >= 500 or response.status_code == 429:
                raise Unavailable(f"the association: HTTP {response.status_code}")
            if response.status_code in (401, 403, 404):
                raise Refused(f"the association: HTTP {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MAX_BYTES:
                    raise Unavailable(f"the association's answer is longer than {_MAX_BYTES} bytes")
        return bytes(content)


def _split(node: Mapping[str, object]) -> list[RawRow]:
    """The rows of one member: its parts have different readers, so they are rows of their own."""
    try:
        # What is null the association does not say; but who has no grade has none any more, which it must have said.
        complaints, sanctions, honours, *_ = (node[name] for name in _TOLD)
        assert isinstance(complaints, dict | None)
        assert isinstance(sanctions, list | None)
        assert isinstance(honours, list | None)
        received, resolved = (
            (complaints[name] for name in ("received", "resolved")) if complaints else (None,) * 2
        )
        flat = dict(node) | {
            "complaintsReceived": received,
            "complaintsResolved": resolved,
            "sanctions": ";".join(f"{one['decidedOn']} {one['kind']}" for one in sanctions or ()),
            "honours": ";".join(map(str, honours or ())),
        }
    except (AssertionError, KeyError, TypeError):
        # One member's costs no other.
        return [_misshapen(item, node) for item in _PARTS]
    rows = []
    for item, part in _PARTS.items():
        fields = {name: flat.get(name) for name in (*_COMMON, *part)}
        rows.append(json_raw(f"{SOURCE.name}/{item}", str(node.get("memberNo")), fields))
    return rows


def _misshapen(item: str, node: Mapping[str, object]) -> RawRow:
    row = json_raw(f"{SOURCE.name}/{item}", str(node.get("memberNo")), node)
    reason = "complaints, sanctions, honours or the grade are missing, or of another shape"
    return defect(row.origin, row.position, row.raw, "UNKNOWN_VALUE", reason)


def _shown(read: Reader, name: str) -> str | None:
    if name.endswith("On"):
        day = read.day(name)
        return day.isoformat() if day else None
    return read.text(name)


def _evaluation(read: Reader, today: date) -> dict[str, object]:
    """An evaluation whose 15-digit certificate agrees with what is said about it."""
    certificate, grade = read.required("certificateNo"), read.required("grade")
    graded = read.past_day("gradedOn", today)
    if problem := certificate_problem(certificate, grade, graded.year):
        if problem == "UNKNOWN_GRADE":
            raise RowRejected("UNKNOWN_GRADE", "grade is none of AAA to C")
        raise RowRejected("CERTIFICATE", _PROBLEMS[problem])
    return {
        "scheme": "ASSOCIATION",
        "grade_code": grade,
        "grade_label": f"{grade}级",
        "issuer_name": KEEPER,
        "issuer_uscc": KEEPER_CODE,
        "effective_from": graded,
    }


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The association as the settings describe it. Raises ValueError naming the setting that is missing."""
    for one in SOURCE.settings:
        if not settings.get(one.name):
            raise ValueError(f"{one.name} is not set")
    return Association(settings["HUB_ASSOCIATION_URL"], settings["HUB_ASSOCIATION_TOKEN"], tools)
