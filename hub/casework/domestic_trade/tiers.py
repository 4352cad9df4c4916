"""Supervision tiers of firms by sector (分类定级, R10.1): off unless a row of tiering.toml says on, explained, never stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
import orjson

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.rounds import apart
from hub.casework.work import calendar_for
from hub.rules.dated import the_one
from hub.rules.decisions import Authority
from hub.rules.tiering import Fact, Firm, Sector, Tier, TierRules, load_tier_rules
from hub.sources import freshness
from hub.sources.discovery import discover
from schema.governance import Capability

# Firms computed in one transaction.
_BATCH = 200
# Firms of a sector (industries of GB/T 4754, with or without their letter), and their case where there is one. `mark`
# changes with every fact that is recorded, superseded or ended, be it at the moment at which it or another began: so a
# tier is computed anew when something happened. Who turned out to be another firm, which has its facts, has no tier.
_CANDIDATES = """
SELECT s.subject_id, s.region_code, s.established_on, s.in_doubt, t.number, t.details, m.mark
FROM subject s
LEFT JOIN case_file t ON t.subject_id = s.subject_id AND t.mechanism = 'SUPERVISION_TIER' AND t.closed_at IS NULL
  AND t.details->>'sector' = $1
CROSS JOIN LATERAL (
  SELECT concat_ws('/', s.established_on, s.in_doubt, count(*), extract(epoch FROM max(x.at)), sum(x.version)) AS mark FROM (
    SELECT greatest(recorded_at, superseded_at) AS at, (superseded_at IS NOT NULL)::int AS version
    FROM record WHERE subject_id = s.subject_id
    UNION ALL
    SELECT greatest(recorded_at, superseded_at), (superseded_at IS NOT NULL)::int
    FROM list_entry WHERE subject_id = s.subject_id
    UNION ALL
    SELECT greatest(opened_at, closed_at), version FROM case_file
    WHERE subject_id = s.subject_id AND mechanism IN ('TOLERANCE', 'COMMITMENT')
  ) x
) m
WHERE s.kind IN ('LEGAL_PERSON', 'UNINCORPORATED_ORGANIZATION', 'INDIVIDUAL_BUSINESS') AND s.subject_id > $2 AND s.joined_to IS NULL
  AND EXISTS (SELECT FROM unnest($3::text[]) p WHERE starts_with(ltrim(s.industry_code, 'ABCDEFGHIJKLMNOPQRST'), p))
  AND (t.case_id IS NULL OR (t.details->>'valid_until')::date < $4 OR t.details->>'mark' <> m.mark OR t.details->>'policy' <> $5
    OR t.details->'missing' <> to_jsonb($6::text[]))
ORDER BY s.subject_id LIMIT $7
"""
# R10.1, 0.4: the hub's own look at public facts of authorities; what associations and platforms say has no place in it.
_FACTS = """
SELECT r.subject_id, 'r' || replace(r.public_id::text, '-', '') AS id,
  CASE WHEN r.record_type = 'FALSE_COMMITMENT' THEN 'FALSE_COMMITMENT' ELSE 'RECORD' END AS kind,
  r.seriousness AS grade, r.decided_on AS dated, r.usable_until, r.source, r.origin_class,
  r.under_objection OR r.lifecycle = 'UNDER_OBJECTION' AS objected, r.document_number AS decision,
  r.authority_uscc AS authority_code, r.authority_name AS authority
FROM record r
WHERE r.subject_id = ANY ($1::bigint[]) AND r.superseded_at IS NULL AND r.seriousness <> 'NOT_ADVERSE'
  AND r.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')
UNION ALL
SELECT e.subject_id, 'l' || replace(e.public_id::text, '-', ''), 'LIST_ENTRY', e.color, e.recognized_on,
  e.publicity_ends_on, e.source, 'PUBLIC_CREDIT', e.under_objection, NULL, NULL, NULL
FROM list_entry e
WHERE e.subject_id = ANY ($1::bigint[]) AND e.superseded_at IS NULL AND e.state = 'PUBLISHED'
UNION ALL
SELECT c.subject_id, 'c' || replace(c.public_id::text, '-', ''), 'OBLIGATION', '', c.opened_on, NULL, 'COMMERCE',
  'PUBLIC_CREDIT', FALSE, NULL, NULL, NULL
