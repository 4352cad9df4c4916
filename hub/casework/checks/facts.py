"""What a credit check may look at: facts about subjects, read in the check's transaction with its caller's rights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from hub.casework.work import Work
from hub.query.access import FALSE, Access, Row, all_of, subject_row
from hub.query.ids import opaque_id
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import BREACH_STANDS, ENTRY_STANDS, TABLES
from hub.rights.matrix import Level
from hub.rules.conclusion import Measure, Unfulfilled
from hub.rules.eligibility import Adverse, Facts, Listing
from hub.sources.freshness import doubted

# Record types that are established breaches of commitments (R6.4).
BREACHES = ("COMMITMENT_BREACH", "FALSE_COMMITMENT")
# Classes of cases that a check looks at: commitments (D33) and measures, which follow from lists (D10, D11).
COMMITMENTS, MEASURES = ("D33",), ("D10", "D11")


@dataclass(frozen=True)
class EvidenceItem:
    """A row as the check saw it; frozen into the check (R5.2)."""

    kind: str
    id: str
    data_class: str
    grade: str
    title: str | None
    document_number: str | None
    dated: date | None
    under_objection: bool
    version: str
    digest: str | None


@dataclass(frozen=True)
class Seen:
    """A subject and all that the check saw of it."""

    subject_id: int
    code: str
    name: str
    region_code: str | None
    facts: Facts
    measures: tuple[Measure, ...]
    unfulfilled: tuple[Unfulfilled, ...]
    items: tuple[EvidenceItem, ...]
    # Sources that sent of it what nobody understood yet.
    doubted: frozenset[str]


async def look(work: Work, codes: Sequence[str], required: Sequence[str]) -> Mapping[str, Seen]:
    """Code → what the check's caller may see of that subject; unknown and invisible subjects are absent alike."""
    subjects = await _subjects(work, codes)
    ids = [row["subject_id"] for row in subjects]
    down = {name for name in required if name not in work.sources or work.sources[name].status != "OK"}
    records, entries, cases = await _records(work, ids), await _entries(work, ids), await _cases(work, ids)
    return {
        row["uscc"]: _seen(
            row,
            records[row["subject_id"]],
            entries[row["subject_id"]],
            cases[row["subject_id"]],
            tuple(name for name in required if name in down | doubted(row["in_doubt"])),
        )
        for row in subjects
    }


def _seen(
    subject: Any, records: list[Any], entries: list[Any], cases: list[Any], missing: tuple[str, ...]
) -> Seen:
    adverse = tuple(
        Adverse(
            opaque_id("r", row["public_id"]),
            row["seriousness"],
            row["decided_on"],
            row["objected"],
            row["record_type"] in BREACHES,
        )
        for row in records
    )
    commitments = [row for row in cases if row["mechanism"] == "COMMITMENT"]
    measures = [row for row in cases if row["mechanism"] == "MEASURE"]
    return Seen(
        subject_id=subject["subject_id"],
        code=subject["uscc"],
        name=subject["display_name"],
        region_code=subject["region_code"],
        facts=Facts(
            established_on=subject["established_on"],
            adverse=adverse,
            listings=tuple(
                Listing(opaque_id("l", row["public_id"]), row["color"], row["under_objection"])
                for row in entries
            ),
            missing_sources=missing,
        ),
        measures=tuple(_measure(row) for row in measures),
        unfulfilled=tuple(
            Unfulfilled(opaque_id("c", row["public_id"]), row["number"]) for row in commitments
        ),
        items=(
            *(_item("RECORD", "r", row, row["seriousness"], row["objected"]) for row in records),
            *(_item("LIST_ENTRY", "l", row, row["color"], row["under_objection"]) for row in entries),
            *(_item(row["mechanism"], "c", row, row["state"], False) for row in cases),
        ),
        doubted=frozenset(doubted(subject["in_doubt"])),
    )


def _item(kind: str, letter: str, row: Any, grade: str, objected: bool) -> EvidenceItem:
    return EvidenceItem(
        kind=kind,
        id=opaque_id(letter, row["public_id"]),
        data_class=row["data_class"],
        grade=grade,
        title=row["title"],
        document_number=row["document_number"],
        dated=row["dated"],
        under_objection=objected,
        version=str(row["version"]),
        digest=row["digest"],
    )


def _measure(row: Any) -> Measure:
    told = orjson.loads(row["details"])
    return Measure(
        id=opaque_id("c", row["public_id"]),
        effect=told.get("effect", ""),
        in_effect=row["state"] == "EFFECTIVE",
        catalogue_code=told.get("national_catalogue_code") or "",
        legal_basis=told.get("legal_basis") or "",
        matters=frozenset(told.get("matters", ())),
        purposes=frozenset(told.get("purposes", ())),
    )


