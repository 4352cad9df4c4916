"""Which subject a row is about: exact identifiers decide, names never; unknown subjects are created."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from hub.harvest.drafts import Key, SubjectDraft
from hub.harvest.ids import random_ids
from schema.names import name_key

_FIND = """
SELECT i.scheme, i.value, s.subject_id, s.uscc, s.name_key, s.registration_status IS NOT NULL AS registered,
  s.uscc IS NULL AND EXISTS (SELECT FROM case_file c WHERE c.subject_id = s.subject_id) AS handled,
  s.uscc IS NULL AND (EXISTS (SELECT FROM consent c WHERE c.subject_id = s.subject_id)
    OR EXISTS (SELECT FROM affiliation a WHERE a.subject_id = s.subject_id)) AS tied
FROM unnest($1::text[], $2::text[]) AS k(scheme, value)
JOIN identifier i ON i.scheme = k.scheme AND i.value = k.value
JOIN subject s ON s.subject_id = i.subject_id
"""
_CREATE = """
INSERT INTO subject (public_id, kind, uscc, region_code, created_at, display_name, name_key)
SELECT n.public_id, n.kind, n.uscc, n.region_code, $7, n.display_name, n.name_key
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
  AS n(public_id, kind, uscc, region_code, display_name, name_key)
RETURNING public_id, subject_id
"""
_IDENTIFY = """
INSERT INTO identifier (subject_id, scheme, value, data_class, source, recorded_at)
SELECT n.subject_id, n.scheme, n.value, n.data_class, $5, $6
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS n(subject_id, scheme, value, data_class)
ON CONFLICT (scheme, value) DO NOTHING
"""
# A subject known so far by an old number alone is given its code.
_GIVE_CODE = """
UPDATE subject s SET uscc = n.uscc FROM unnest($1::bigint[], $2::text[]) AS n(subject_id, uscc)
WHERE s.subject_id = n.subject_id AND s.uscc IS NULL
"""


@dataclass(slots=True, eq=False)
class Anchor:
    """A subject of the store, or one about to be created (`subject_id` 0 until then)."""

    subject_id: int
    uscc: str | None
    name_key: str
    registered: bool
    # Without code, and cases are about it: those come to be about another on the word of a person alone.
    handled: bool = False
    # Likewise consents or members' ties: those never do.
    tied: bool = False
    draft: SubjectDraft | None = None


@dataclass
class Resolution:
    """What resolving a batch came to: an anchor for each draft, None where two subjects claim its numbers."""

    anchors: list[Anchor | None] = field(default_factory=list)
    created: list[Anchor] = field(default_factory=list)
    recoded: list[Anchor] = field(default_factory=list)
    identified: list[tuple[Anchor, Key]] = field(default_factory=list)
    # Subjects without code, and those with one that they turned out to be.
    joined: list[tuple[Anchor, Anchor]] = field(default_factory=list)
    # Places of drafts without anchor, of which a person may say that their subjects are one.
    joinable: set[int] = field(default_factory=set)

    def take_in(
        self, anchor: Anchor, uscc: str, parts: Sequence[Anchor], known: dict[tuple[str, str], Anchor]
    ) -> None:
        """The subject has this code, and is also what stood as `parts` until now."""
        if anchor.uscc is None:
            anchor.uscc = uscc
            if anchor.draft is None:
                self.recoded.append(anchor)
        for part in parts:
            self.joined.append((part, anchor))
            for key in [key for key, one in known.items() if one is part]:
                known[key] = anchor

    def name_differs(self, index: int, draft: SubjectDraft) -> bool:
        """Whether the row names its subject otherwise than the register does (国家标准 rule 1001)."""
        anchor = self.anchors[index]
        return anchor is not None and anchor.registered and name_key(draft.name) != anchor.name_key


async def resolve(
    connection: asyncpg.Connection,
    drafts: Sequence[SubjectDraft],
    source: str,
    now: datetime,
    *,
    joining: bool = False,
) -> Resolution:
    """The subjects of `drafts`, created and identified where the store did not know them.

    `joining`: a person has found that the numbers of a draft are one subject's, also where cases are about an old one.
    The caller holds the lock that lets one batch at a time do this, so nobody creates the same subject twice.
    """
    known = await _known(connection, drafts)
    resolution = assign(drafts, known, joining=joining)
    await _create(connection, resolution.created, now)
    if resolution.recoded:
        ids, codes = zip(*((one.subject_id, one.uscc) for one in resolution.recoded), strict=True)
        await connection.execute(_GIVE_CODE, ids, codes)
    if resolution.identified:
        columns = zip(
            *((a.subject_id, key.scheme, key.value, key.data_class) for a, key in resolution.identified),
            strict=True,
        )
        await connection.execute(_IDENTIFY, *columns, source, now)
    return resolution


def assign(
    drafts: Iterable[SubjectDraft], known: dict[tuple[str, str], Anchor], *, joining: bool = False
) -> Resolution:
    """Give each draft its anchor. Pure but for `known`, which learns the new keys.

    A USCC decides alone. Subjects known by other numbers only, and without a code, are the one with the code when a
    row names both (§2: an old number that is of one code); unless another code has one of the row's numbers, which
    says that the row is wrong somewhere. Without a USCC the other numbers must all say the same subject.
    """
    resolution = Resolution()
    for place, draft in enumerate(drafts):
        found = {id(a): a for key in draft.keys if (a := known.get((key.scheme, key.value))) is not None}
        if draft.uscc is None:
            if len(found) > 1:
                resolution.anchors.append(None)
                continue
            anchor = next(iter(found.values()), None)
        else:
            anchor = known.get(("USCC", draft.uscc))
            others = [one for one in found.values() if one is not anchor]
            parts = others if all(one.uscc is None for one in others) else []
            if anchor is None and parts:
                # The one that cannot become another becomes the whole.
                anchor = max(parts, key=lambda one: (one.tied, one.handled))
                parts.remove(anchor)
            tied = any(one.tied for one in parts)
            if tied or (not joining and any(one.handled for one in parts)):
                resolution.anchors.append(None)
                if not tied:
                    resolution.joinable.add(place)
                continue
            if anchor is not None:
                resolution.take_in(anchor, draft.uscc, parts, known)
        if anchor is None:
            # Persons are never found by name, so they have no key to be found by.
            searched = "" if draft.kind == "NATURAL_PERSON" else name_key(draft.name)
            anchor = Anchor(0, draft.uscc, searched, False, draft=draft)
            resolution.created.append(anchor)
        for key in draft.keys:
            if (key.scheme, key.value) not in known:
                known[key.scheme, key.value] = anchor
                resolution.identified.append((anchor, key))
        resolution.anchors.append(anchor)
    return resolution


async def _known(
    connection: asyncpg.Connection, drafts: Sequence[SubjectDraft]
) -> dict[tuple[str, str], Anchor]:
    keys = list({(key.scheme, key.value) for draft in drafts for key in draft.keys})
    rows = await connection.fetch(_FIND, [scheme for scheme, _ in keys], [value for _, value in keys])
    anchors: dict[int, Anchor] = {}
    known = {}
    for scheme, value, subject_id, uscc, searched, registered, handled, tied in rows:
        anchor = anchors.setdefault(subject_id, Anchor(subject_id, uscc, searched, registered, handled, tied))
        known[scheme, value] = anchor
    return known


async def _create(connection: asyncpg.Connection, anchors: Sequence[Anchor], now: datetime) -> None:
    if not anchors:
        return
    by_id = dict(zip(map(str, random_ids()), anchors, strict=False))
    drafts = [anchor.draft for anchor in anchors if anchor.draft is not None]
    rows = await connection.fetch(
        _CREATE,
        list(by_id),
        [draft.kind for draft in drafts],
        [anchor.uscc for anchor in anchors],
        [draft.region for draft in drafts],
        [draft.name for draft in drafts],
        [anchor.name_key for anchor in anchors],
        now,
    )
    for public_id, subject_id in rows:
        by_id[str(public_id)].subject_id = subject_id
