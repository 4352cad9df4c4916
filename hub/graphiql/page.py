"""Serves the GraphiQL page: the document, its assets, its settings and, in demo mode, the demo partners.

The page keeps nothing: no cookie, no local storage. Its Content-Security-Policy allows this origin only,
no `unsafe-eval` and no `unsafe-inline`; the one style element that dialogs add carries a nonce.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from graphql import GraphQLEnumType
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from hub.graphiql.build import ASSETS, built_digest
from hub.graphiql.examples import read_examples
from schema.coordinates import vocabulary

PAGE_PATH = "/graphiql"
SETTINGS_PATH = "/graphiql/settings"
PARTNERS_PATH = "/graphiql/partners"
ASSETS_PATH = "/graphiql/assets"
# How a browser on this machine calls it.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# What the build writes and the page may load. Nothing else below assets/ is ever served.
_MEDIA_TYPES = {
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "app.js.LEGAL.txt": "text/plain; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HARDENING = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_PAGE = Template("""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="hub-settings" content="$settings">
<meta name="hub-style-nonce" content="$nonce">
<title>信用信息共享枢纽 · GraphiQL</title>
<link rel="icon" type="image/svg+xml" href="$assets/favicon.svg?v=$version">
<link rel="stylesheet" href="$assets/app.css?v=$version">
<script type="module" src="$assets/app.js?v=$version"></script>
</head>
<body><div id="page"></div></body>
</html>
""")

_NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>GraphiQL</title></head>
<body><p>GraphiQL 尚未构建：请安装 Node.js 18 以上（含 npm），运行 <code>python -m hub.graphiql.build</code>，
再刷新本页。</p>
<p>GraphiQL is not built: install Node.js 18 or newer with npm, run <code>python -m hub.graphiql.build</code>,
then reload this page. The GraphQL endpoint works without it.</p></body></html>
"""


@dataclass(frozen=True)
class PurposeChoice:
    """A purpose that a person can choose on the page."""

    code: str  # value of the Hub-Purpose header
    label: str = ""  # its Chinese term
    matter: str = ""  # proposed Hub-Matter
    case: str = ""  # proposed Hub-Case


@dataclass(frozen=True)
class DemoOfficer:
    """An officer of a demo partner: many steps need a second person (经办、复核)."""

    name: str
    token: str  # fresh at every call, because demo tokens expire


@dataclass(frozen=True)
class DemoPartner:
    """A partner whose part anybody may play in demo mode."""

    id: str
    name: str
    class_name: str  # P1 ... P12
    purposes: tuple[PurposeChoice, ...]  # those of its agreement; the first is chosen at first
    officers: tuple[DemoOfficer, ...]  # the first is chosen at first


def graphiql_routes(
    demo_partners: Callable[[], list[DemoPartner]] | None,
    *,
    only_here: bool = False,
    endpoint: str = "/graphql",
    assets: Path = ASSETS,
) -> list[Route]:
    """Give the routes of the page.

    `demo_partners` switches demo mode on: whoever reaches the page may then act as any of them. None
    (production) leaves that address out altogether, and the page asks for a token and one of all purposes.
    `only_here`: the hub listens on loopback, so it has no other name; a page elsewhere whose name leads here (DNS
    rebinding) gets no demo partner.
    """
    examples = [{"query": item.query, "variables": item.variables_text} for item in read_examples()]
    settings = {
        "endpoint": endpoint,
        "partnersPath": PARTNERS_PATH if demo_partners else None,
        "purposes": [_choice(purpose) for purpose in _every_purpose()],
        "examples": examples,
    }

    def page(_: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        headers = {
            **_HARDENING,
            "Content-Security-Policy": _POLICY.format(nonce=nonce),
            "Cache-Control": "no-store",
        }
        digest = built_digest(assets)
        if digest is None:
            return HTMLResponse(_NOT_BUILT, 503, headers)
        return HTMLResponse(
            _PAGE.substitute(assets=ASSETS_PATH, settings=SETTINGS_PATH, nonce=nonce, version=digest[:16]),
            headers=headers,
        )

    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        path = assets / name
        if name not in _MEDIA_TYPES or not path.is_file():
            return PlainTextResponse("Not found", 404, _HARDENING)
        # An address with a version never changes its content; without one, the browser asks again.
        age = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
        return FileResponse(path, headers={**_HARDENING, "Cache-Control": age}, media_type=_MEDIA_TYPES[name])

    def page_settings(_: Request) -> Response:
        return JSONResponse(settings, headers={**_HARDENING, "Cache-Control": "no-store"})

    routes = [
        Route("/", lambda _: RedirectResponse(PAGE_PATH), methods=["GET"]),
        Route(PAGE_PATH, page, methods=["GET"]),
        Route(SETTINGS_PATH, page_settings, methods=["GET"]),
        Route(ASSETS_PATH + "/{name}", asset, methods=["GET"]),
    ]
    if demo_partners:
        listed = demo_partners

        def partners(request: Request) -> Response:
            if only_here and request.url.hostname not in LOOPBACK:
                return PlainTextResponse("Not found", 404, _HARDENING)
            found = [_partner(partner) for partner in listed()]
            return JSONResponse(found, headers={**_HARDENING, "Cache-Control": "no-store"})

        routes.append(Route(PARTNERS_PATH, partners, methods=["GET"]))
    return routes


def _every_purpose() -> list[PurposeChoice]:
    declared = vocabulary().schema.type_map["Purpose"]
    assert isinstance(declared, GraphQLEnumType)
    return [PurposeChoice(code, value.description or "") for code, value in declared.values.items()]


def _choice(purpose: PurposeChoice) -> dict[str, str]:
    return {"code": purpose.code, "label": purpose.label, "matter": purpose.matter, "case": purpose.case}


def _partner(partner: DemoPartner) -> dict[str, object]:
    return {
        "id": partner.id,
        "name": partner.name,
        "className": partner.class_name,
        "purposes": [_choice(purpose) for purpose in partner.purposes],
        "officers": [{"name": one.name, "token": one.token} for one in partner.officers],
    }
