"""A small endpoint behind the GraphiQL page: two partners with two views, tokens that expire, and mishaps."""

from __future__ import annotations

import asyncio
import re
from itertools import count
from typing import Any

from graphql import build_schema, graphql
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.graphiql.page import DemoOfficer, DemoPartner, PurposeChoice

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
interface RegisteredSubject implements CreditSubject { displayName: String summary: CreditSummary
  listEntries: [ListEntry!] uscc: String registrationStatus: String grades: [Grade!] }
type Organization implements RegisteredSubject & CreditSubject { displayName: String summary: CreditSummary
  listEntries: [ListEntry!] uscc: String registrationStatus: String grades: [Grade!]
  legalRepresentativeName: String contact: Contact }
type IndividualBusiness implements RegisteredSubject & CreditSubject { displayName: String summary: CreditSummary
  listEntries: [ListEntry!] uscc: String registrationStatus: String grades: [Grade!] operatorName: String }
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


def refused(status: int, code: str, **extensions: Any) -> Response:
    """A refusal as the hub words it."""
    return JSONResponse({"errors": [{"message": code, "extensions": {"code": code, **extensions}}]}, status)


class Endpoint:
    """The small endpoint, and the headers and documents it was sent."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.heard: list[dict[str, str]] = []
        self.documents: list[str] = []
        self.pause = 0.0  # seconds before each answer
        self.mishaps: list[Response] = []  # what comes in place of the next answers to what was understood
        self.gate = asyncio.Event()  # no answer goes out while it is not set
        self.gate.set()
        self._numbers = count(1)
        self.valid = 1  # tokens end in this number; raising it lets all that were given out expire

    async def answer(self, request: Request) -> Response:
        """Answer a POST as the partner that the token names."""
        self.heard.append(dict(request.headers))
        # The last part of a token may be all of it; nobody reads the others here.
        form = r"Bearer (?:[\w-]+\.[\w-]+\.)?demo-(\w+)-(\d+)(?:-second)?"
        token = re.fullmatch(form, request.headers.get("authorization", ""))
        if token is None or token[1] not in VIEWS or int(token[2]) != self.valid:
            refusal = {
                "message": "The request carries no valid token.",
                "extensions": {"messageZh": "请求没有有效令牌"},
            }
            return JSONResponse({"errors": [refusal]}, 401)
        body = await request.json()
        self.documents.append(body["query"])
        await asyncio.sleep(self.pause)
        await self.gate.wait()

        async def slow(*_: Any) -> str:
            await asyncio.sleep(SLOW)
            return "late answer"

        if self.mishaps:
            return self.mishaps.pop(0)
        root = {"act": "done", "subject": lambda _, value: _subject(token[1], value), "slow": slow}
        result = await graphql(VIEWS[token[1]], body["query"], root, variable_values=body.get("variables"))
        extensions = {"requestId": f"request-{next(self._numbers)}"}
        return JSONResponse({**result.formatted, "extensions": extensions})

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
