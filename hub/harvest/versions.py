"""Writes a batch in one transaction: new versions, superseded ones, subjects, quarantine, checkpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from connectors.contract import RawRow, Source
from hub.harvest import decided, doubts, objections, publications, quarantine, registrations, repairs
from hub.harvest.columns import PLACES, made, named, written
from hub.harvest.drafts import SubjectDraft
from hub.harvest.ids import random_ids
from hub.harvest.joining import join
from hub.harvest.periods import period_in
from hub.harvest.resolve import Anchor, resolve
from hub.harvest.understood import Called, Prepared, Rejected, corrected_behind
from hub.rules.ongoing import going_on
from hub.store.writing import one_writer

# The newest version of each record, current or ended: a record that comes back keeps its public id. Versions are
# written by one at a time, so their ids tell which is newer; moments are those of writers that may have waited.
_NEWEST = """
SELECT n.record_id, v.version_id, v.public_id, v.subject_id, v.payload_digest, v.superseded_at IS NULL AS current,
  v.source_updated_at, greatest(v.recorded_at, v.superseded_at) AS since, {repaired} AS repaired,
  {objected} AS objected, {ended} AS ended, {stays} AS stays, {items} AS items
FROM unnest($2::text[]) AS n(record_id) CROSS JOIN LATERAL (
  SELECT * FROM {table} t WHERE t.source = $1 AND t.source_record_id = n.record_id
  ORDER BY t.superseded_at IS NULL DESC, t.version_id DESC LIMIT 1) v
"""
# R9.2: what was repaired here, or by the national window, is not undone by a later delivery of its source: not by the one
# after that which said that it ended otherwise, either. No delivery puts it in force, so what did was a revocation.
_REPAIRED = {
    "record": f"""
CASE WHEN NOT {going_on("record", "v")} THEN (
  SELECT CASE w.lifecycle WHEN 'REPAIRED' THEN w.details->'repaired' END FROM record w
  WHERE w.source = $1 AND w.source_record_id = n.record_id
    AND ({going_on("record", "w")} OR w.lifecycle = 'REPAIRED' AND w.details ? 'repaired')
  ORDER BY w.version_id DESC LIMIT 1) END
""",  # noqa: S608 -- a constant of this program
    "list_entry": f"""
CASE WHEN NOT {going_on("list_entry", "v")} THEN (
  SELECT CASE w.state WHEN 'EXITED_REPAIRED' THEN jsonb_build_object('on', w.exited_on) END FROM list_entry w
  WHERE w.source = $1 AND w.source_record_id = n.record_id AND ({going_on("list_entry", "w")}
    OR w.state = 'EXITED_REPAIRED' AND w.exit_reason = '{repairs.REPAIRED}')
  ORDER BY w.version_id DESC LIMIT 1) END
