"""The tables of the manual, in both languages: which cells the code decides, and how a table stands in the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from inspect import getsource
from pathlib import Path
from typing import Any, get_args

import typer.core
import typer.main
from graphql import GraphQLObjectType
from prometheus_client import generate_latest

from hub import errors, observe
from hub.casework.delivery.watch import Watch
from hub.casework.listings import commands as listings
from hub.cli import app
from hub.condition import Condition, Gauges
from hub.config import declared_settings
from hub.rights.matrix import WithheldReason
from hub.rules.listing import load_list_rules
from hub.rules.matrix import load_matrix
from hub.rules.reports import ReportRules
from hub.sandbox.agreements import PARTNERS
from hub.sources.discovery import discover
from schema.coordinates import vocabulary
from schema.identifiers import PROBLEMS

ROOT = Path(__file__).parents[1]


def _in_both(page: str) -> Mapping[str, Path]:
    return {"en": ROOT / f"{page}.md", "zh": ROOT / f"{page}.zh-CN.md"}


READMES = _in_both("README")
ASKING = _in_both("docs/asking")
OPERATING = _in_both("docs/operating")
MECHANISMS = _in_both("docs/mechanisms")
MANUAL = (READMES, ASKING, OPERATING, MECHANISMS)
# A row that nobody has described yet; a test refuses it.
MISSING = "TODO"


@dataclass(frozen=True)
class Row:
    """A row of a table: the cells that the code decides, and what the code itself says of it, if it does."""

    facts: tuple[str, ...]
    words: str | None = None  # in English
    chinese: str | None = None


@dataclass(frozen=True)
class Table:
    """A table by the name of its markers; `prose` cells a row follow the facts, the first of them `words`."""

    name: str
    rows: Callable[[], Sequence[Row]]
    prose: int
    pages: Mapping[str, Path] = field(default_factory=lambda: READMES)


def _code(text: str) -> str:
    return f"`{text}`"


def settings() -> list[Row]:
    """The settings of the hub itself; those that go to a source unread are in the next table."""
    return [
        Row((_code(one.variable), "" if one.default is None else _code(one.default)), one.description)
        for one in declared_settings()
        if not one.of_source
    ]


def source_settings() -> list[Row]:
    """The settings that the connectors declare."""
    return [
        Row((_code(setting.name), _code(name)), setting.description)
        for name, module in sorted(discover().items())
        for setting in module.SOURCE.settings
    ]


def sources() -> list[Row]:
    """The sources with the catalogue items they supply."""
    found = []
    for name, module in sorted(discover().items()):
        items = ", ".join(f"{_code(item.code)} {item.name}" for item in module.SOURCE.items)
        found.append(Row((_code(name), module.SOURCE.title_zh, str(module.SOURCE.mode), items)))
    return found


def commands() -> list[Row]:
    """Every command with its arguments and options."""
    return [
        Row((_code(usage),), (command.help or "").split("\n\n")[0].replace("\n", " "))
        for usage, command in _commands(typer.main.get_command(app), "credithub")
    ]


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(command, typer.core.TyperGroup):
        context = command.make_context(name, [], resilient_parsing=True)
        for child in sorted(command.list_commands(context)):
            yield from _commands(command.get_command(context, child), f"{name} {child}")
        return
    words = [name]
    for parameter in command.params:
        if parameter.name == "help":
            continue
        if isinstance(parameter, typer.core.TyperArgument):
            plain = (parameter.metavar or parameter.name).upper() + ("…" if parameter.nargs == -1 else "")
            words.append(plain if parameter.required else f"[{plain}]")
        else:
            value = "" if parameter.is_flag else f" {parameter.name[:1].upper()}"
            words.append(
                f"{parameter.opts[-1]}{value}" if parameter.required else f"[{parameter.opts[-1]}{value}]"
            )
    yield " ".join(words), command


def error_codes() -> list[Row]:
    """Every deliberate error: code and HTTP status, and what it means."""
    classes = [errors.HubError]
    classes += [
        one for one in vars(errors).values() if isinstance(one, type) and errors.HubError in one.__mro__[1:]
    ]
    return [
        Row((_code(one.code), str(one.status)), " ".join((one.__doc__ or "").split()), one.zh)
        for one in classes
    ]


def speed() -> list[Row]:
    """The ratios at 32 connections that the last kept run of the benchmark measured."""
    results = (ROOT / "benchmarks" / "results.md").read_text("utf-8")
    found = re.findall(
        r"^\| (W\d) \| 32 \|(?: [\d,]+ \|){3} ([\d.]+) ×.*? \| ([\d.]+) ×.*? \| ([\d.]+) × \|$",
        results,
        re.MULTILINE,
    )
    return [Row(tuple(one)) for one in found]


def reasons() -> list[Row]:
    """Why something is not shown in full."""
    return [Row((_code(str(reason)),)) for reason in WithheldReason]


def partners() -> list[Row]:
    """The demo's partners: one of each class."""
    classes = load_matrix().partners
    return [
        Row((_code(partner), name), classes[name].en, classes[name].zh)
        for name, partner in ((f"P{number}", partner) for number, partner in enumerate(PARTNERS, 1))
    ]


