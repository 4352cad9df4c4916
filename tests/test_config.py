"""Settings are declared once, read once, refused by name, and never tell a secret."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands.session import tools_of
from hub.config import DEMO_CURSOR_KEY, DEMO_ID_KEY, Settings, declared_settings
from hub.errors import SettingInvalid

KEY = "ab" * 32
VARIABLES = [declared.variable for declared in declared_settings()]


def test_the_defaults_are_those_of_the_table() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.state_dir) == ("127.0.0.1", 8000, Path("var"))
    assert (settings.database_url, settings.redis_url, settings.demo) == (None, None, False)
    assert (settings.database_timeout, settings.source_deadline, settings.request_timeout) == (2.0, 0.8, 10.0)
    assert settings.max_body_bytes == 262_144
    assert settings.token_audience == "credit-sharing-hub"


def test_every_field_is_a_declared_setting_with_a_description_and_a_variable_of_its_own() -> None:
    assert {one.name for one in fields(Settings) if "setting" not in one.metadata} == {"others"}
    assert len(set(VARIABLES)) == len(VARIABLES)
    assert all(
        declared.description and declared.variable.startswith("HUB_") for declared in declared_settings()
    )


def test_a_default_written_out_in_the_environment_changes_nothing() -> None:
    written = {one.variable: one.default for one in declared_settings() if one.default is not None}
    assert Settings.from_env(written) == Settings()


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.from_env(dict.fromkeys(VARIABLES, "")) == Settings()


def test_who_harvests_waits_longer_than_who_answers() -> None:
    settings = Settings.from_env({"HUB_DEMO": "true", "HUB_SOURCE_DEADLINE": "0.3"})
    assert tools_of(settings).deadline == settings.harvest_deadline == 30
    assert tools_of(Settings.from_env({"HUB_DEMO": "true", "HUB_HARVEST_DEADLINE": "7"})).deadline == 7


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HUB_PORT", "65536"),
        ("HUB_PORT", "-1"),
        ("HUB_PORT", "８０００"),
        ("HUB_PORT", "8000 "),
        ("HUB_PORT", "1" * 5000),
        ("HUB_DEMO", "perhaps"),
        ("HUB_DEMO_SUBJECTS", "0"),
        ("HUB_WORKERS", "0"),
        ("HUB_POOL_SIZE", "101"),
        ("HUB_DATABASE_TIMEOUT", "0"),
        ("HUB_DATABASE_TIMEOUT", "nan"),
        ("HUB_DATABASE_TIMEOUT", "inf"),
        ("HUB_SOURCE_DEADLINE", "fast"),
        ("HUB_HARVEST_DEADLINE", "0"),
        ("HUB_MAX_BODY_BYTES", "1e9"),
        ("HUB_DATABASE_URL", "mysql://db/hub"),
        ("HUB_DATABASE_URL", "postgresql://db:port/hub"),
        ("HUB_DATABASE_URL", "postgresql://[db/hub"),
        ("HUB_DATABASE_URL", "postgresql://hub_owner@db:5432,db2:port/hub"),
        ("HUB_CUSTOMS_URL", "https://one:443,two:443"),
        ("HUB_DATABASE_URL", "postgresql:"),
        ("HUB_REDIS_URL", "http://cache"),
        ("HUB_CUSTOMS_URL", "file:///etc/passwd"),
        ("HUB_ASSOCIATION_URL", "association.example"),
        ("HUB_ID_KEY", "abcd"),
        ("HUB_ID_KEY", "zz" * 32),
        ("HUB_CURSOR_KEY", "钥匙"),
        ("HUB_STATE_DIR", "a\0b"),
    ],
)
def test_an_unusable_value_is_refused_by_the_name_of_its_setting(variable: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=f"^{variable}: expected ") as caught:
        Settings.from_env({variable: value})
    assert caught.value.extensions == {"variable": variable}
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("hosts", ["db1:5432,db2:5433", "db1,db2:5433", "[::1]:5433,db1:5432"])
def test_a_store_may_be_on_several_machines_each_with_its_port(hosts: str) -> None:
    address = f"postgresql://hub_owner:s3cret@{hosts}/hub?target_session_attrs=primary"
    assert Settings.from_env({"HUB_DATABASE_URL": address}).database_url == address


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HUB_DATABASE_URL", "postgresql://boss:s3cret@db:port/hub"),
        ("HUB_TAX_DATABASE_URL", "s3cret"),
        ("HUB_REDIS_URL", "valkey://:s3cret@cache"),
        ("HUB_ID_KEY", "s3cret" * 16),
        ("HUB_ASSOCIATION_TOKEN", " s3cret"),
    ],
)
def test_a_refusal_never_repeats_the_value(variable: str, value: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        Settings.from_env({variable: value})
    assert "s3cret" not in str(caught.value) + repr(caught.value.extensions)


@given(st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=40)))
def test_any_text_is_either_read_or_refused_by_name(env: dict[str, str]) -> None:
    try:
        Settings.from_env(env)
    except SettingInvalid as error:
        refused = {str(error.extensions["variable"])}
    else:
        refused = set()
    assert refused <= set(env)


def test_secrets_are_in_no_representation() -> None:
    values = {
        "HUB_DATABASE_URL": "postgresql://boss:s3cret@db/hub",
        "HUB_REDIS_URL": "redis://:s3cret@cache",
        "HUB_ID_KEY": KEY,
        "HUB_CURSOR_KEY": KEY,
        "HUB_CUSTOMS_APP_SECRET": "s3cret",
        "HUB_TAX_DATABASE_URL": "postgresql://hub:s3cret@tax/exchange",
        "HUB_ASSOCIATION_TOKEN": "s3cret",
        "HUB_LATER_PASSWORD": "s3cret",
    }
    shown = repr(Settings.from_env(values))
    assert "s3cret" not in shown
    assert KEY not in shown
    assert repr(bytes.fromhex(KEY)) not in shown


def test_keys_are_required_except_in_demo_mode() -> None:
    for settings in (Settings(), Settings.from_env({"HUB_DEMO": "false"})):
        with pytest.raises(SettingInvalid, match="HUB_ID_KEY: required"):
            _ = settings.id_key
        with pytest.raises(SettingInvalid, match="HUB_CURSOR_KEY: required"):
            _ = settings.cursor_key
    demo = Settings.from_env({"HUB_DEMO": "true"})
    assert (demo.id_key, demo.cursor_key) == (DEMO_ID_KEY, DEMO_CURSOR_KEY)
    own = Settings.from_env({"HUB_DEMO": "true", "HUB_ID_KEY": KEY})
    assert own.id_key == bytes.fromhex(KEY)


def test_connectors_get_the_settings_of_sources_and_nothing_of_the_hub() -> None:
    settings = Settings.from_env(
        {
            "HUB_CUSTOMS_URL": "http://127.0.0.1:9",
            "HUB_ID_KEY": KEY,
            "HUB_DATABASE_URL": "postgresql://db/hub",
            "HUB_QUALITY_URL": "http://quality.example",
            "PATH": "/usr/bin",
        }
    )
    assert dict(settings.source_settings) == {
        "HUB_CUSTOMS_URL": "http://127.0.0.1:9",
        "HUB_QUALITY_URL": "http://quality.example",
    }


def test_no_setting_of_the_machine_reaches_a_test() -> None:
    assert not [name for name in os.environ if name.startswith("HUB_")]
