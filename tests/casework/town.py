"""A town of firms whose cases move by chance through a simulated year: real store, real channels, a clock that jumps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from connectors.contract import SHANGHAI
from hub.casework.clock import automatic, keep_time
from hub.casework.delivery.alarms import raise_alarms
from hub.casework.delivery.channels import Channel, Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.machine import HANDLER, Actor, Transition
from hub.casework.new_calendar import recompute
from hub.casework.objections.corrections import tell_recipients
from hub.casework.registry import registry
from hub.casework.repair.commands import settle
from hub.casework.reports.commands import open_reports
from hub.casework.work import SourceState, Work, calendar_for
from hub.errors import HubError
from hub.query.binding import Request, Secrets
from hub.rights.agreement_file import Agreement, parse_agreement
from hub.rights.matrix import Purpose
from hub.rights.openness import load_openness
from hub.rights.standing import Standings
from hub.rules.calendar import Calendar
from hub.rules.matrix import load_matrix
from hub.rules.reports import quarter_of
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.channels import Trouble
from hub.sandbox.issuer import demo_issuer
from hub.serving.mutations import named
from schema.coordinates import vocabulary
from schema.identifiers import organization_check, uscc_check
from tests.casework.desk import SOURCES, Office
from tests.casework.dispatch import Site
from tests.casework.moves import Around, Move, arguments, moves

NEW_YEAR = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
MATTER = "SW-XK-OIL"
# Reports each quarter, to the province's department.
REPORTER = "commerce-xining"
# What each partner does its work for; all others for the first purpose of their agreement.
PURPOSES = {
    "commerce": "ADMINISTRATIVE_LICENSING",
    REPORTER: "ADMINISTRATIVE_LICENSING",
    "procurement": "JOINT_PUNISHMENT",
    "subject": "CREDIT_REPAIR",
}
_DEFINITIONS = """
INSERT INTO list_definition (code, name, color, recognizer_name, legal_basis, basis_level, min_publicity_months,
  max_publicity_months, effective_from, criteria, measures)
VALUES ($1, $1, $2, '青海省商务厅', $3, $4, 1, $5, '2019-07-05', '条例所列情形', '重点监管')
"""
_FIRM = """
INSERT INTO subject (kind, uscc, region_code, display_name, name_key, registration_status, established_on)
VALUES ('LEGAL_PERSON', $1, '630103', $2, $2, '存续', '2015-03-01') RETURNING subject_id
"""
_RECORD = """
INSERT INTO record (public_id, subject_id, source, source_record_id, provider_name, catalog_item_code, authority_name, fetched_at,
  recorded_at, payload_digest, data_class, kind, title, document_number, decided_on, seriousness, lifecycle, usable_until)
VALUES ($1::uuid, $2, 'COMMERCE', $4, '青海省商务厅', 'TEST', '青海省商务厅', $3, $3, $4, 'D6', 'PENALTY', '行政处罚',
  $5, $6, $7, 'EFFECTIVE', $8)
