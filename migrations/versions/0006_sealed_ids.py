"""Ids of what is about natural persons are sealed under a key of the partner class that reads them.

The id is a uuid, so the seal is a permutation of 128 bits: four rounds of a Feistel network whose round function
is SHA-256 under the key (Luby and Rackoff). Two classes see ids that have nothing in common, neither can be told
from a random one, and the hub opens its own. hub.query.ids does the same in Python.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None

SEAL = r"""
CREATE FUNCTION sealed_id(id uuid, key bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain bytea := uuid_send(id);
  a bigint := ('x' || encode(substr(plain, 1, 8), 'hex'))::bit(64)::bigint;
  b bigint := ('x' || encode(substr(plain, 9, 8), 'hex'))::bit(64)::bigint;
BEGIN
  a := a # ('x' || left(encode(sha256(key || '\x01'::bytea || int8send(b)), 'hex'), 16))::bit(64)::bigint;
  b := b # ('x' || left(encode(sha256(key || '\x02'::bytea || int8send(a)), 'hex'), 16))::bit(64)::bigint;
  a := a # ('x' || left(encode(sha256(key || '\x03'::bytea || int8send(b)), 'hex'), 16))::bit(64)::bigint;
  b := b # ('x' || left(encode(sha256(key || '\x04'::bytea || int8send(a)), 'hex'), 16))::bit(64)::bigint;
  RETURN lpad(to_hex(a), 16, '0') || lpad(to_hex(b), 16, '0');
END
$$
"""


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute(SEAL)
