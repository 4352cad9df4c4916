"""What objections left on facts that their source delivers again (5.10): the mark of one under way, the end by one upheld."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import orjson

from hub.harvest.columns import named
from hub.rules.ongoing import goes_on

# Whether an objection to version `v` is under way.
UNDER_WAY = """
EXISTS (SELECT FROM case_file c WHERE c.target_public_id = v.public_id
  AND c.mechanism = 'OBJECTION' AND c.state IN ('MARKED', 'FORWARDED', 'ANSWERED'))
"""
# By which upheld objection version `v` has ended for good. One that its provider was to correct has not: the corrected
# row comes with a delivery, and the hub made none in its place.
ENDED = """
(SELECT jsonb_build_object('remedy', d.told->>'remedy', 'reason', d.told->>'reason',
    'on', ((d.told->>'decided_at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date)
  FROM case_file c CROSS JOIN LATERAL (SELECT c.details->'decision' AS told) d
  WHERE c.target_public_id = v.public_id AND c.mechanism = 'OBJECTION' AND c.state IN ('UPHELD', 'NOTIFIED')
    AND (d.told->>'remedy' = 'REVOKE' OR d.told->>'corrected' IS NOT NULL)
  ORDER BY c.case_id DESC LIMIT 1)
"""


def marked(table: str, values: Sequence[object]) -> Sequence[object]:
    """The values of a record or list entry with the mark of an objection."""
    row = named(table, values)
    row["under_objection"] = True
    if row.get("lifecycle") == "EFFECTIVE":
        row["lifecycle"] = "UNDER_OBJECTION"
    return tuple(row.values())


def ended(table: str, values: Sequence[object], told: str | None) -> Sequence[object]:
    """The values of a new version of something that an upheld objection ended, of which `told` tells: it stays ended.

    Its source may still say that it ended otherwise, but not that it goes on as if nobody had objected.
    """
    if told is None:
        return values
    row, decision = named(table, values), orjson.loads(told)
    if table == "record" and goes_on(table, row):
        row["lifecycle"] = "REVOKED" if decision["remedy"] == "REVOKE" else "CORRECTED"
        row["under_objection"] = False
    if table == "list_entry" and goes_on(table, row):
        row |= {
            "state": "EXITED_REVOKED",
            "exited_on": date.fromisoformat(decision["on"]),
            "exit_reason": decision["reason"],
            "under_objection": False,
        }
    return tuple(row.values())