async def _subjects(work: Work, codes: Sequence[str]) -> list[Any]:
    parameters = Parameters()
    access = Access(work.view, parameters)
    shown = access.classes(subject_row("s"), ("D1",), Level.MASKED)
    named = parameters.bind(FromRef(Constant(list(codes))), "text[]")
    return await work.rows(
        "SELECT s.subject_id, s.uscc, s.display_name, s.region_code, s.established_on, s.in_doubt FROM subject s"
        " WHERE " + all_of([f"s.uscc = ANY ({named})", "s.kind <> 'NATURAL_PERSON'", shown]),
        parameters,
    )


async def _records(work: Work, ids: Sequence[int]) -> Mapping[int, list[Any]]:
    """Adverse records in publicity and use; those that ended are not even there for this view."""
    columns = (
        "x.subject_id, x.public_id, x.data_class, x.seriousness, x.record_type, x.decided_on, x.title, x.document_number,"
        " x.decided_on AS dated, x.version_id AS version, x.payload_digest AS digest,"
        " (x.under_objection OR x.lifecycle = 'UNDER_OBJECTION') AS objected"
    )
    return await _facts(
        work, ids, "record", columns, "x.seriousness <> 'NOT_ADVERSE'", "x.decided_on, x.public_id"
    )


async def _entries(work: Work, ids: Sequence[int]) -> Mapping[int, list[Any]]:
    """Entries in force of lists with a legal basis (R8.1)."""
    columns = (
        "x.subject_id, x.public_id, x.data_class, x.color, x.under_objection, d.name AS title,"
        " x.decision_number AS document_number, x.recognized_on AS dated, x.version_id AS version,"
        " x.payload_digest AS digest"
    )
    return await _facts(
        work, ids, "list_entry", columns, "d.legal_basis <> ''", "x.recognized_on, x.public_id",
        " JOIN list_definition d ON d.code = x.list_code",
    )  # fmt: skip


async def _cases(work: Work, ids: Sequence[int]) -> Mapping[int, list[Any]]:
    """Commitments of which a breach is established and stands (R5.5, R6.4), and measures."""
    parameters = Parameters()
    access = Access(work.view, parameters)
    row = Row("x", TABLES["case_file"], "s")
    commitments, measures = access.visible(row, COMMITMENTS), access.visible(row, MEASURES)
    commitment = all_of(
        [
            "x.mechanism = 'COMMITMENT'",
            "x.state IN ('BREACHED', 'FALSE_COMMITMENT')",
            # Repaired or over, it is not for checks, not even where its handler still sees it.
            BREACH_STANDS.format(t="x", today=access.today),
            commitments,
        ]
    )
    # R9.1: the last day of its term is the last on which it counts, whenever its end is written down.
    in_effect = f"x.state = 'EFFECTIVE' AND x.due_on >= {access.today}"
    # Off its list it does not count, not even where its implementer still sees it.
    on_entry = ENTRY_STANDS.format(t="x", today=access.today)
    measure = all_of(["x.mechanism = 'MEASURE'", in_effect, on_entry, measures])
    kept = [f"({term})" for term in (commitment, measure) if term != FALSE]
    if not kept:
        return defaultdict(list)
    named = parameters.bind(FromRef(Constant(list(ids))), "bigint[]")
    return _by_subject(
        await work.rows(
            "SELECT x.subject_id, x.public_id, x.mechanism, x.number, x.state, x.data_class, x.details,"
            " CASE x.mechanism WHEN 'MEASURE' THEN x.details->>'measure' ELSE x.ruleset END AS title,"
            " x.number AS document_number, x.opened_on AS dated, x.version, NULL::text AS digest"
            f" FROM case_file x JOIN subject s USING (subject_id) WHERE x.subject_id = ANY ({named})"
            f" AND ({' OR '.join(kept)}) ORDER BY x.case_id",
            parameters,
        )
    )


async def _facts(
    work: Work, ids: Sequence[int], table: str, columns: str, condition: str, order: str, join: str = ""
) -> Mapping[int, list[Any]]:
    parameters = Parameters()
    access = Access(work.view, parameters)
    classes = work.view.vocabulary.classes_of(table)
    shown = access.visible(Row("x", TABLES[table], "s"), classes)
    # What ended is not for checks, not even where the view shows it for repair (D9).
    now = access.in_use(Row("x", TABLES[table], "s"))
    if shown == FALSE:
        return defaultdict(list)
    named = parameters.bind(FromRef(Constant(list(ids))), "bigint[]")
    where = all_of([f"x.subject_id = ANY ({named})", "x.superseded_at IS NULL", condition, now, shown])
    return _by_subject(
        await work.rows(
            f"SELECT {columns} FROM {table} x JOIN subject s USING (subject_id){join} WHERE {where} ORDER BY {order}",
            parameters,
        )
    )


def _by_subject(rows: Sequence[Any]) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["subject_id"]].append(row)
    return found
