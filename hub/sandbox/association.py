"""Sandbox of the chamber of commerce: its own GraphQL interface over HTTP, with a token and pages."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.sandbox import dirt
from hub.sandbox.facts import Subject
from hub.sandbox.province import Province
from hub.sandbox.server import Fault

MOST = 100


@strawberry.type
class Complaints:
    """Complaints about a member."""

    received: int
    resolved: int


@strawberry.type
class Sanction:
    """What the association decided against a member."""

    kind: str
    decided_on: str


@strawberry.type
class Member:
    """A member and its archive."""

    member_no: str
    name: str
    uscc: str
    member_class: str
    status: str
    joined_on: str
    convention_signed_on: str
    updated_at: str
    honours: list[str]
    grade: str | None
    certificate_no: str | None
    graded_on: str
    complaints: Complaints
    sanctions: list[Sanction]
    # 此项不对外公开
    phone: str
    representative_id_number: str


@strawberry.type
class PageInfo:
    """Whether there is more."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Members:
    """A page of members."""

    nodes: list[Member]
    page_info: PageInfo
    total_count: int


@dataclass
class Chamber:
    """The interface over a province's members."""

    province: Province
    token: str
    fault: Fault = Fault.NONE
    requests: int = 0
    _members: list[Member] = field(default_factory=list)

    def members(self) -> list[Member]:
        """All members, oldest change first."""
        if not self._members:
            found = (
                one
                for subject in self.province.organizations()
                if subject.membership
                for one in _deliveries(subject)
            )
            self._members = sorted(found, key=lambda member: (member.updated_at, member.member_no))
        return self._members

    def app(self) -> Starlette:
        """The interface as an ASGI application."""
        schema = strawberry.Schema(query=_Query)

        async def graphql(request: Request) -> Response:
            self.requests += 1
            if self.fault is Fault.ERROR:
                return PlainTextResponse("Internal Server Error", 500)
            if self.fault is Fault.GARBAGE:
                return PlainTextResponse("<html>维护中</html>")
            given = request.headers.get("authorization", "")
            if self.fault is Fault.SIGNATURE or not hmac.compare_digest(
                given.encode(), f"Bearer {self.token}".encode()
            ):
                return JSONResponse(
                    {"errors": [{"message": "未授权", "extensions": {"code": "UNAUTHENTICATED"}}]}, 401
                )
            asked = json.loads(await request.body())
            result = await schema.execute(
                asked["query"], variable_values=asked.get("variables"), context_value=self
            )
            answer: dict[str, Any] = {"data": result.data}
            if result.errors:
                answer["errors"] = [error.formatted for error in result.errors]
            return JSONResponse(answer, media_type="application/graphql-response+json")

        async def set_fault(request: Request) -> Response:
            self.fault = Fault((await request.body()).decode())
            return PlainTextResponse(self.fault)

        return Starlette(
            routes=[
                Route("/graphql", graphql, methods=["POST"]),
                Route("/sandbox/fault", set_fault, methods=["PUT"]),
            ]
        )


@strawberry.type
class _Query:
    @strawberry.field
    def members(
        self,
        info: strawberry.Info[Chamber],
        first: int = 50,
        after: str | None = None,
        since: str | None = None,
    ) -> Members:
        """Members changed at or after `since`, oldest change first."""
        if not 0 < first <= MOST:
            raise GraphQLError(f"first 应为1至{MOST}", extensions={"code": "BAD_USER_INPUT"})
        changed = [member for member in info.context.members() if since is None or member.updated_at >= since]
        # The cursor names a place in the order, not a count: members that change meanwhile shift nothing.
        place = base64.b64decode(after).decode() if after else ""
        rest = [member for member in changed if f"{member.updated_at}|{member.member_no}" > place]
        page = rest[:first]
        last = f"{page[-1].updated_at}|{page[-1].member_no}" if page else place
        end = base64.b64encode(last.encode()).decode()
        turn = PageInfo(has_next_page=len(rest) > first, end_cursor=end)
        return Members(nodes=page, page_info=turn, total_count=len(changed))

    @strawberry.field
    def members_by_code(self, info: strawberry.Info[Chamber], codes: list[str]) -> list[Member]:
        """The members with these USCCs."""
        if len(codes) > MOST:
            raise GraphQLError(f"codes 不得超过{MOST}个", extensions={"code": "BAD_USER_INPUT"})
        if info.context.fault is Fault.LIES:
            return info.context.members()[:1]
        wanted, found = set(codes), {}
        for member in info.context.members():
            code = dirt.tidy(member.uscc)
            if code in wanted:
                found[code] = member
        return list(found.values())


def _deliveries(subject: Subject) -> list[Member]:
    """The member as it stands; some were changed once more, some have left."""
    member = _member(subject)
    key = (member.member_no, subject.code)
    assert subject.membership is not None
    if dirt.falls(30, *key, "left"):
        later = f"{subject.membership.updated_on + timedelta(days=3):%Y-%m-%d}T09:00:00+08:00"
        return [member, _member(subject, status="已退会", updated_at=later)]
    return [member]


def _member(subject: Subject, status: str = "在会", updated_at: str | None = None) -> Member:
    membership = subject.membership
    assert membership is not None
    key = ("member", membership.number, subject.code)
    certificate = membership.certificate
    if certificate and dirt.falls(30, *key, "certificate"):
        certificate = certificate[:7] + "999" + certificate[10:]
    return Member(
        member_no=membership.number,
        name=subject.name,
        uscc=dirt.untidy(subject.code, *key),
        member_class=membership.member_class,
        status="冻结" if dirt.falls(5, *key, "frozen") else status,
        joined_on=dirt.day(membership.joined_on),
        convention_signed_on=dirt.day(membership.convention_signed_on, *key),
        updated_at=updated_at or f"{membership.updated_on:%Y-%m-%d}T09:00:00+08:00",
        honours=list(membership.honours),
        grade=membership.grade,
        certificate_no=certificate,
        graded_on=dirt.day(membership.graded_on, *key),
        complaints=Complaints(received=membership.complaints, resolved=membership.complaints_resolved),
        sanctions=[Sanction(kind=kind, decided_on=dirt.day(day)) for kind, day in membership.sanctions],
        phone=subject.phone,
        representative_id_number=subject.resident_id,
    )
