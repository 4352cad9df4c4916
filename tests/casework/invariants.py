"""What must hold of a town at any moment, told from events and from partners' answers alone, never from the code that is tested."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import chinese_calendar

from connectors.contract import SHANGHAI
from hub.casework.registry import registry
from hub.rules.redactor import screen
from tests.casework.desk import Desk
from tests.casework.town import Town

CHANNELS = ("OWN_SITE", "GOVERNMENT_PORTAL", "PROVINCIAL_PLATFORM", "CREDIT_QINGHAI")
# Partners that may ask for many firms at once, and for what; what they ask of, everybody may see.
ASKING = {"reform": "ONGOING_SUPERVISION", "procurement": "JOINT_PUNISHMENT", "mall": "MERCHANT_ADMISSION"}
ASKED = """
query Asked($codes: [USCC!]!) {
  subjects(codes: $codes) {
    ... on Organization {
      uscc listEntries { id underObjection } records(first: 20) { edges { node { id underObjection } } }
    }
  }
}
"""
FIGURES = """
query Figures($from: Date!, $to: Date!) {
  publicityTimeliness(decidedFrom: $from, decidedTo: $to) { unit month onTime late notPublished pending excepted }
}
"""
SHOWN_COLORS = ("BLACK", "RED")
PUNITIVE = ("BLOCK", "RESTRICT", "KEY_SUPERVISION")
# What is noted in a case without a step.
BY_TIME = ("deadline_near", "deadline_passed", "deadline_moved", "delivery_overdue")
_CASES = "SELECT * FROM case_file ORDER BY case_id"
_EVENTS = "SELECT * FROM case_event ORDER BY event_id"
_DELIVERIES = "SELECT * FROM delivery_out ORDER BY delivery_id"


class Told:
    """All that the store says of cases: read once for a look at everything."""

    def __init__(self, cases: Sequence[Any], events: Sequence[Any], deliveries: Sequence[Any]) -> None:
        """Rows of the three tables, oldest first."""
        self.cases: dict[int, dict[str, Any]] = {
            row["case_id"]: {**row, "details": json.loads(row["details"])} for row in cases
        }
        self.events: dict[int, list[Any]] = defaultdict(list)
        for row in events:
            self.events[row["case_id"]].append({**row, "payload": json.loads(row["payload"])})
        self.deliveries: dict[int, list[Any]] = defaultdict(list)
        for row in deliveries:
            self.deliveries[row["event_id"]].append({**row, "payload": json.loads(row["payload"])})

    @classmethod
    async def of(cls, town: Town) -> Told:
        """As the store stands."""
        return cls(*[await town.connection.fetch(sql) for sql in (_CASES, _EVENTS, _DELIVERIES)])

    def before(self, event_id: int) -> Told:
        """As it was told before an event: what happened by then, and may be written only after it, is left out."""
        told = Told((), (), ())
        told.cases, told.deliveries = self.cases, self.deliveries
        for case, events in self.events.items():
            told.events[case] = [event for event in events if event["event_id"] < event_id]
        return told

    def of_machine(self, mechanism: str) -> list[dict[str, Any]]:
        """The cases of a mechanism."""
        return [case for case in self.cases.values() if case["mechanism"] == mechanism]

    def state(self, case: Mapping[str, Any]) -> str:
        """The state after the last event."""
        return str(self.events[case["case_id"]][-1]["to_state"])

    def steps(self, case: Mapping[str, Any], *names: str) -> list[Any]:
        """The events of a case with these transitions."""
        return [event for event in self.events[case["case_id"]] if event["transition"] in names]


def entries_in_force(told: Told, today: date) -> dict[str, dict[str, Any]]:
    """Opaque id → case of every place on a list that is in force, by events and the end of its period."""
    return {
        "l" + case["details"]["entry"].replace("-", ""): case
        for case in told.of_machine("LIST_ENTRY")
        if told.state(case) == "PUBLISHED"
        and date.fromisoformat(case["details"]["publicity_ends_on"]) >= today
    }


def disputed(told: Told) -> set[str]:
    """Records and entries that an objection runs on."""
    return {
        case["details"]["target"]
        for case in told.of_machine("OBJECTION")
        if told.state(case) in ("MARKED", "FORWARDED", "ANSWERED")
    }


async def nothing_ended_is_visible(town: Town, told: Told, partner: str) -> None:
    """Partners see what is in force, all of it, and nothing that was repaired, has expired or left its list.

    R5.4: what an objection runs on is marked for each of them, and nothing else is.
    """
    desk = Desk(town.office, partner, ASKING[partner], "QH-2026-1", "BJ-2026-1")
    answer = await desk.done(ASKED, {"codes": [firm.code for firm in town.firms]})
    seen = {one["uscc"]: one for one in answer["subjects"]}
    ended = ended_records(told)
    in_force = entries_in_force(told, town.today)
    under_objection = disputed(told)
    for firm in town.firms:
        shown = [
            *seen[firm.code]["listEntries"],
            *(one["node"] for one in seen[firm.code]["records"]["edges"]),
        ]
        for one in shown:
            assert one["underObjection"] is (one["id"] in under_objection), (partner, firm.code, one)
        entries = {one["id"] for one in seen[firm.code]["listEntries"]}
        colors = {*SHOWN_COLORS, *(("WATCH",) if partner == "reform" else ())}
        expected = {
            entry
            for entry, case in in_force.items()
            if case["subject_id"] == firm.subject_id and case["details"]["definition"]["color"] in colors
        }
        assert entries == expected, (partner, firm.code, town.today, entries ^ expected)
        records = {one["node"]["id"] for one in seen[firm.code]["records"]["edges"]} & firm.records.keys()
        expected = {
            record
            for record, until in firm.records.items()
            if (until is None or until >= town.today) and record not in ended
        }
        assert records == expected, (partner, firm.code, town.today, records ^ expected)


def ended_records(told: Told) -> set[str]:
    """Records that were repaired, or wrong, as the events of repairs and objections tell it."""
    over = {"REPAIR": ("APPROVED", "EFFECTUATED", "FEEDBACK_SENT"), "OBJECTION": ("UPHELD", "NOTIFIED")}
    return {
        "r" + str(case["target_public_id"]).replace("-", "")
        for mechanism, states in over.items()
        for case in told.of_machine(mechanism)
        if told.state(case) in states
    }


def measures_rest_on_a_basis(told: Told) -> None:
    """No measure that derogates is in effect without catalogue code and legal basis, nor without its list entry."""
    in_force = {
        "l" + c["details"]["entry"].replace("-", "") for c in entries_in_force(told, date.min).values()
    }
    for case in told.of_machine("MEASURE"):
        if told.state(case) != "EFFECTIVE":
            continue
        details = case["details"]
        if details["effect"] in PUNITIVE:
            assert details["national_catalogue_code"] == "NC-06", case["number"]
            assert (details["legal_basis"] or "").strip(), case["number"]
            assert details["basis_level"] == "LAW", case["number"]
            assert details["color"] == "BLACK", case["number"]
        assert details["legal_basis_checked_on"] is not None, case["number"]
        assert "l" + str(case["target_public_id"]).replace("-", "") in in_force, case["number"]


def checks_block_on_measures_only(told: Told) -> None:
    """A check advised BLOCK or RESTRICT only while a measure with basis was in effect on its subject."""
    for check in told.of_machine("CHECK"):
        if check["details"]["conclusion"] not in ("BLOCK", "RESTRICT"):
            continue
        assert any(
            measure["subject_id"] == check["subject_id"]
            and (measure["details"]["legal_basis"] or "").strip()
            and _state_before(told, measure, told.events[check["case_id"]][0]) == "EFFECTIVE"
            and date.fromisoformat(measure["details"]["ends"])
            >= check["opened_at"].astimezone(SHANGHAI).date()
            for measure in told.of_machine("MEASURE")
        ), check["number"]


def _state_before(told: Told, case: Mapping[str, Any], event: Any) -> str | None:
    """By the order of events: many have the same moment."""
    before = [one for one in told.events[case["case_id"]] if one["event_id"] < event["event_id"]]
    return before[-1]["to_state"] if before else None


def lists_rest_on_a_basis_and_notice(told: Told) -> None:
    """Nobody is on a list without basis; everybody there was told, could defend itself, and people decided."""
    for case in told.of_machine("LIST_ENTRY"):
        definition = case["details"]["definition"]
        assert definition["legal_basis"].strip(), case["number"]
        assert definition["color"] != "BLACK" or definition["basis_level"] in (
            "LAW",
            "REGULATION",
            "STATE_COUNCIL",
        )
        for published in told.steps(case, "publish"):
            before = [
                event for event in told.events[case["case_id"]] if event["event_id"] < published["event_id"]
            ]
            names = [event["transition"] for event in before]
            assert names.index("notify") < names.index("serve") < names.index("recognize"), case["number"]
            people = [event for event in before if event["transition"] not in BY_TIME]
            assert all(event["actor_partner"] != "hub" for event in people), case["number"]


def everything_published_was_reviewed(told: Told) -> None:
    """What is shown passed both reviews by others than its author, in these words, and holds nothing personal."""
    for case in told.of_machine("PUBLICITY"):
        history = told.events[case["case_id"]]
        for place, event in enumerate(history):
            if event["transition"] not in ("publish", "resume"):
                continue
            before = history[:place]
            last = max(
                (n for n, one in enumerate(before) if one["transition"] in ("open", "revise", "return")),
                default=0,
            )
            author = [one for one in before if one["transition"] in ("open", "revise")][-1]["actor_officer"]
            reviews = {one["transition"]: one["actor_officer"] for one in before[last:]}
            assert reviews.get("pass_secrecy", author) != author, case["number"]
            assert reviews.get("approve", author) != author, case["number"]
            cleared = {one["payload"].get("finding") for one in before if one["transition"] == "clear"}
            for one in told.deliveries[event["event_id"]]:
                found = screen(
                    one["payload"]["document"]["text"], event["at"].astimezone(SHANGHAI).date()
                ).findings
                assert not found or cleared - {None}, case["number"]
        assert not (told.steps(case, "except") and told.steps(case, "publish")), case["number"]


def every_exit_was_pushed_or_alarms(town: Town, told: Told) -> None:
    """Whatever left its list or its publicity was pushed to every channel that showed it, else there is an alarm."""
    alarmed = {
        event["payload"]["delivery_id"]
        for events in told.events.values()
        for event in events
        if event["transition"] == "delivery_overdue"
    }
    for case in (*told.of_machine("LIST_ENTRY"), *told.of_machine("PUBLICITY")):
        shown = False
        for event in told.events[case["case_id"]]:
            pushed = told.deliveries[event["event_id"]]
            actions = {one["channel"]: one["payload"]["action"] for one in pushed}
            public = (
                case["mechanism"] == "PUBLICITY" or case["details"]["definition"]["color"] in SHOWN_COLORS
            )
            if event["to_state"] == "PUBLISHED" and event["from_state"] != "PUBLISHED" and public:
                assert actions == dict.fromkeys(CHANNELS, "PUBLISH"), case["number"]
                shown = True
            elif shown and event["from_state"] == "PUBLISHED" != event["to_state"]:
                assert actions.keys() == set(CHANNELS), (case["number"], event["transition"])
                assert set(actions.values()) <= {"EXIT", "WITHDRAW"}, case["number"]
                for one in pushed:
                    limit = _limit(one["payload"]["action"], event["at"].astimezone(SHANGHAI).date())
                    late = (
                        town.watched_at.astimezone(SHANGHAI).date() > limit and one["state"] != "ACKNOWLEDGED"
                    )
                    # A later showing overtakes an exit that never arrived.
                    if late and one["error_code"] != "SUPERSEDED":
                        assert str(one["delivery_id"]) in alarmed, (
                            case["number"],
                            one["channel"],
                            one["state"],
                        )


def _limit(action: str, day: date) -> date:
    """R8.5: an exit has its day; R7.4: a withdrawal three working days."""
    return day if action == "EXIT" else working_days_after(day, 3)


def working_days_after(day: date, days: int) -> date:
    """The n-th working day after a day, by the State Council's notices; beyond them by weekends."""
    while days:
        day += timedelta(days=1)
        days -= _works(day)
    return day


