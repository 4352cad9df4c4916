"""Random inspection (双随机、一公开): a draw that anyone can repeat from the published frame and seed. Pure.

1. Before the draw SM3(seed) and SM3(frame) are published; the seed is 32 random bytes. 2. The objects of each tier
are put in the order of HMAC-SM3(seed, object id), lowest first; of n objects the first ⌈rate·n⌉ are taken, at least
one. 3. For each object taken the inspectors are put in the order of HMAC-SM3(seed, object id LF inspector id);
those with a conflict of interest are passed over, and the first two are sent. 4. The seed is published with the
result. Each step can be repeated with `openssl dgst -sm3 -mac hmac -macopt hexkey:<seed>`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, Term, disjoint, the_one
from schema.characters import is_readable

TIERS = ("A", "B", "C", "D", "N")
SEED_BYTES = 32


class DrawInvalid(ValueError):
    """The frame, the seed or the rates cannot be those of a draw. The message says which and holds no names."""


@dataclass(frozen=True)
class FrameObject:
    """A commitment (or firm) that may be drawn, and the tier of its subject on the day of the frame."""

    id: str
    tier: str


@dataclass(frozen=True)
class Inspector:
    """A certified inspector, and the ids of the objects whose inspection would be a conflict of interest."""

    id: str
    conflicts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Frame:
    """Everything that may be drawn, fixed before the draw; the order in which it is given does not matter."""

    objects: tuple[FrameObject, ...]
    inspectors: tuple[Inspector, ...] = ()

    def canonical(self) -> str:
        """The text that is published: a line `object TAB tier TAB id` for each, then `inspector TAB id TAB ids`.

        Raises DrawInvalid: an id is empty, has blanks at its ends or control characters, or stands twice; a tier
        is unknown.
        """
        objects = [one.id for one in self.objects]
        inspectors = [one.id for one in self.inspectors]
        for ids in (objects, inspectors):
            if len(set(ids)) != len(ids):
                raise DrawInvalid("an id stands twice in the frame")
        conflicts = {other for one in self.inspectors for other in one.conflicts}
        if not all(_usable(one) for one in {*objects, *inspectors, *conflicts}):
            raise DrawInvalid("an id is empty or holds blanks or control characters")
        if any(one.tier not in TIERS for one in self.objects):
            raise DrawInvalid("a tier is none of A, B, C, D, N")
        lines = sorted(f"object\t{one.tier}\t{one.id}" for one in self.objects)
        lines += sorted(f"inspector\t{one.id}\t{' '.join(sorted(one.conflicts))}" for one in self.inspectors)
        return "".join(f"{line}\n" for line in lines)

    def digest(self) -> str:
        """SM3 of the canonical text, hexadecimal: published with the commitment. Raises DrawInvalid."""
        return hashlib.new("sm3", self.canonical().encode()).hexdigest()


@dataclass(frozen=True)
class Drawn:
    """An object that is inspected, its place in the order of its tier (from 1), and who inspects it."""

    id: str
    tier: str
    place: int
    inspectors: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """The result, by tier and place. `short`: objects for which too few inspectors are without conflict."""

    commitment: str
    frame_digest: str
    rates: Mapping[str, Fraction]
    drawn: tuple[Drawn, ...]
    short: tuple[str, ...]


@dataclass(frozen=True)
class Rate:
    """The share of a tier that is drawn, and the bounds within which a plan may set another."""

    tier: str
    share: Fraction
    lowest: Fraction
    highest: Fraction
    term: Term


@dataclass(frozen=True)
class Inspectors:
    """How many inspectors go to one object."""

    per_object: int
    term: Term


@dataclass(frozen=True)
class DrawRules:
    """The dated rows of random inspection."""

    rates: tuple[Rate, ...]
    inspectors: tuple[Inspectors, ...]

    def rates_on(self, day: date, plan: Mapping[str, Fraction] | None = None) -> dict[str, Fraction]:
        """The share of each tier on `day`, those of `plan` first (R6.3).

        Raises RulesInvalid: no row in force, or the plan names a tier that is unknown or a share out of bounds.
        """
        plan = plan or {}
        if unknown := set(plan) - set(TIERS):
            raise RulesInvalid(f"draw: tier {min(unknown)} is unknown")
        found = {}
        for tier in TIERS:
            row = the_one([rate for rate in self.rates if rate.tier == tier], day, f"rate of tier {tier}")
            found[tier] = share = plan.get(tier, row.share)
            if not row.lowest <= share <= row.highest:
                raise RulesInvalid(f"draw: the share of tier {tier} is out of its bounds")
        return found

    def per_object(self, day: date) -> int:
        """How many inspectors go to one object on `day`. Raises RulesInvalid: no row in force."""
        return the_one(self.inspectors, day, "inspectors").per_object


def commit(seed: bytes) -> str:
    """SM3(seed), hexadecimal: published before the draw. Raises DrawInvalid: not 32 bytes."""
    if len(seed) != SEED_BYTES:
        raise DrawInvalid(f"the seed has not {SEED_BYTES} bytes")
    return hashlib.new("sm3", seed).hexdigest()


def draw(frame: Frame, seed: bytes, rates: Mapping[str, Fraction], per_object: int = 2) -> Draw:
    """The objects and inspectors that `seed` draws from `frame` (R6.3). The same for all orders of the frame.

    `rates`: share by tier, above 0 and at most 1. Raises DrawInvalid: frame, seed or rates are unusable.
    """
    commitment, digest = commit(seed), frame.digest()
    by_tier: dict[str, list[str]] = {}
    for one in frame.objects:
        by_tier.setdefault(one.tier, []).append(one.id)
    drawn, short = [], []
    for tier in sorted(by_tier):
        ids, rate = by_tier[tier], rates.get(tier)
        if rate is None or not 0 < rate <= 1:
            raise DrawInvalid(f"the share of tier {tier} is missing or not between 0 and 1")
        taken = sorted(ids, key=lambda one: (_mac(seed, one), one))[: -(-len(ids) * rate // 1)]
        for place, name in enumerate(taken, 1):
            sent = _inspectors(frame.inspectors, name, seed, per_object)
            drawn.append(Drawn(name, tier, place, sent))
            if len(sent) < per_object:
                short.append(name)
    return Draw(commitment, digest, dict(rates), tuple(drawn), tuple(short))


def verify(
    frame: Frame,
    seed: bytes,
    commitment: str,
    rates: Mapping[str, Fraction],
    *,
    frame_digest: str | None = None,
    per_object: int = 2,
) -> Draw:
    """Repeat a draw from what was published (R6.3). The caller compares the result with the one that was announced.

    Raises DrawInvalid when the seed is not the one committed to, or the frame not the one of `frame_digest`.
    """
    repeated = draw(frame, seed, rates, per_object)
    if not hmac.compare_digest(repeated.commitment, commitment.strip().lower()):
        raise DrawInvalid("the seed is not the one that was committed to")
    if frame_digest is not None and not hmac.compare_digest(
        repeated.frame_digest, frame_digest.strip().lower()
    ):
        raise DrawInvalid("the frame is not the one that was fixed before the draw")
    return repeated


def parse_frame(text: str) -> Frame:
    """The frame of a published canonical text. Raises DrawInvalid when it is not exactly one."""
    objects, inspectors = [], []
    for line in text.split("\n")[:-1]:
        match line.split("\t"):
            case ["object", tier, name]:
                objects.append(FrameObject(name, tier))
            case ["inspector", name, conflicts]:
                inspectors.append(Inspector(name, frozenset(conflicts.split(" ") if conflicts else ())))
            case _:
                raise DrawInvalid("a line is neither an object nor an inspector")
    frame = Frame(tuple(objects), tuple(inspectors))
    if frame.canonical() != text:
        raise DrawInvalid("the text is not the canonical one")
    return frame


@cache
def load_draw_rules(text: str | None = None) -> DrawRules:
    """The rows of draw.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("draw.toml", text)
    rates, inspectors = file.rows("rate", _rate), file.rows("inspectors", _per_object)
    file.done()
    disjoint(rates, "rate", lambda rate: rate.tier)
    disjoint(inspectors, "inspectors")
    return DrawRules(rates, inspectors)


def _rate(row: Row) -> Rate:
    share, lowest, highest = (_share(row, key) for key in ("percent", "lowest", "highest"))
    if not 0 < lowest <= share <= highest <= 1:
        raise RulesInvalid(
            f"{row.where}: lowest, percent and highest do not rise from above 0 to at most 100"
        )
    return Rate(row.choice("tier", TIERS), share, lowest, highest, row.term())


def _per_object(row: Row) -> Inspectors:
    return Inspectors(row.number("per_object"), row.term())


def _share(row: Row, key: str) -> Fraction:
    try:
        return Fraction(row.text(key)) / 100
    except (ValueError, ZeroDivisionError):
        raise RulesInvalid(f"{row.where}: {key} is no number") from None


def _inspectors(every: Sequence[Inspector], name: str, seed: bytes, count: int) -> tuple[str, ...]:
    free = [one.id for one in every if name not in one.conflicts]
    return tuple(sorted(free, key=lambda one: (_mac(seed, f"{name}\n{one}"), one))[:count])


def _mac(seed: bytes, text: str) -> bytes:
    return hmac.digest(seed, text.encode(), "sm3")


def _usable(name: str) -> bool:
    return bool(name) and is_readable(name) and " " not in name
