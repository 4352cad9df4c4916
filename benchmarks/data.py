"""Fills a store with synthetic subjects, ten records each on average, and list entries: made in SQL, the same each time."""

from __future__ import annotations

from datetime import date, timedelta

import asyncpg

from hub.sources.discovery import discover
from schema.checks import organization_check, uscc_check

# Changes with whatever this module makes, so that a store filled by an older one is made anew.
VERSION = "5"
# Every fourth subject has a long dossier, the others a short one: ten records each on average.
LONG, SHORT = 25, 5
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PROVENANCE = """source, source_record_id, provider_name, provider_code, catalog_item_code, sharing_attribute,
 source_updated_at, fetched_at, payload_digest, recorded_at"""


def code_of(number: int) -> str:
    """The fictitious code of subject `number`."""
    digits = ""
    rest = number
    for _ in range(7):
        digits = ALPHABET[rest % 31] + digits
        rest //= 31
    organization = f"M{digits}"
    stem = f"91630100{organization}{organization_check(organization)}"
    return stem + uscc_check(stem)


def _provenance(letter: str) -> str:
    return (
        f"'COMMERCE', '{letter}' || n, '青海省商务厅', '11630000015000000X', 'XK01', 'PUBLIC',"
        " timestamptz '2026-11-01 08:00+08', timestamptz '2026-11-02 08:00+08', md5(n::text) || md5('d' || n),"
        " timestamptz '2026-11-02 08:00+08'"
    )


async def fill(owner: asyncpg.Connection, subjects: int) -> None:
    """Make `subjects` subjects with 10 records each on average; one in ten is on a list. The store must be empty."""
    await owner.copy_records_to_table(
        "subject",
        columns=["kind", "uscc", "region_code", "display_name", "name_key", "registration_status",
                 "established_on", "industry_code", "legal_representative_name"],
        records=(
            ("LEGAL_PERSON", code_of(n), ("630103", "630104", "630202", "632801")[n % 4], f"青海示范商贸{n}有限公司",
             f"青海示范商贸{n}有限公司", "EXISTING", _day(n), "5199", "马得林")
            for n in range(subjects)
        ),
    )  # fmt: skip
    for color, code, name in (("BLACK", "QH-BLACK", "严重失信主体名单"), ("RED", "QH-RED", "诚信典型名单")):
        await owner.execute(
            "INSERT INTO list_definition (code, name, color, recognizer_name, legal_basis, basis_level, effective_from)"
            f" VALUES ('{code}', '{name}', '{color}', '青海省商务厅', '国办发〔2020〕49号', 'STATE_COUNCIL', '2020-12-07')"
            " ON CONFLICT DO NOTHING"
        )
    await owner.execute(
        f"""
        INSERT INTO record (subject_id, data_class, kind, title, document_number, authority_name, authority_uscc,
          decided_on, valid_from, valid_to, usable_until, seriousness, lifecycle, fine_amount, categories, details, {_PROVENANCE})
        SELECT s.subject_id,
          CASE WHEN n % 5 = 0 THEN CASE WHEN n % 25 = 0 THEN 'D7' ELSE 'D6' END ELSE 'D4' END,
          CASE WHEN n % 5 = 0 THEN 'PENALTY' ELSE 'LICENSE' END,
          CASE WHEN n % 5 = 0 THEN '行政处罚决定书' ELSE '食品经营许可证' END,
          '青商字〔2026〕' || n || '号', '青海省商务厅', '11630000015000000X',
          date '2026-11-20' - ((s.subject_id * 7 + k * 12) % 300)::int, date '2026-01-01', date '2029-12-31',
          CASE WHEN n % 5 = 0 THEN date '2035-10-01' END,
          CASE WHEN n % 25 = 0 THEN 'MINOR' WHEN n % 5 = 0 THEN 'GENERAL' ELSE 'NOT_ADVERSE' END, 'EFFECTIVE',
          CASE WHEN n % 5 = 0 THEN 5000.00 END,
          CASE WHEN n % 5 = 0 THEN array['罚款'] ELSE array['普通'] END,
          jsonb_build_object('content', '从事食品经营,地址在西宁市城中区,期限三年。', 'document_name', '准予行政许可决定书'),
          {_provenance("r")}
        FROM subject s
        CROSS JOIN LATERAL generate_series(0, CASE WHEN s.subject_id % 4 = 0 THEN {LONG} ELSE {SHORT} END - 1) k
        CROSS JOIN LATERAL (SELECT s.subject_id * {LONG} + k AS n) x
        """
    )
    await owner.execute(
        f"""
        INSERT INTO list_entry (subject_id, data_class, list_code, color, state, cause, decision_number, recognized_on,
          publicity_from, publicity_ends_on, {_PROVENANCE})
        SELECT subject_id, CASE WHEN n % 20 = 0 THEN 'D10' ELSE 'D13' END,
          CASE WHEN n % 20 = 0 THEN 'QH-BLACK' ELSE 'QH-RED' END, CASE WHEN n % 20 = 0 THEN 'BLACK' ELSE 'RED' END,
          'PUBLISHED', '事由' || n, '青商名单〔2026〕' || n || '号', date '2026-06-01' + (n % 100)::int, date '2026-09-01',
          date '2035-09-01', {_provenance("l")}
        FROM (SELECT subject_id, subject_id AS n FROM subject WHERE subject_id % 10 = 0) x
        """
    )
    await owner.execute(
        "INSERT INTO source_state (source, status, as_of, checked_at) SELECT name, 'OK', now(), now()"
        " FROM unnest($1::text[]) name ON CONFLICT (source) DO UPDATE SET as_of = now()",
        list(discover()),
    )
    await owner.execute("VACUUM ANALYZE")


def _day(number: int) -> date:
    return date(2010, 1, 1) + timedelta(number % 4000)
