"""What withdrawing or suspending a publication left on the handler's own record, when it is delivered again (R7.4, 5.4)."""

from __future__ import annotations

from collections.abc import Sequence

from hub.harvest.columns import named
from hub.rules.ongoing import goes_on

# As what version `v` stays, by all cases of its decision; one that revoked it outweighs a stay, which outlives the period
# of its publication. A decision that was changed is left out: as it is now it comes with a delivery.
STAYS = """
(SELECT CASE WHEN bool_or(c.details->'revoked' ? v.public_id::text) THEN 'REVOKED'
    WHEN bool_or(c.details->'suspended' ? v.public_id::text) THEN 'SUSPENDED' END
  FROM case_file c
  WHERE c.subject_id = v.subject_id AND c.mechanism = 'PUBLICITY' AND v.source = 'COMMERCE')
"""


def stays(table: str, values: Sequence[object], life: str | None) -> Sequence[object]:
    """The values of a new version of a record that the hub revoked or suspended: it stays so.

    Its source may still say that it ended, but not that it goes on as if nothing had been decided.
    """
    if life is None or table != "record":
        return values
    row = named(table, values)
    if goes_on(table, row):
        row["lifecycle"] = life
    return tuple(row.values())