FROM case_file c
WHERE c.subject_id = ANY ($1::bigint[]) AND c.closed_at IS NULL
  AND (c.mechanism = 'TOLERANCE' OR c.mechanism = 'COMMITMENT' AND c.state = 'PUBLISHED' AND c.due_on < $2)
ORDER BY 1, 2
"""
# What has a tier and must have none any more: the sector is off or gone, or the firm is not of it; or two firms turned out to
# be one, which keeps its first.
_LEFT = """
SELECT t.public_id, t.number, CASE WHEN d.doubled THEN 'FIRMS_JOINED' ELSE 'OFF_OR_LEFT' END AS reason
FROM case_file t JOIN subject s USING (subject_id) CROSS JOIN LATERAL (
  SELECT s.joined_to IS NOT NULL OR EXISTS (SELECT FROM case_file o WHERE o.subject_id = t.subject_id
    AND o.mechanism = 'SUPERVISION_TIER' AND o.closed_at IS NULL AND o.details->>'sector' = t.details->>'sector'
    AND o.case_id < t.case_id) AS doubled
) d
WHERE t.mechanism = 'SUPERVISION_TIER' AND t.closed_at IS NULL AND (d.doubled OR NOT EXISTS (
  SELECT FROM jsonb_each($1::jsonb) n(sector, industries) CROSS JOIN jsonb_array_elements_text(n.industries) p
  WHERE n.sector = t.details->>'sector' AND starts_with(ltrim(s.industry_code, 'ABCDEFGHIJKLMNOPQRST'), p)))