def data_classes() -> list[Row]:
    """The classes of data, with both names in both languages: papers in Chinese name them too."""
    return [Row((_code(code), one.zh, one.en)) for code, one in load_matrix().data.items()]


def questions() -> list[Row]:
    """The roots of queries, with what a partner's agreement must open for them."""
    return _roots("Query")


def mutations() -> list[Row]:
    """The commands that change something."""
    return _roots("Mutation")


def _roots(name: str) -> list[Row]:
    known = vocabulary()
    owner = known.schema.type_map[name]
    assert isinstance(owner, GraphQLObjectType)
    found = []
    for name_of, declared in sorted(owner.fields.items()):
        chinese, _, english = (declared.description or "").partition(" · ")
        capability = known.rules[f"{name}.{name_of}"].capability
        found.append(Row((_code(name_of), "" if capability is None else _code(capability)), english, chinese))
    return found


def metrics() -> list[Row]:
    """What a server tells at /metrics."""
    return _told(observe.Observer().metrics())


def worker_metrics() -> list[Row]:
    """What a worker tells at /metrics: what it counted, and how the installation stands."""
    told = Watch().registry
    nothing = Condition(datetime.now(UTC), timedelta(), "", (), (), (), None, None, (), (), None)
    told.register(Gauges(lambda: nothing))
    return _told(generate_latest(told))


def _told(metrics: bytes) -> list[Row]:
    text = metrics.decode()
    told = re.findall(r"^# HELP (\w+) (.*)\n# TYPE \w+ (\w+)$", text, re.MULTILINE)
    return [Row((_code(name), kind), words) for name, words, kind in told if not name.endswith("_created")]


def events() -> list[Row]:
    """The closed list of events with what each carries."""
    return [
        Row((_code(one.__name__), ", ".join(_code(field.name) for field in fields(one))), one.__doc__)
        for one in get_args(observe.Event)
    ]


def quarantine_codes() -> list[Row]:
    """Every reason code with which a row or a file is put into quarantine, read from the source text."""
    found = set()
    for package in ("connectors", "hub/harvest", "hub/sources"):
        for path in sorted((ROOT / package).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                found |= set(_codes(node))
    problems = ", ".join(sorted(code for code, problem in PROBLEMS.items() if problem.hard))
    # An identifier's own problem is named after its scheme: USCC_CHECK, BUSINESS_REG_NO_LENGTH …
    return [Row((_code(code),)) for code in sorted(found)] + [Row(("`<scheme>_…`: " + problems,))]


# Where the code stands among the arguments of what rejects a row or a file.
_PLACES = {"RowRejected": 0, "FileUnusable": 0, "Rejected": 1, "on_rejected": 2, "defect": 3}


def _codes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _PLACES:
        place = _PLACES[node.func.id]
        if len(node.args) > place:
            for part in ast.walk(node.args[place]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield from re.findall(r"\A[A-Z][A-Z0-9_]+[A-Z0-9]\Z", part.value)


def refusals() -> list[Row]:
    """Every reason of GUARD_REFUSED, read from the source text."""
    found = set()
    for path in sorted((ROOT / "hub" / "casework").rglob("*.py")):
        found |= set(_refusals(ast.parse(path.read_text("utf-8"))))
    # What the rules say stands in the way, which casework passes on.
    found |= set(_refusals(ast.parse((ROOT / "hub" / "rules" / "measures.py").read_text("utf-8"))))
    repair = ast.parse((ROOT / "hub" / "rules" / "repair.py").read_text("utf-8"))
    for node in ast.walk(repair):
        if isinstance(node, ast.FunctionDef) and node.name in _REPAIR:
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and _name(call.func) in ("Blocker", "append"):
                    found |= set(_strings(call.args[0], {}))
    found |= {
        f"FIGURES_{code}" for code in re.findall(r'\("([A-Z_]+)", code\)', getsource(ReportRules.problems))
    }
    found |= set(re.findall(r"'(ON_A_[A-Z_]+)'", listings._BLOCKERS))
    assert "r.seriousness || '_ADVERSE_RECORD'" in listings._BLOCKERS
    counting = {"UNCLASSIFIED", *(one for row in load_list_rules().red for one in row.classes)}
    found |= {f"{one}_ADVERSE_RECORD" for one in counting}
    assert "r.record_type || '_STANDS'" in listings._BLOCKERS
    found |= {f"{one}_STANDS" for row in load_list_rules().red for one in row.standing}
    return [_refusal(reason) for reason in sorted(found)]


def _refusal(reason: str) -> Row:
    """A reason with its words; one that nobody has explained is refused like every row without words."""
    known = errors.refusals().get(reason)
    words = ("", "") if known is None else (known.en, known.zh)
    return Row((_code(f"{reason}…" if reason.endswith(":") else reason),), *words)


_REPAIR = ("assess", "_conditions", "_repeats", "_lasting", "_standing")


def _refusals(module: ast.Module) -> Iterator[str]:
    """The reasons that one module of casework gives: in what it raises, and in what its guards return."""
    names = {
        one.targets[0].id: one.value.value
        for one in module.body
        if isinstance(one, ast.Assign)
        and isinstance(one.targets[0], ast.Name)
        and isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, str)
    }
    for node in ast.walk(module):
        said: list[ast.expr] = []
        if isinstance(node, ast.Call) and _name(node.func) == "GuardRefused":
            said = [keyword.value for keyword in node.keywords]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.returns is not None and ast.unparse(node.returns) == "str | None":
                said = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]
        elif isinstance(node, ast.keyword) and node.arg == "guard" and isinstance(node.value, ast.Lambda):
            said = [node.value.body]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("['impossible']"):
            # A command tells the guard so.
            said = [node.value]
        for one in said:
            yield from (text for text in _strings(one, names) if re.fullmatch(r"[A-Z][A-Z_]+[A-Z]", text))