""",  # noqa: S608 -- a constant of this program
}
# Whoever waited for the lock may bring a moment before that of the version it ends: no version ends before it began.
_END = """
UPDATE {table} SET superseded_at = greatest($2, recorded_at)
WHERE version_id = ANY($1::bigint[]) AND superseded_at IS NULL
"""
# Of what moment of its source's the newest word is that a record is no more.
_WITHDRAWN = """
SELECT source_record_id, withdrawn_at FROM withdrawn_fact
WHERE source = $1 AND fact = $2 AND source_record_id = ANY ($3::text[])
"""
_WITHDRAW = """
INSERT INTO withdrawn_fact AS w (source, fact, source_record_id, withdrawn_at)
SELECT $1, n.fact, n.record_id, n.moment FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS n(fact, record_id, moment)
ON CONFLICT (source, fact, source_record_id) DO UPDATE SET withdrawn_at = greatest(w.withdrawn_at, excluded.withdrawn_at)
"""

_CASES_WAIT = (
    "cases are about the subject of an old number in the row, and the code is another's: if the two are one,"
    " replay it with --joined --reason TEXT"
)


@dataclass(frozen=True)
class Totals:
    """What became of rows. Nothing is lost: read = stored + unchanged + quarantined."""

    read: int = 0
    stored: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.read + other.read,
            self.stored + other.stored,
            self.unchanged + other.unchanged,
            self.quarantined + other.quarantined,
        )

    def __str__(self) -> str:
        """The equation."""
        kept = f"stored {self.stored} + unchanged {self.unchanged} + quarantined {self.quarantined}"
        return f"read {self.read} = {kept}"


# Moves the cursor of a harvest or the position of an import, in the transaction of the batch.
Checkpoint = Callable[[Totals], Awaitable[None]]


@dataclass(slots=True)
class _Newest:
    """The newest version of a record while a batch is gone through."""

    public_id: UUID
    subject_id: int
    digest: str
    current: bool
    moment: datetime | None
    # When it began, or when it ended: the next one begins no earlier, whenever the batch did.
    since: datetime
    # What is told of its repair, as JSON.
    repaired: str | None = None
    # An objection to it is under way: its mark stays, whatever is delivered meanwhile (5.10).
    objected: bool = False
    # What is told of the objection that ended it, as JSON.
    ended: str | None = None
    # The life that a decision on its publication gave it.
    stays: str | None = None
    # What an archive holds, as JSON.
    items: str | None = None
    # Where it stands: a version of the store, or a row about to be inserted.
    version_id: int | None = None
    row: list[object] | None = None


async def write_batch(
    connection: asyncpg.Connection,
    source: Source,
    batch: Sequence[Prepared | Rejected],
    now: datetime,
    checkpoint: Checkpoint,
    *,
    joining: bool = False,
    replayed: int | None = None,
) -> Totals:
    """Store `batch` and move the checkpoint, both or neither: a killed harvest loses and doubles nothing.

    `now`: when the batch was begun; a version that another writer made meanwhile ends no earlier than it began.
    Rows are taken in order. A row like the newest version of its record is unchanged; one with an older
    `source_updated_at` is a re-delivery and changes nothing either, nor does one from before its record was withdrawn.
    `joining`: a person has found that the numbers of a row are one subject's, also where cases are about an old one.
    `replayed`: the row in quarantine that a person replays, which came before what came behind it.
    """
    async with connection.transaction():
        await one_writer(connection)
        work = _Work(connection, source, now, joining, replayed)
        totals = await work.take(batch)
        await checkpoint(totals)
    return totals


class _Work:
    """One batch under way."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        source: Source,
        now: datetime,
        joining: bool,
        replayed: int | None,
    ) -> None:
        self._connection = connection
        self._source = source
        self._now = now
        self._joining = joining
        self._replayed = replayed
        self._ids = random_ids()
        self._newest: dict[tuple[str, str], _Newest] = {}
        self._inserts: dict[str, list[list[object]]] = {}
        self._ends: dict[str, list[int]] = {}
        # When each record was withdrawn last, by its source's own clock; and which of that is new.
        self._withdrawn: dict[tuple[str, str], datetime] = {}
        self._withdrawals: dict[tuple[str, str], datetime] = {}
        self._registered: dict[int, tuple[Prepared, Anchor]] = {}
        # Registrations that were withdrawn or are other subjects' now, by their record ids.
        self._unregistered: set[str] = set()
        # Codes and numbers that the store did not know before; and those of subjects that have got others.
        self._new: set[str] = set()
        self._moved: set[str] = set()
        self._results: list[tuple[Prepared, Sequence[repairs.Target]]] = []
        # Subjects that turned out to be others of this batch.
        self._joined: list[tuple[Anchor, Anchor]] = []
        # Rows of which a person may say that their numbers are one subject's.
        self._joinable: set[int] = set()

    async def take(self, batch: Sequence[Prepared | Rejected]) -> Totals:
        """Go through the batch and write what came of it."""
        rejected = [one for one in batch if isinstance(one, Rejected)]
        understood = [one for one in batch if isinstance(one, Prepared)]
        await self._load(understood)
        stored = unchanged = 0
        accepted: list[RawRow] = []
        # What the rows tell of and when it changed: under the name that each gives it, and the one that it has in the store.
        told: dict[int, list[Called]] = {}
        understood, found = await self._named(understood, rejected)
        anchors = await self._anchors(understood)
        named = await self._renamed(understood, anchors)
        for one in understood:
            resolved, joinable = anchors.get(id(one)), id(one) in self._joinable
            given, one = one, named.get(id(one), one)
            if resolved is not None and resolved[0] is None:
                reason = _CASES_WAIT if joinable else "the row's identifiers belong to different subjects"
                rejected.append(Rejected(one.row, "KEY_CONFLICT", reason, called=given.called))
                continue
            accepted.append(one.row)
            told[id(given)] = [given.called, *([one.called] if one is not given else ())]
            if self._apply(one, resolved):
                stored += 1
                if id(one) in found:
                    self._results.append((one, found[id(one)]))
            else:
                unchanged += 1
        await self._write()
        await repairs.settle(self._connection, self._results, self._now)
        # Last: what this batch itself brought of a part is the whole's, too.
        pairs = [(part.subject_id, whole.subject_id) for part, whole in self._joined]
        await join(self._connection, pairs, self._source.name, self._now)
        settled: set[str] = set()
        if accepted and await quarantine.has_open(self._connection):
            # Of whom the store knows only now, a row may have waited before.
            settled |= self._moved | await quarantine.waiting(self._connection, self._new)
            known = [one for names in told.values() for one in names]
            settled |= await quarantine.settle(
                self._connection, self._source.name, accepted, self._now, known, self._replayed
            )
        classes = doubts.classes_of(self._source)
        settled |= await quarantine.keep(self._connection, self._source.name, rejected, self._now, classes)
        if corrected := corrected_behind(batch, told):
            settled |= await quarantine.settle(self._connection, self._source.name, corrected, self._now)
        await doubts.look_again(self._connection, settled)
        return Totals(len(batch), stored, unchanged, len(rejected))

    async def _named(
        self, understood: Sequence[Prepared], rejected: list[Rejected]
    ) -> tuple[list[Prepared], dict[int, Sequence[repairs.Target]]]:
        """The rows without results of repairs that name nothing known (R9.2), and what the other results are about."""
        results = [one for one in understood if repairs.is_result(one) and not self._same(one)]
        if not results:
            return list(understood), {}
        found: dict[int, Sequence[repairs.Target]] = {}
        lost = set()
        for one, target in zip(results, await repairs.targets(self._connection, results), strict=True):
            if isinstance(target, Rejected):
                rejected.append(replace(target, called=one.called))
                lost.add(id(one))
            else:
                found[id(one)] = target
        return [one for one in understood if id(one) not in lost], found

    def _same(self, one: Prepared) -> bool:
        """Whether the row is like the version of its record that stands."""
        newest = self._newest.get((one.table, one.record_id))
        return newest is not None and newest.current and newest.digest == one.digest

    async def _load(self, understood: Iterable[Prepared]) -> None:
        ids: dict[str, set[str]] = {}
        for one in understood:
            ids.setdefault(one.table, set()).update((one.record_id, one.named))
        for table, wanted in ids.items():
            query = _NEWEST.format(
                table=table,
                repaired=_REPAIRED.get(table, "NULL"),
                objected=objections.UNDER_WAY,
                ended=objections.ENDED,
                stays=publications.STAYS if table == "record" else "NULL",
                items="v.items" if table == "archive" else "NULL",
            )
            for row in await self._connection.fetch(query, self._source.name, list(wanted)):
                self._newest[table, row["record_id"]] = _Newest(
                    row["public_id"],
                    row["subject_id"],
                    row["payload_digest"],
                    row["current"],
                    row["source_updated_at"],
                    row["since"],
                    row["repaired"],
                    row["objected"],
                    row["ended"],
                    row["stays"],
                    row["items"],
                    row["version_id"],
                )
            for row in await self._connection.fetch(_WITHDRAWN, self._source.name, table, list(wanted)):
                self._withdrawn[table, row["source_record_id"]] = row["withdrawn_at"]

    async def _anchors(self, understood: Sequence[Prepared]) -> dict[int, tuple[Anchor | None, bool]]:
        """The subject of each row that may be written, and whether the register has another name for it."""
        seen: dict[tuple[str, str], int] = {}
        for one in understood:
            seen[one.table, one.record_id] = seen.get((one.table, one.record_id), 0) + 1
        wanted: list[tuple[Prepared, SubjectDraft]] = [
            (one, one.subject)
            for one in understood
            if not one.deleted
            and one.subject is not None
            and (not self._same(one) or seen[one.table, one.record_id] > 1)
        ]
        if not wanted:
            return {}
        drafts = [draft for _, draft in wanted]
        found = await resolve(self._connection, drafts, self._source.name, self._now, joining=self._joining)
        self._joinable = {id(wanted[place][0]) for place in found.joinable}
        self._joined = found.joined
        self._new = {key.value for _, key in found.identified}
        self._moved = {
            one.uscc for one in (*found.recoded, *(whole for _, whole in found.joined)) if one.uscc
        }
        return {
            id(one): (found.anchors[index], one.table == "record" and found.name_differs(index, draft))
            for index, (one, draft) in enumerate(wanted)
        }

    async def _renamed(
        self, understood: Sequence[Prepared], anchors: Mapping[int, tuple[Anchor | None, bool]]
    ) -> dict[int, Prepared]:
        """The rows about decisions that have a record already, under another number of their subject: by the id of the row."""
        wholes = {part.subject_id: whole.subject_id for part, whole in self._joined}
        parts: dict[int, list[int]] = {}
        for part, whole in wholes.items():
            parts.setdefault(whole, []).append(part)
        # Also what has ended, as one of two does when they turn out to be one: the other may stand.
        wanted = [
            one
            for one in understood
            if one.by_decision
            and ((newest := self._newest.get((one.table, one.record_id))) is None or not newest.current)
        ]
        gone = [(one, one.subject) for one in wanted if one.deleted and one.subject is not None]
        found = await decided.subjects_of(self._connection, [draft for _, draft in gone])
        withdrawn = {id(one): found.get(place, ()) for place, (one, _) in enumerate(gone)}
        asked = []
        for one in wanted:
            anchor = anchors[id(one)][0] if id(one) in anchors else None
            ids = [anchor.subject_id] if anchor is not None else withdrawn.get(id(one), ())
            whole_ids = {wholes.get(subject_id, subject_id) for subject_id in ids}
            # Whose it is is certain, or nobody's name is taken.
            if len(whole_ids) == 1:
                (subject_id,) = whole_ids
                newest = self._newest.get((one.table, one.record_id))
                moved = newest is not None and newest.subject_id != subject_id
                asked.append((one, subject_id, [subject_id, *parts.get(subject_id, ())], moved))
        known = await decided.known(self._connection, self._source.name, asked)
        renamed = {id(one): replace(one, record_id=name) for one, name in known}
        for one, _ in known:
            if one.deleted:
                # Once the record has ended, what it was before is no more by the name of the row, either.
                self._withdraw((one.table, one.record_id), one.source_updated_at)
        await self._load(renamed.values())
        return renamed

    def _apply(self, one: Prepared, resolved: tuple[Anchor | None, bool] | None) -> bool:
        """Take one row; whether it changed anything."""
        key, ending = (one.table, one.record_id), (one.table, one.named)
        newest = self._newest.get(key)
        told = newest.items if newest is not None and one.period else None
        stands = period_in(orjson.loads(told), one.period_code) if told is not None else ""
        # What is told of two periods are not two states of one: the later period counts, not the later change.
        other = "" not in (one.period, stands) and one.period != stands
        if other and newest is not None and newest.current and one.period < stands and not one.deleted:
            return False
        moments = None
        if newest is not None and newest.moment is not None and one.source_updated_at and not other:
            moments = (one.source_updated_at, newest.moment)
        withdrawn = self._withdrawn.get(ending, self._withdrawn.get(key))
        if one.deleted:
            if newest is not None and newest.current and moments and moments[0] < moments[1]:
                return False
            # A withdrawal delivered again: what stands has come in its place.
            if (
                withdrawn is not None
                and one.source_updated_at is not None
                and one.source_updated_at <= withdrawn
            ):
                return False
            # Also of a record that was never understood: it may wait in quarantine.
            self._withdraw(ending, one.source_updated_at)
            if newest is None or not newest.current or other:
                return False
            self._end(one.table, newest)
            if one.table == "registration":
                self._unregistered.add(one.record_id)
            return True
        # What it was before it was withdrawn.
        if withdrawn is not None and one.source_updated_at is not None and one.source_updated_at < withdrawn:
            return False
        if newest is not None:
            if newest.current and (newest.digest == one.digest or (moments and moments[0] < moments[1])):
                return False
            # Ended, and this row is no younger than what had ended: the old state, delivered again. Where its source told of
            # what moment that was, another state is what stands in its place.
            again = withdrawn is None or newest.digest == one.digest
            if not newest.current and again and moments and moments[0] <= moments[1]:
                return False
            if newest.current:
                self._end(one.table, newest)
        if resolved is None or resolved[0] is None:
            raise AssertionError("a row that is written has a subject")
        anchor, differs = resolved[0], resolved[1]
        public_id = newest.public_id if newest is not None else next(self._ids)
        values: Sequence[object] = _flagged(one, "NAME_DIFFERS") if differs else one.values
        if newest is not None:
            values = repairs.kept(one.table, values, newest.repaired)
            values = objections.ended(one.table, values, newest.ended)
            values = objections.marked(one.table, values) if newest.objected else values
            values = publications.stays(one.table, values, newest.stays)
        begins = max(self._now, newest.since) if newest is not None else self._now
        row = self._row(one, public_id, anchor, values, begins)
        self._inserts.setdefault(one.table, []).append(row)
        latest = _Newest(
            public_id, anchor.subject_id, one.digest, True, one.source_updated_at, begins, row=row
        )
        if newest is not None:
            latest.repaired, latest.objected = newest.repaired, newest.objected
            latest.ended, latest.stays = newest.ended, newest.stays
        if one.table == "archive":
            latest.items = str(one.values[PLACES["archive"]["items"]])
        self._newest[key] = latest
        if one.table == "registration":
            self._registered[anchor.subject_id] = (one, anchor)
            if newest is not None and newest.subject_id != anchor.subject_id:
                self._unregistered.add(one.record_id)
        return True

    def _withdraw(self, key: tuple[str, str], moment: datetime | None) -> None:
        known = self._withdrawn.get(key)
        if moment is not None and (known is None or moment > known):
            self._withdrawn[key] = self._withdrawals[key] = moment

    def _end(self, table: str, newest: _Newest) -> None:
        newest.current = False
        newest.since = max(self._now, newest.since)
        if newest.row is not None:
            newest.row[-1] = newest.since
        elif newest.version_id is not None:
            self._ends.setdefault(table, []).append(newest.version_id)

    def _row(
        self, one: Prepared, public_id: UUID, anchor: Anchor, values: Sequence[object], begins: datetime
    ) -> list[object]:
        return [
            public_id,
            anchor.subject_id,
            one.data_class,
            *values,
            *made(one.table, values),
            self._source.name,
            one.record_id,
            self._source.provider_name,
            self._source.provider_code,
            one.catalog_item_code,
            one.sharing,
            one.source_updated_at,
            self._now,
            one.digest,
            begins,
            None,
        ]

    async def _write(self) -> None:
        for table, versions in self._ends.items():
            await self._connection.execute(_END.format(table=table), versions, self._now)
        # Before what this batch registers: a registration that comes back finds nothing of the one withdrawn.
        await registrations.withdraw(self._connection, self._source.name, self._unregistered)
        for table, rows in self._inserts.items():
            await self._connection.copy_records_to_table(table, records=rows, columns=written(table))
        if self._withdrawals:
            tables, ids = zip(*self._withdrawals, strict=True)
            moments = list(self._withdrawals.values())
            await self._connection.execute(_WITHDRAW, self._source.name, tables, ids, moments)
        await registrations.take(
            self._connection,
            [
                (
                    anchor.subject_id,
                    named("registration", one.values),
                    one.subject.region if one.subject else None,
                )
                for one, anchor in self._registered.values()
            ],
        )
        # And after it: what this batch registers it may also withdraw.
        await registrations.withdraw(self._connection, self._source.name, self._unregistered)


def _flagged(one: Prepared, flag: str) -> tuple[object, ...]:
    """The values of a record with one more flag among its details."""
    index = PLACES[one.table]["details"]
    details = orjson.loads(str(one.values[index]))
    details["flags"] = [*details.get("flags", []), flag]
    text = orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode()
    return (*one.values[:index], text, *one.values[index + 1 :])