"""
_AFFILIATED = "INSERT INTO affiliation (partner, subject_id, kind, valid_from) VALUES ('mall', $1, 'MERCHANT', '2020-01-01')"
_OPEN = """
SELECT c.case_id, c.number, c.mechanism, c.state, c.details, c.owner FROM case_file c
WHERE c.subject_id = $1 AND c.closed_at IS NULL ORDER BY c.case_id
"""
_MEASURED = """
SELECT DISTINCT subject_id FROM case_file WHERE mechanism = 'MEASURE' AND state = 'EFFECTIVE' ORDER BY subject_id
"""
_REPORTS = """
SELECT number, state, details FROM case_file WHERE mechanism = 'QUARTERLY_REPORT' AND closed_at IS NULL ORDER BY case_id
"""
_PARTIES = "SELECT partner FROM case_party WHERE case_id = $1 AND role = ANY ($2::text[]) ORDER BY partner"


@dataclass
class Firm:
    """A firm, whose history is simulated."""

    code: str
    subject_id: int
    # Adverse records that were there from the beginning: opaque id → last day of use.
    records: Mapping[str, date | None]


@dataclass
class Town:
    """Firms, officers and channels over the store of an office."""

    office: Office
    connection: asyncpg.Connection
    sites: Mapping[Channel, Site]
    chance: Random
    firms: list[Firm] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    # When the alarms were looked at last, and whether every channel took what was due then.
    watched_at: datetime = NEW_YEAR
    all_delivered: bool = False

    def __post_init__(self) -> None:
        """Read the agreements, and make rights as the hub does."""
        settings = self.office.database.settings
        matrix, known = load_matrix(), vocabulary()
        texts = demo_agreements(demo_issuer(settings.state_dir).key)
        self.agreements: dict[str, Agreement] = {
            partner: parse_agreement(text, matrix, NEW_YEAR.date(), known.coordinates)
            for partner, text in texts.items()
        }
        self._standings = Standings(known, matrix, load_openness())
        self._secrets = Secrets(settings.cursor_key, lambda number: number, settings.id_key)
        self._calendars: dict[date, Calendar] = {}
        self._version = f"{matrix.version} {matrix.digest[:16]}"

    @property
    def today(self) -> date:
        """The day in Qinghai."""
        return self.office.clock.now.astimezone(SHANGHAI).date()

    async def found(self, firms: int) -> None:
        """Lay lists, and firms with their adverse records."""
        for code, color, basis, level, months in (
            ("SIM-BLACK", "BLACK", "国务院文件", "STATE_COUNCIL", 6),
            # Long enough to be repaired, which takes six months.
            ("SIM-WATCH", "WATCH", "部门规章", "RULE", 10),
            ("SIM-RED", "RED", "部门文件", "POLICY", 4),
            ("SIM-NO-BASIS", "BLACK", " ", "LAW", 6),
            ("SIM-LOW", "BLACK", "部门规章", "RULE", 6),
        ):
            await self.connection.execute(_DEFINITIONS, code, color, basis, level, months)
        for number in range(firms):
            first = f"{10_000_000 + number}"
            first17 = f"91630103{first}{organization_check(first)}"
            code = first17 + uscc_check(first17)
            subject = await self.connection.fetchval(_FIRM, code, f"青海某某{number}有限公司")
            await self.connection.execute(_AFFILIATED, subject)
            records = {}
            for _ in range(self.chance.choice((0, 0, 1, 2))):
                public_id, decided = (
                    str(uuid4()),
                    NEW_YEAR.date() - timedelta(days=self.chance.randint(5, 300)),
                )
                until = self.chance.choice(
                    (None, NEW_YEAR.date() + timedelta(days=self.chance.randint(0, 360)))
                )
                seriousness = self.chance.choice(("GENERAL", "GENERAL", "SERIOUS"))
                await self.connection.execute(
                    _RECORD, public_id, subject, NEW_YEAR, public_id.replace("-", "") * 2, "青商罚1号", decided,
                    seriousness, until,
                )  # fmt: skip
                records["r" + public_id.replace("-", "")] = until
            self.firms.append(Firm(code, subject, records))

    # ---- what officers do ------------------------------------------------------------------------------------------

    async def act(self, firm: Firm) -> None:
        """Somebody does something about a firm: a step of one of its cases, or a new one."""
        rows = await self.connection.fetch(_OPEN, firm.subject_id)
        options: list[tuple[float, Move, Any]] = []
        for move in moves():
            if move.opens:
                options.append((self._wish(move, rows, firm), move, None))
                continue
            for row in rows:
                if not move.steps:
                    options.append((0.05, move, row))
                elif move.mechanism == row["mechanism"]:
                    weight = max(_weight(row["mechanism"], step, row["state"]) for step in move.steps)
                    options.append((weight, move, row))
        _, move, row = self.chance.choices(options, [weight for weight, _, _ in options])[0]
        around = self._around(firm, rows, row)
        await self.do(move, await self._actor(move, row, firm), arguments(move, around, self.chance))

    def _wish(self, move: Move, rows: Sequence[Any], firm: Firm) -> float:
        """How much a new case is wanted: one of a kind is enough, and some need an entry in force or a record."""
        standing = {(row["mechanism"], row["state"]) for row in rows}
        listed = ("LIST_ENTRY", "PUBLISHED") in standing
        if "entry" in move.arguments:
            return 6.0 if listed else 0.02
        if move.mechanism == "CHECK" and ("MEASURE", "EFFECTIVE") in standing:
            return 3.0
        if move.mechanism is None or not move.arguments.keys() & {"subject", "target"}:
            return 0.0
        if "target" in move.arguments and not listed and not firm.records:
            return 0.02
        wanted = _WANTED.get(move.mechanism, 0.1)
        return 0.15 * wanted if any(row["mechanism"] == move.mechanism for row in rows) else wanted

    def _around(self, firm: Firm, rows: Sequence[Any], row: Any) -> Around:
        told = [json.loads(one["details"]) for one in rows]
        return Around(
            firm=firm.code,
            today=self.today,
            number=row["number"] if row is not None else None,
            details=json.loads(row["details"]) if row is not None else None,
            entries=tuple(
                "l" + one["entry"].replace("-", "")
                for one, of in zip(told, rows, strict=True)
                if "entry" in one and (of["state"] == "PUBLISHED" or self.chance.random() < 0.05)
            ),
            records=tuple(firm.records),
            numbers=tuple(one["number"] for one in rows),
            partners=("commerce", "procurement", "procurement"),
        )

    async def _actor(self, move: Move, row: Any, firm: Firm) -> Actor:
        """Who may take the step, mostly; now and then it is somebody who may not."""
        able = [
            partner
            for partner, agreement in sorted(self.agreements.items())
            if move.capability in {str(one) for one in agreement.capabilities}
        ]
        # The province's department, or the prefecture's, whose figures the quarterly report tells.
        departments = [one for one in ("commerce", "commerce", REPORTER) if one in able]
        partner = self.chance.choice(departments or able)
        if row is not None and move.mechanism == row["mechanism"] and move.steps:
            step: Transition = registry().machines[row["mechanism"]].step(move.steps[0])
            if "SUBJECT" in step.parties and HANDLER not in step.parties:
                partner = "subject"
            else:
                parties = await self.connection.fetch(_PARTIES, row["case_id"], sorted(step.parties))
                partner = self.chance.choice([one["partner"] for one in parties] or [partner])
        if self.chance.random() < 0.04:
            partner = self.chance.choice(sorted(self.agreements))
        # Mostly the second officer is another one.
        second = (move.capability == "REVIEW") is (self.chance.random() < 0.95)
        return self._officer(partner, firm, "b" if second else "a")

    def _officer(self, partner: str, firm: Firm | None, officer: str = "a") -> Actor:
        agreement = self.agreements[partner]
        standing = self._standing(partner)
        return Actor(
            partner=partner,
            officer=f"{partner}-{officer}",
            capabilities=standing.view.capabilities,
            regions=agreement.regions,
            subject=firm.code if partner == "subject" and firm is not None else None,
            purpose=str(standing.purpose),
            matter=MATTER,
            case_number="BJ-2026-0001",
        )

    def _standing(self, partner: str) -> Any:
        agreement = self.agreements[partner]
        purpose = Purpose(PURPOSES.get(partner, agreement.purposes[0]))
        return self._standings.of(agreement, purpose, self.today)

    async def do(self, move: Move, actor: Actor, given: Mapping[str, Any]) -> None:
        """Do a command in a transaction of its own, as a request does it; refusals are counted."""
        now, agreement, view = (
            self.office.clock.now,
            self.agreements[actor.partner],
            self._standing(actor.partner).view,
        )
        calendar = self._calendars.get(self.today)
        if calendar is None:
            calendar = self._calendars[self.today] = await calendar_for(self.connection, ["63"], self.today)
        request = Request(
            values={}, view_digest=view.digest, today=self.today, now=now, partner=actor.partner,
            partner_class=str(agreement.partner_class),
            regions=agreement.regions, self_code=actor.subject, own_source=agreement.source,
            purpose=actor.purpose, unvouched=(), unvouched_by_source=(),
        )  # fmt: skip
        try:
            async with self.office.database.writer.acquire() as connection, connection.transaction():
                work = Work(
                    connection=connection, actor=actor, now=now, today=self.today, calendar=calendar,
                    machines=registry().machines, view=view, request=request, secrets=self._secrets,
                    sources={name: SourceState(name, "OK", now) for name in SOURCES},
                    policy_version=self._version,
                )  # fmt: skip
                if move.capability not in actor.capabilities:
                    # The view of such a caller does not have the command.
                    raise _NotTheirs
                await registry().commands[move.target](work, named(dict(given)))
        except _NotTheirs:
            self.refused[f"{move.target} NOT_THERE"] += 1
        except HubError as error:
            self.refused[f"{move.target} {error.extensions.get('reason') or error.code}"] += 1
        else:
            self.taken[move.target] += 1

    # ---- what time does --------------------------------------------------------------------------------------------

    def jump(self) -> None:
        """Time passes: hours, a day, or weeks; any hour of the day, and often the first of a quarter."""
        days, before = self.chance.choice((0, 1, 1, 3, 7, 10, 20, 33, 45, 60)), self.today
        self.office.clock.now += timedelta(days=days, minutes=self.chance.randint(1, 24 * 60 - 1))
        begins = quarter_of(self.today).first
        if begins > before and self.chance.random() < 0.6:
            midnight = datetime(begins.year, begins.month, begins.day, tzinfo=SHANGHAI)
            self.office.clock.now = (midnight + timedelta(minutes=30)).astimezone(UTC)

    async def night(self, *, alarms: bool, channels: bool) -> None:
        """What the worker does: takes steps that time takes, looks at the lists, delivers, raises alarms."""
        pool, now = self.office.database.writer, self.office.clock.now
        if alarms:
            await recompute(pool, registry().machines, now)
        await open_reports(pool, registry().machines, now)
        await keep_time(pool, registry().machines, automatic(), now)
        await settle(pool, registry().machines, now)
        await tell_recipients(pool, registry().machines, now)
        recheck = next(one for one in moves() if one.target == "list.recheck")
        await self.do(recheck, self._officer("commerce", None), {})
        if channels:
            await self.deliver()
            await settle(pool, registry().machines, now)
        if alarms:
            await raise_alarms(pool, now)
            self.watched_at = now

    async def checks(self) -> None:
        """In the morning, before any job of the night: firms whose measures run are checked, whatever day it is."""
        run = next(one for one in moves() if one.target == "check.run")
        rows = await self.connection.fetch(_MEASURED)
        firms = {firm.subject_id: firm for firm in self.firms}
        for row in rows:
            firm = firms[row["subject_id"]]
            await self.do(run, self._officer("commerce", firm), {"subject": firm.code})

    async def report(self) -> None:
        """The reporter counts anew, confirms and submits; the province accepts, or gives back for a correction."""
        named = {move.target: move for move in moves()}
        for row in await self.connection.fetch(_REPORTS):
            number, details = row["number"], json.loads(row["details"])
            if row["state"] == "SUBMITTED":
                step = "report.return" if self.chance.random() < 0.3 else "report.accept"
                await self.do(
                    named[step], self._officer("commerce", None, "b"), {"number": number, "reason": "请核对"}
                )
                continue
            officer = self._officer(REPORTER, None)
            if self.chance.random() < 0.5:
                await self.do(named["report.prefill"], officer, {"number": number})
                continue
            figures = [
                {"code": one["code"], "text": "无" if one["kind"] == "TEXT" else None}
                for one in details["figures"]
            ]
            await self.do(named["report.state"], officer, {"number": number, "figures": figures})
            await self.do(named["report.submit"], officer, {"number": number})

    async def deliver(self) -> None:
        """Each channel in the trouble it is in by chance; what it did not take is due again later."""
        troubles = [self.chance.choice(_TROUBLES) for _ in self.sites]
        async with httpx.AsyncClient(trust_env=False) as http:
            courier = Courier(
                self.office.database.writer,
                Client(http, 5),
                Pace(first=1.0, most=60.0),
                self.office.clock,
                lambda: 0.0,
            )
            for (channel, site), trouble in zip(self.sites.items(), troubles, strict=True):
                site.site.trouble = trouble
                await courier.deliver(site.address)
                site.site.trouble = Trouble.NONE
                assert channel == site.address.channel
        self.all_delivered = set(troubles) == {Trouble.NONE}


# How much a case of a mechanism is wanted: what lists, measures and publicity are about most, all others now and then.
_WANTED: Mapping[str | None, float] = {
    "LIST_ENTRY": 2.5, "PUBLICITY": 2.0, "REPAIR": 1.5, "CHECK": 1.0, "OBJECTION": 0.5, "NOTIFICATION": 0.4,
}  # fmt: skip


@cache
def _depths(mechanism: str) -> Mapping[str, int]:
    machine = registry().machines[mechanism]
    depths, edge = {machine.initial: 0}, {machine.initial}
    while edge:
        deeper = max(depths.values()) + 1
        edge = machine.next_to(edge) - depths.keys()
        depths |= dict.fromkeys(edge, deeper)
    return depths


@cache
def _weight(mechanism: str, transition: str, state: str) -> float:
    """How likely a step is: forwards rather than round in circles, and not too soon to an end."""
    machine, depths = registry().machines[mechanism], _depths(mechanism)
    step = machine.step(transition)
    if state not in step.sources:
        # Now and then somebody tries what the table does not have.
        return 0.01
    if (mechanism, state) == ("REPAIR", "EFFECTUATED"):
        # Answered, or revoked: neither waits.
        return 3.0
    target = step.leads(state)
    if target in machine.final:
        return 0.3
    if depths[target] <= depths[state]:
        # Examined once before it is decided; fed back where a measure was applied.
        return {"feed_back": 6.0, "feed_back_own": 6.0, "examine": 6.0}.get(transition, 0.5)
    if mechanism in ("MEASURE", "REPAIR"):
        # Before what they rest on is gone.
        return 12.0
    # What is in force stays so for a while.
    return 6.0 if state != "PUBLISHED" else 0.8


_TROUBLES = (*[Trouble.NONE] * 8, Trouble.OUTAGE, Trouble.LOST, Trouble.GARBAGE, Trouble.STRICT)


class _NotTheirs(Exception):
    """The caller's schema does not have the command."""
