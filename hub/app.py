"""The composition root: makes every part from the settings, and the ASGI application around them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.contract import Mode, Tools
from hub.casework.redeem import platform_of
from hub.casework.registry import registry
from hub.config import Settings
from hub.errors import HubError
from hub.graphiql.page import LOOPBACK, graphiql_routes
from hub.harvest.classes import data_class_of
from hub.harvest.rejections import Rejections
from hub.ledger.chain import Ledger
from hub.observe import AgreementsChanged, Observer, place_of
from hub.query.binding import Secrets
from hub.query.operations import Operations
from hub.rights.agreement import Agreements, today_in
from hub.rights.identity import Tokens
from hub.rights.keysets import PartnerKeys
from hub.rights.openness import load_openness
from hub.rights.standing import Standings
from hub.rules.matrix import load_matrix
from hub.sandbox.partners import demo_partners
from hub.serving.answers import Answers, Parts
from hub.serving.gateway import Gateway
from hub.serving.mutations import Mutations
from hub.serving.protocol import ENDPOINT
from hub.serving.quota import Quotas
from hub.sources.cache import RowCache
from hub.sources.discovery import connect_all, discover
from hub.sources.freshness import SourceStates
from hub.sources.live import LiveSources
from hub.store.database import Role, open_pool, role_url
from hub.store.reader import Reader
from schema.coordinates import vocabulary
from schema.persons import hmac_sm3

GRAPHQL = ENDPOINT.decode()
# Connections of a worker for commands; each command holds one for as long as its transaction.
COMMANDERS = 3
# Connections of a worker that writes little: agreements (one, listening), quotas and the states of live sources.
WRITERS = 3


def present() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


def load_what_is_alike() -> None:
    """Load what all processes of a hub have alike, before they part: then memory has it once."""
    vocabulary()
    registry()
    load_matrix()
    discover()


@dataclass
class Running:
    """The parts of a running hub, for its own pages."""

    parts: Parts
    observer: Observer


@asynccontextmanager
async def running(settings: Settings, clock: Callable[[], datetime] = present) -> AsyncIterator[Running]:
    """Open every part, give them, and close them in reverse. Errors: those of the parts; nothing is half open."""

    def digest_person_id(number: str) -> str:
        return hmac_sm3(settings.id_key, number)

    known = vocabulary()
    matrix = load_matrix()
    observer = Observer()
    async with AsyncExitStack() as stack:
        reader = await Reader.open(settings)
        stack.push_async_callback(reader.close)
        writer = await open_pool(settings, Role.WRITER, WRITERS)
        stack.callback(writer.terminate)
        agreements = await Agreements.open(writer, matrix, clock, known.coordinates)
        stack.push_async_callback(agreements.close)
        keys = PartnerKeys(agreements, clock)
        await keys.start()
        stack.push_async_callback(keys.close)
        tokens = Tokens(keys, settings.token_audience)
        cache = RowCache(settings.cursor_key, 24 * 3600, settings.redis_url)
        stack.push_async_callback(cache.close)
        tools = Tools(digest_person_id=digest_person_id, deadline=settings.source_deadline, now=clock)
        connectors = {
            name: one
            for name, one in connect_all(settings.source_settings, tools).items()
            if one.source.mode is Mode.LIVE
        }
        for connector in connectors.values():
            stack.push_async_callback(connector.close)
        rejections = Rejections(writer, clock)
        await rejections.start()
        stack.push_async_callback(rejections.stop)
        live = LiveSources(connectors, cache, settings, classify=data_class_of, on_rejected=rejections.note)
        stack.push_async_callback(live.close)
        sources = {name: module.SOURCE for name, module in discover().items()}
        states = SourceStates(reader, sources, connectors, clock)
        await states.start()
        stack.push_async_callback(states.stop)
        quotas = Quotas(writer, matrix.person_lookups, lambda: today_in(clock()))
        await quotas.start()
        stack.push_async_callback(quotas.stop)
        commanders = await open_pool(
            settings, Role.WRITER, COMMANDERS, statement_seconds=settings.command_timeout
        )
        stack.callback(commanders.terminate)
        ledger = Ledger(role_url(settings, Role.WRITER), timeout=settings.database_timeout)
        await ledger.start()
        stack.push_async_callback(ledger.stop)
        platform = platform_of(settings)
        if platform is not None:
            stack.push_async_callback(platform.close)
        known_keys = Secrets(settings.cursor_key, digest_person_id, settings.id_key)
        parts = Parts(
            clock=clock,
            tokens=tokens,
            agreements=agreements,
            standings=Standings(known, matrix, load_openness()),
            operations=Operations(known_keys),
            quotas=quotas,
            reader=reader,
            states=states,
            live=live,
            ledger=ledger,
            mutations=Mutations(
                commanders,
                registry(),
                known_keys,
                states,
                f"{matrix.version} {matrix.digest[:16]}",
                platform,
                timeout=settings.command_timeout,
            ),
        )
        yield Running(parts, observer)


def create_app(settings: Settings, clock: Callable[[], datetime] = present) -> Application:
    """The hub as an ASGI application; its lifespan opens and closes all parts.

    Where figures have a port of their own, partners find no /metrics: `figures` is for that port.
    """
    held: list[Running] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running(settings, clock) as hub:
            held.append(hub)
            application.gateway = Gateway(Answers(hub.parts), hub.observer, settings.max_body_bytes)
            yield
            application.gateway = None
            held.clear()

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        missing = [] if held else ["starting"]
        if held:
            if held[0].parts.ledger.chain is None:
                missing.append("ledger")
            try:
                await held[0].parts.reader.row("SELECT 1", ())
            except Exception:  # Whatever it is, the hub is not ready.
                missing.append("store")
        return JSONResponse({"ready": not missing, "missing": missing}, 200 if not missing else 503)

    async def metrics(_: Request) -> Response:
        if held:
            held[0].observer.tell(AgreementsChanged(len(held[0].parts.agreements.in_force())))
        body = held[0].observer.metrics() if held else b""
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    figures = Route("/metrics", metrics)
    partners = (lambda: demo_partners(settings, held[0].parts)) if settings.demo else None
    pages = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *([figures] if settings.metrics_port is None else []),
            *graphiql_routes(partners, only_here=settings.host in LOOPBACK),
        ],
        lifespan=lifespan,
    )
    application = Application(pages, Starlette(routes=[figures]))
    return application


class Application:
    """Sends GraphQL requests straight to the gateway, without a router on their way; everything else to the pages."""

    def __init__(self, pages: ASGIApp, figures: ASGIApp) -> None:
        """`gateway` is set while the parts are open; `figures` answers /metrics and nothing else."""
        self.pages = pages
        self.figures = figures
        self.gateway: Gateway | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] == GRAPHQL and self.gateway is not None:
            if scope["method"] == "GET" and _is_browser(scope):
                await RedirectResponse("/graphiql", 303)(scope, receive, send)
            else:
                await self.gateway(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.pages(scope, receive, _in_words(send))
        else:
            await self.pages(scope, receive, send)


def _in_words(send: Send) -> Send:
    """Why the hub cannot start or stop, in one line; Starlette would tell the whole traceback."""

    async def tell(message: Message) -> None:
        if message["type"].endswith(".failed"):
            error = sys.exc_info()[1]
            if isinstance(error, HubError):
                words = f"{error} [{error.code}]"
            else:
                words = f"{type(error).__name__} at {place_of(error) if error else None}"
            message = {**message, "message": words}
        await send(message)

    return tell


def _is_browser(scope: Scope) -> bool:
    """Whether a person opened the endpoint in a browser: it has no query, and wants a page."""
    accept: bytes = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return accept.startswith(b"text/html") and not scope["query_string"]
