"""Candidates for a name: found by trigrams, judged by the parts of the name, never merged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hub.errors import BadUserInput
from hub.query.scopes import Sought
from schema.names import NameParts, Resemblance, formerly, name_key, parse_name, score
from schema.regions import current_region, region_prefix

# Names that the index gives to be judged; the best of them are answered.
JUDGED = 60
LONGEST = 200
MOST = 20
# Keys of the name, of its trade name and of its core, region and number of rows → names of the subjects that the caller
# is shown, those with the trade name first, then the most alike: as many at most of those that they bear, and that they
# bore.
Search = Callable[[Sought, str | None, int], Awaitable[list[Any]]]


async def candidates(search: Search, name: str, region: str | None, first: int) -> list[dict[str, Any]]:
    """The best candidates for `name`, as rows of the vocabulary's SubjectCandidate.

    `search` gives only what the caller is shown: whoever else is there must not take a place from them. A subject of
    which several names are alike, former ones among them, is one candidate, by the best of them.
    Raises BadUserInput for an empty or too long name, a region that is no code, or too many candidates.
    """
    if not 2 <= len(name.strip()) <= LONGEST:
        raise BadUserInput(f"A name has 2 to {LONGEST} characters.", argument="name")
    if region is not None and not (region.isascii() and region.isdigit() and 2 <= len(region) <= 6):
        raise BadUserInput("A region is a prefix of a GB/T 2260 code: 2 to 6 digits.", argument="region")
    if not 1 <= first <= MOST:
        raise BadUserInput(f"Ask for 1 to {MOST} candidates.", argument="first")
    asked = parse_name(name)
    trade_name = name_key(asked.trade_name)
    # A trade name of two characters is in no index, with the industry it is.
    core = trade_name if len(trade_name) > 2 else name_key(asked.trade_name + asked.industry)
    within = region and _todays(region)
    rows = await search(Sought(asked.key, trade_name, core), within, JUDGED)
    judged = [(_judged(asked, row), row) for row in rows]
    judged.sort(key=lambda one: (one[0][0], -one[0][1], one[1]["subject_id"], one[1]["display_name"]))
    best: dict[int, Resemblance] = {}
    for found, row in judged:
        best.setdefault(row["subject_id"], found)
    return [
        {
            "ord": number,
            "subject_id": subject_id,
            "score": points,
            "match_class": klass,
            "why": list(why),
        }
        for number, (subject_id, (klass, points, why)) in enumerate(list(best.items())[:first])
    ]


def _todays(prefix: str) -> str:
    """The prefix of today's codes for one that an area had before: of 6321 it is 6302, of 630122 630106 (2.3)."""
    code = prefix.ljust(6, "0")
    return prefix if current_region(code) == code else region_prefix(code)


def _judged(asked: NameParts, row: Any) -> Resemblance:
    found = score(asked, parse_name(row["display_name"]))
    return formerly(found) if row["former"] else found