def _strings(node: ast.expr, names: Mapping[str, str]) -> Iterator[str]:
    """The strings that an expression can be; an f-string up to its first value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in names:
        yield names[node.id]
    elif isinstance(node, ast.JoinedStr):
        yield from _strings(node.values[0], names)
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body, names)
        yield from _strings(node.orelse, names)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _strings(value, names)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


TABLES = (
    Table("settings", settings, 1),
    Table("source-settings", source_settings, 1),
    Table("sources", sources, 1),
    Table("commands", commands, 1),
    Table("errors", error_codes, 2),
    Table("reasons", reasons, 1, ASKING),
    Table("questions", questions, 1),
    Table("mutations", mutations, 1, ASKING),
    Table("partners", partners, 1),
    Table("data-classes", data_classes, 0, ASKING),
    Table("metrics", metrics, 1, OPERATING),
    Table("worker-metrics", worker_metrics, 1, OPERATING),
    Table("events", events, 1, OPERATING),
    Table("quarantine", quarantine_codes, 1, OPERATING),
    Table("speed", speed, 1),
    Table("refusals", refusals, 1, MECHANISMS),
)


def block(text: str, name: str) -> tuple[int, int]:
    """Where the rows of a table begin and end. Raises ValueError when its markers are not there."""
    found = re.search(
        rf"<!-- {name} -->\n\|[^\n]*\n\|[-| :]*\n(?P<rows>(?:\|[^\n]*\n)*)<!-- /{name} -->", text
    )
    if found is None:
        raise ValueError(f"no table {name}")
    return found.span("rows")


def cells(text: str, name: str) -> list[list[str]]:
    """The cells of a table, row by row."""
    begin, end = block(text, name)
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in text[begin:end].splitlines()
    ]


def expected(table: Table, language: str, known: Mapping[tuple[str, ...], Sequence[str]]) -> list[list[str]]:
    """The table as the code says it; prose is kept from `known`, by the facts or else by the first of them."""
    rows = []
    for row in table.rows():
        facts = [_escaped(fact) for fact in row.facts]
        prose = list(known.get(tuple(facts), known.get((facts[0],), ())))
        prose += [MISSING] * (table.prose - len(prose))
        words = row.words if language == "en" else row.chinese
        if words is not None:
            prose[0] = _escaped(words)
        rows.append([*facts, *prose[: table.prose]])
    return rows


def prose_of(table: Table, rows: Sequence[Sequence[str]]) -> dict[tuple[str, ...], Sequence[str]]:
    """What is said of each row, by its facts and by the first of them."""
    found: dict[tuple[str, ...], Sequence[str]] = {}
    for row in rows:
        split = len(row) - table.prose
        found[tuple(row[:1])] = found[tuple(row[:split])] = row[split:]
    return found


def renewed(page: Path, language: str) -> str:
    """The text of a page with every table as the code says it; what is new has to be described by a person."""
    text = page.read_text("utf-8")
    for table in TABLES:
        if table.pages[language] != page:
            continue
        rows = expected(table, language, prose_of(table, cells(text, table.name)))
        begin, end = block(text, table.name)
        lines = "".join("| " + " | ".join(row) + " |\n" for row in rows)
        text = text[:begin] + lines + text[end:]
    return text


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
