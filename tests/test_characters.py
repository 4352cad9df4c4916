"""Ideographs that Unicode gained after Python 3.11 was made are characters like others, under every Python."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest

from hub.casework.given import said
from hub.casework.machine import Actor
from hub.errors import BadUserInput
from hub.rights.agreement_values import text_of
from hub.rules.draw import Frame, FrameObject, Inspector, draw, load_draw_rules, parse_frame
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.characters import is_rare_ideograph, is_readable
from schema.names import name_key
from tests.test_database import connected, fresh, migrated_before

# Of extensions H (Unicode 15.0) and I (15.1), and one of a year to come.
RARE = ["\U00031350", "\U0002ebf0", "\U00033500"]
rare = pytest.mark.parametrize("rare", RARE)


@rare
def test_such_an_ideograph_is_read(rare: str) -> None:
    assert is_rare_ideograph(rare)
    assert is_readable(rare)
    assert is_readable(f"王{rare} 商行")
    assert not is_readable(f"王{rare}\u200b")


@pytest.mark.parametrize(
    "character", ["王", "A", " ", "\u200b", "\n", "\ud800", "\ue000", "\U0001fffd", "\U0002ffff", ""]
)
def test_of_what_is_no_rare_ideograph_python_says_whether_it_is_read(character: str) -> None:
    assert not is_rare_ideograph(character)
    assert is_readable(character) == character.isprintable()


def test_python_knows_no_other_character_in_the_planes_of_ideographs() -> None:
    known = {unicodedata.category(chr(code)) for code in range(0x20000, 0x40000)}
    assert known == {"Lo", "Cn"}


@rare
def test_names_that_differ_in_one_alone_are_two(rare: str) -> None:
    assert name_key(f"青海{rare}祥商贸有限公司") == f"青海{rare}祥商贸有限公司"
    assert not Actor(partner="commerce", officer=f"王{rare}").is_officer("王")


@rare
def test_a_text_of_nothing_else_is_not_blank(rare: str) -> None:
    assert said(rare, "reason", 10) == rare
    assert text_of(f"{rare}平台", "name") == f"{rare}平台"
    with pytest.raises(BadUserInput):
        said("\u200b", "reason", 10)


@rare
def test_r6_3_an_inspector_may_be_called_so(rare: str) -> None:
    frame = Frame((FrameObject("a", "A"),), (Inspector(f"王{rare}"), Inspector("王")))
    assert parse_frame(frame.canonical()).digest() == frame.digest()
    assert draw(frame, bytes(32), load_draw_rules().rates_on(date(2026, 11, 22)))


async def test_the_migration_renews_the_keys_that_lack_one(postgres: EmbeddedPostgres) -> None:
    dsn = await fresh(postgres, "hub_rare_characters")
    await migrated_before(dsn, "0029")
    async with connected(dsn) as owner:
        await owner.execute(
            "INSERT INTO subject (kind, display_name, name_key) VALUES ('LEGAL_PERSON', '𱍐祥商行', '祥商行'),"
            " ('LEGAL_PERSON', '甲', '乙'), ('NATURAL_PERSON', '王𮯰', '');"
            "INSERT INTO registration (subject_id, data_class, display_name, name_key, source, source_record_id,"
            " provider_name, catalog_item_code, fetched_at, payload_digest, recorded_at)"
            " SELECT subject_id, 'D1', '𮯰商行', '商行', 'COMMERCE', '1', '商务厅', 'SW', now(), '', now()"
            " FROM subject WHERE display_name = '甲'"
        )
        await migrated(dsn)
        keys = await owner.fetch("SELECT name_key FROM subject ORDER BY subject_id")
        assert [key[0] for key in keys] == ["𱍐祥商行", "乙", ""]
        assert await owner.fetchval("SELECT name_key FROM registration") == "𮯰商行"