ORDER BY t.case_id
"""


@dataclass(frozen=True)
class TierReason:
    """Why, and the records, entries and duties that it rests on, by their opaque ids; or the source that is missing."""

    code: str
    record_ids: tuple[str, ...]


@dataclass(frozen=True)
class TierDetails:
    """The tier of a firm in a sector as it was computed last. `valid_until`: None: no fact in it expires."""

    sector: str
    tier: str
    reasons: tuple[TierReason, ...]
    record_ids: tuple[str, ...]
    policy: str
    valid_until: date | None
    computed_at: datetime
    # Sources of the policy that could not answer or are stale.
    missing: tuple[str, ...]
    # What tells whether a fact has come or gone since.
    mark: str


def _computed(_: Case[TierDetails], step: Step) -> Effects:
    made: TierDetails = step.inputs["tier"]
    return Effects(details=vars(made), payload={"tier": made.tier, "policy": made.policy})


def _ruleset(_: date) -> str:
    """The rules that tiers are under; each computation names its policy beside."""
    return "TIERING-2019"


SUPERVISION_TIER = Machine(
    mechanism="SUPERVISION_TIER",
    zh="监管分类",
    en="Supervision tier",
    series="QHFL",
    data_class="D39",
    details=TierDetails,
    states=(
        State(name="CURRENT", zh="有效", en="current"),
        State(name="ENDED", zh="已停用", en="tiering is off, or the firm left the sector or turned out to be another"),
    ),
    initial="CURRENT",
    final=frozenset({"ENDED"}),
    # Only the hub takes these steps: nobody is a party, so the capability alone opens nothing.
    transitions=(
        Transition(
            name="compute", zh="重新计算", en="compute anew: a fact came, went or expired", sources=frozenset({"CURRENT"}),
            target="CURRENT", capability=Capability.CASEWORK, parties=frozenset(), requires=("tier",),
            effect=_computed, rules=("R10.1",),
        ),
        Transition(
            name="end", zh="停用", en="tiering is off, or the firm left the sector or turned out to be another",
            sources=frozenset({"CURRENT"}), target="ENDED", capability=Capability.CASEWORK, parties=frozenset(), requires=("reason",),
            rules=("R10.1",),
        ),
    ),
    ruleset=_ruleset,
    rules=("R10.1",),
)  # fmt: skip
MACHINES = (SUPERVISION_TIER,)


@dataclass
class Tiered:
    """What one round did, in firms: new tiers, computed anew, ended."""

    opened: int = 0
    computed: int = 0
    ended: int = 0


async def keep_tiers(
    pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime, rules: TierRules | None = None
) -> Tiered:
    """R10.1: tiers of the sectors that are on today, computed where a fact came, went or expired; ended elsewhere.

    `rules`: those of the package by default. While every sector is off this asks one question and does nothing.
    """
    rules = load_tier_rules() if rules is None else rules
    today = now.astimezone(SHANGHAI).date()
    done = Tiered()
    on = rules.sectors_on(today)
    policy = the_one(rules.policies, today, "policy of tiers") if on else None
    # First of all: of two tiers of one firm in a sector one is computed anew.
    industries = {one.id: list(one.industries) for one in on}
    for row in await pool.fetch(_LEFT, orjson.dumps(industries).decode()):
        with apart(f"case {row['public_id']}"):
            async with pool.acquire() as connection, connection.transaction():
                step = Step(
                    SYSTEM, {"reason": row["reason"]}, now, today, await calendar_for(connection, [], today)
                )
                await engine.apply(connection, machines, SUPERVISION_TIER, row["number"], "end", step)
            done.ended += 1
    for sector in on:
        assert policy is not None
        missing = await _missing(pool, policy.sources, now)
        after = 0
        while found := await pool.fetch(
            _CANDIDATES, sector.id, after, list(sector.industries), today, policy.id, sorted(missing), _BATCH
        ):
            after = found[-1]["subject_id"]
            with apart(f"tiers of {sector.id}"):
                async with pool.acquire() as connection, connection.transaction():
                    await _take(connection, machines, rules, sector, found, missing, now, done)
    return done


async def _take(
    connection: asyncpg.Connection,
    machines: Mapping[str, Machine],
    rules: TierRules,
    sector: Sector,
    found: Sequence[Any],
    missing: frozenset[str],
    now: datetime,
    done: Tiered,
) -> None:
    today = now.astimezone(SHANGHAI).date()
    calendar = await calendar_for(connection, [], today)
    facts: dict[int, list[Fact]] = {}
    for row in await connection.fetch(_FACTS, [one["subject_id"] for one in found], today):
        facts.setdefault(row["subject_id"], []).append(_fact(row))
    new = []
    for one in found:
        without = missing | freshness.doubted(one["in_doubt"])
        firm = Firm(one["established_on"], tuple(facts.get(one["subject_id"], ())), without)
        tier = rules.tier(firm, sector.id, today)
        assert tier is not None, sector.id
        made = _details(sector, tier, missing, one["mark"], now)
        if one["number"] is None:
            # The firm's unit sees it by its region (D39), so the case has the firm's.
            new.append(
                engine.NewCase(subject_id=one["subject_id"], details=made, region_code=one["region_code"])
            )
        else:
            step = Step(SYSTEM, {"tier": made}, now, today, calendar)
            await engine.apply(connection, machines, SUPERVISION_TIER, one["number"], "compute", step)
            done.computed += 1
    if new:
        step = Step(SYSTEM, {}, now, today, calendar)
        await engine.open_cases(connection, SUPERVISION_TIER, new, step)
        done.opened += len(new)


def _fact(row: Mapping[str, Any]) -> Fact:
    return Fact(
        row["id"], row["kind"], row["grade"], row["dated"], row["usable_until"], row["source"], row["origin_class"],
        row["objected"], row["decision"] or "", Authority(row["authority_code"], row["authority"]),
    )  # fmt: skip


def _details(sector: Sector, tier: Tier, missing: frozenset[str], mark: str, now: datetime) -> TierDetails:
    return TierDetails(
        sector=sector.id,
        tier=tier.letter,
        reasons=tuple(TierReason(one.code, one.ids) for one in tier.reasons),
        record_ids=tier.record_ids,
        policy=tier.policy,
        valid_until=tier.valid_until,
        computed_at=now,
        missing=tuple(sorted(missing)),
        mark=mark,
    )


async def _missing(pool: asyncpg.Pool, needed: frozenset[str], now: datetime) -> frozenset[str]:
    """The needed sources that cannot vouch for a “no”: unknown, down, or stale."""
    modules = discover()
    rows = await pool.fetch(freshness.STATES)
    stored = {row["source"]: freshness.State(row["status"], row["as_of"]) for row in rows}
    answering = {
        name
        for name, state in stored.items()
        if name in modules and freshness.harvested_state(modules[name].SOURCE, state, now).status == "OK"
    }
    return needed - answering