def _works(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # what chinese_calendar raises for a year that it has no notice of
        return day.weekday() < 5


def channels_show_only_what_is_in_force(town: Town, told: Told) -> None:
    """After every channel took what was due, none shows what has ended."""
    if not town.all_delivered:
        return
    in_force = set(entries_in_force(told, date.min)) | {
        "c" + str(case["public_id"]).replace("-", "")
        for case in told.of_machine("PUBLICITY")
        if told.state(case) == "PUBLISHED"
    }
    # A record that is no case of the hub's is shown again when its repair was revoked.
    in_force |= {
        "r" + str(case["target_public_id"]).replace("-", "")
        for case in told.of_machine("REPAIR")
        if told.state(case) == "REVOKED"
    } - ended_records(told)
    refused = {
        one["payload"]["item"]
        for deliveries in told.deliveries.values()
        for one in deliveries
        if one["state"] != "ACKNOWLEDGED"
    }
    for site in town.sites.values():
        published = site.site.listing()["published"].keys()
        assert published - refused <= in_force, (site.site.name, published - refused - in_force)


def states_follow_from_events(told: Told) -> None:
    """Every case stands where its events led it, each by a step of its table, each step from where the last one led."""
    for case in told.cases.values():
        machine = registry().machines[case["mechanism"]]
        state = None
        for event in told.events[case["case_id"]]:
            assert event["from_state"] == state, (case["number"], event["transition"])
            if event["transition"] in BY_TIME:
                assert event["to_state"] == state, case["number"]
            elif event["transition"] == "open":
                assert event["to_state"] == machine.initial, case["number"]
            else:
                step = machine.step(event["transition"])
                assert state in step.sources, (case["number"], event["transition"])
                assert event["to_state"] == step.leads(state), (case["number"], event["transition"])
            state = event["to_state"]
        assert case["state"] == state, case["number"]
        assert (case["closed_at"] is not None) == (state in machine.final), case["number"]


async def figures_are_a_recount(town: Town, told: Told) -> None:
    """The figures of timeliness are those that somebody counts from the events with a calendar on the desk."""
    now, last = town.office.clock.now, date(2026, 12, 10)
    counted: Counter[tuple[str, str, str]] = Counter()
    for case in told.of_machine("PUBLICITY"):
        decided = date.fromisoformat(case["details"]["decided_on"])
        if decided > last or ended_unshown_in_time(told, case, now.astimezone(SHANGHAI).date()):
            continue
        due = working_days_after(decided, 7)
        counted[case["owner"], str(decided.replace(day=1)), _standing(told, case, due, now)] += 1
    desk = town.office.desk("commerce", "STATISTICS", "QH-2026-1", None)
    answer = await desk.done(FIGURES, {"from": "2025-12-01", "to": str(last)})
    names = {
        "onTime": "on time",
        "late": "late",
        "notPublished": "missing",
        "pending": "pending",
        "excepted": "excepted",
    }
    told_figures = {
        (row["unit"], row["month"], words): row[name]
        for row in answer["publicityTimeliness"]
        for name, words in names.items()
        if row[name]
    }
    assert told_figures == dict(counted)


def ended_unshown_in_time(told: Told, case: Mapping[str, Any], last: date) -> bool:
    """R7.4: the decision ended within its seven working days, before both sites showed it: by `last` that was written down."""
    steps = [one for one in told.steps(case, "withdraw") if one["at"].astimezone(SHANGHAI).date() <= last]
    shown = shown_on_both(told, case)
    if not steps or (shown is not None and shown <= steps[0]["at"]):
        return False
    ended = date.fromisoformat(case["details"]["withdrawal"]["ended_on"])
    return ended <= working_days_after(date.fromisoformat(case["details"]["decided_on"]), 7)


def shown_on_both(told: Told, case: Mapping[str, Any]) -> datetime | None:
    """When the second of the own site and the government portal acknowledged it."""
    shown = [
        one["acknowledged_at"]
        for event in told.steps(case, "publish")
        for one in told.deliveries[event["event_id"]]
        if one["channel"] in ("OWN_SITE", "GOVERNMENT_PORTAL") and one["acknowledged_at"] is not None
    ]
    return max(shown) if len(shown) == 2 else None


def _standing(told: Told, case: Mapping[str, Any], due: date, now: datetime) -> str:
    """R7.1: shown when both the own site and the government portal had acknowledged it, by the end of the day."""
    if told.steps(case, "except"):
        return "excepted"
    shown = shown_on_both(told, case)
    if shown is not None:
        return "on time" if shown.astimezone(SHANGHAI).date() <= due else "late"
    return "missing" if now.astimezone(SHANGHAI).date() > due else "pending"


def the_night_ended_what_was_over(told: Told, today: date) -> None:
    """After the night's work nothing is left whose day has passed: no place, no measure, no publication."""
    for mechanism, states, end in (
        ("LIST_ENTRY", ("PUBLISHED", "SUSPENDED"), lambda details: details["publicity_ends_on"]),
        ("MEASURE", ("EFFECTIVE", "SUSPENDED"), lambda details: details["ends"]),
        ("PUBLICITY", ("PUBLISHED", "SUSPENDED"), lambda details: details["period"]["latest_end"]),
    ):
        for case in told.of_machine(mechanism):
            if told.state(case) in states and (last := end(case["details"])) is not None:
                assert date.fromisoformat(last) >= today, (case["number"], last, today)


async def hold(town: Town, partner: str, *, after_night: bool) -> None:
    """Look at everything, and ask as one partner."""
    told = await Told.of(town)
    await nothing_ended_is_visible(town, told, partner)
    measures_rest_on_a_basis(told)
    checks_block_on_measures_only(told)
    lists_rest_on_a_basis_and_notice(told)
    everything_published_was_reviewed(told)
    every_exit_was_pushed_or_alarms(town, told)
    states_follow_from_events(told)
    if after_night:
        the_night_ended_what_was_over(told, town.today)
        channels_show_only_what_is_in_force(town, told)
