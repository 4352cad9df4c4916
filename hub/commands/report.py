"""`credithub report`: a quarterly report as a file that a person can hand in, asked of the running hub like any answer."""

from __future__ import annotations

import os
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from connectors.tls import trusted, words
from hub.commands.report_paper import CASES, REPORT, Paper, paper_of
from hub.commands.session import err, out, put, told
from hub.errors import MatterRequired

app = typer.Typer(no_args_is_help=True, help="Quarterly reports as files.")
# A hub that does not answer within this time is not there.
_SECONDS = 30.0
# How many characters that a font lacks are named.
_NAMED = 10


class Format(StrEnum):
    """What file is made."""

    XLSX = "xlsx"
    PDF = "pdf"


class _Refused(Exception):
    """The hub gave no data; its words are the hub's own."""


class _NoHub(Exception):
    """What answered is none: something in front of it, mostly, that says so in words of its own."""


@app.callback()
def report() -> None:
    """Quarterly reports as files."""


@app.command("export")
@told
def export(
    number: Annotated[str, typer.Argument(help="Number of the report.")],
    output: Annotated[Path, typer.Option(help="File to write; an existing one is replaced.")],
    token: Annotated[
        str, typer.Option(envvar="HUB_TOKEN", help="Token of the officer who asks (HUB_TOKEN).")
    ],
    format: Annotated[Format, typer.Option(help="What to make.")] = Format.XLSX,  # noqa: A002 -- the option's name
    url: Annotated[
        str | None,
        typer.Option(
            envvar="HUB_URL", help="GraphQL of the hub (HUB_URL); by default at HUB_PORT of this machine."
        ),
    ] = None,
    font: Annotated[
        Path | None, typer.Option(help="TrueType font to embed in a PDF, for readers without Chinese fonts.")
    ] = None,
    purpose: Annotated[str, typer.Option(help="Purpose that is declared.")] = "STATISTICS",
    matter: Annotated[str | None, typer.Option(help="Matter code, where the agreement needs one.")] = None,
) -> None:
    """Write a quarterly report as XLSX or PDF: what its token may see, and recorded like every answer (R18.3)."""
    url = url or f"http://127.0.0.1:{os.environ.get('HUB_PORT') or '8000'}/graphql"
    said = {"authorization": f"Bearer {token}", "hub-purpose": purpose, "hub-matter": matter}
    # Matter codes may be Chinese: headers carry them as UTF-8.
    headers = {name.encode(): value.encode() for name, value in said.items() if value is not None}
    try:
        with httpx.Client(headers=headers, timeout=_SECONDS, trust_env=False, verify=trusted()) as client:
            found = _report(client, url, number, drilling=format is Format.XLSX)
    except _Refused as error:
        err.print(f"credithub: {error}")
        raise typer.Exit(1) from None
    except _NoHub as error:
        err.print(f"credithub: no hub answers at {url}: {error}")
        raise typer.Exit(1) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
        err.print(f"credithub: no hub answers at {url}: {words(error)}")
        raise typer.Exit(1) from None
    lacking: list[str] = []
    # Neither library is loaded by commands that need none.
    if format is Format.XLSX:
        from hub.commands.report_workbook import workbook

        made = workbook(found)
    else:
        from hub.commands.report_pages import FontUnusable, pages

        try:
            made, lacking = pages(found, font)
        except FontUnusable:
            err.print(f"credithub: {font} is no TrueType font")
            raise typer.Exit(1) from None
    put(made, output)
    out.print(f"{output}: {found.title}")
    if lacking:
        named = " ".join(f"U+{ord(one):04X}" for one in lacking[:_NAMED])
        more = " …" if len(lacking) > _NAMED else ""
        err.print(
            f"credithub: {output} does not show {len(lacking)} characters that its font lacks: {named}{more};"
            " --font embeds one that has them"
        )


def _report(client: httpx.Client, url: str, number: str, *, drilling: bool) -> Paper:
    told = _asked(client, url, REPORT, {"number": number})["case"]
    if not told or "figures" not in told:
        raise _Refused(f"no report {number} is known to this token")
    cases = []
    for figure in told["figures"] if drilling else ():
        after = None
        while figure["drill"] is not None:
            page = _asked(client, url, CASES, {"figure": figure["drill"], "after": after})["cases"]
            cases += [(figure["nameZh"], edge["node"]) for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
    return paper_of(told, cases)


def _asked(client: httpx.Client, url: str, query: str, variables: dict[str, Any]) -> Any:
    response = client.post(url, json={"query": query, "variables": variables})
    try:
        answer = response.json()
    except ValueError:
        answer = None
    match answer:
        case {"errors": [{"message": str(message), "extensions": {"code": str(code)}}, *_]}:
            # The hub speaks of a header; who runs the command gives an option.
            lacking = code == MatterRequired.code and "hub-matter" not in client.headers
            option = " Give it with --matter." if lacking else ""
            raise _Refused(f"{message}{option} [{code}]")
        case {"data": {**data}}:
            return data
    raise _NoHub(f"HTTP {response.status_code}, and nothing that a hub says")
