"""GraphQL over HTTP: media types and bodies. Pure.

As the drafts and the public audits of servers, which tests run, have it: 400 for what does not validate, and 200 for
clients that know only application/json, which is also what callers get who do not say what they accept. The edition
of September 2026 has an error's own status there, too, and 422 for what does not validate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from hub.errors import BadRequest, NotAcceptable, PersistedQueryNotSupported, UnsupportedMediaType

JSON = b"application/json"
RESPONSE = b"application/graphql-response+json"


@dataclass(frozen=True)
class Asked:
    """The members of a GraphQL request."""

    query: str
    operation_name: str | None
    variables: Mapping[str, Any]


def media_type(accept: bytes | None) -> bytes:
    """The media type of the answer: the first best of what is accepted. Raises NotAcceptable.

    Without a preference it is application/json, which every client reads.
    """
    if accept is None or accept in (b"*/*", JSON):
        return JSON
    if accept == RESPONSE:
        return RESPONSE
    ranges = [_with_parameters(one) for one in accept[:1024].decode("latin-1").split(",")]
    named = {name for name, _ in ranges}
    # A wildcard stands for what is not named itself: that may be refused (q=0) or liked less.
    others = next((kind for kind in (JSON, RESPONSE) if kind.decode() not in named), None)
    best, weight = None, 0.0
    for name, parameters in ranges:
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        found = {
            "application/graphql-response+json": RESPONSE,
            "application/json": JSON,
            "application/*": others,
            "*/*": others,
        }.get(name)
        if found is not None and parameters.get("charset", "utf-8") == "utf-8" and quality > weight:
            best, weight = found, quality
    if best is None:
        raise NotAcceptable("Answers are application/graphql-response+json or application/json.")
    return best


def posted(content_type: bytes | None, body: bytes) -> Asked:
    """The request in a POST body. Raises UnsupportedMediaType, BadRequest, PersistedQueryNotSupported."""
    if content_type != JSON:
        kind, parameters = _with_parameters((content_type or b"").decode("latin-1"))
        if kind != "application/json" or parameters.get("charset", "utf-8") != "utf-8":
            raise UnsupportedMediaType
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON in UTF-8.") from None
    if not isinstance(given, dict):
        raise BadRequest("The body must be a JSON object; batches are not served.")
    return _asked(given)


def queried(query_string: bytes) -> Asked:
    """The request in the parameters of a GET. Raises BadRequest, PersistedQueryNotSupported."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=16,
        )
    except ValueError:
        raise BadRequest("The query string cannot be read.") from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in given:
            raise BadRequest("A parameter is given twice.")
        given[name] = value
    for name in ("variables", "extensions"):
        if given.get(name):
            try:
                given[name] = orjson.loads(given[name])
            except orjson.JSONDecodeError:
                raise BadRequest(f"The parameter {name} is not JSON.") from None
        else:
            given.pop(name, None)
    return _asked(given)


def _with_parameters(value: str) -> tuple[str, dict[str, str]]:
    """A media type or range and its parameters, in lower case and without quotes."""
    kind, *parameters = (one.strip() for one in value.lower().split(";"))
    pairs = (one.partition("=") for one in parameters)
    return kind, {name: given.strip('"') for name, _, given in pairs}


def _asked(given: Mapping[str, Any]) -> Asked:
    query, name = given.get("query"), given.get("operationName")
    variables, extensions = given.get("variables"), given.get("extensions")
    if query is None and isinstance(extensions, dict) and extensions.get("persistedQuery"):
        # By this word Apollo's and urql's links know that they have to send the document.
        raise PersistedQueryNotSupported("PersistedQueryNotSupported")
    if not isinstance(query, str):
        raise BadRequest("The member query must be a string.")
    if name is not None and not isinstance(name, str):
        raise BadRequest("The member operationName must be a string.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("The member variables must be an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest("The member extensions must be an object.")
    return Asked(query, name or None, variables or {})
