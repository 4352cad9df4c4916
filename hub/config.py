"""Settings of the hub: each declared once, read once from the environment, frozen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from hub.errors import SettingInvalid

PREFIX = "HUB_"
# Keys of the demo: its data are synthetic, so they protect nothing, and cursors outlive a restart.
DEMO_ID_KEY = bytes(range(32))
DEMO_CURSOR_KEY = bytes(range(32, 64))


@dataclass(frozen=True)
class Declared:
    """What the README says of a setting; `default` as written in the environment, None: not set."""

    variable: str
    description: str
    default: str | None
    secret: bool
    parse: Callable[[str], Any]
    # Handed to the connectors as it is.
    of_source: bool = False


def setting(
    variable: str,
    description: str,
    parse: Callable[[str], Any],
    default: str | None = None,
    *,
    secret: bool = False,
    of_source: bool = False,
) -> Any:
    """Declare a setting as a dataclass field. `parse` raises ValueError: what is expected."""
    declared = Declared(variable, description, default, secret, parse, of_source)
    value = None if default is None else parse(default)
    return field(default=value, repr=not secret, metadata={"setting": declared})


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value)


def _flag(value: str) -> bool:
    known = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if value.lower() not in known:
        raise ValueError("expected true or false")
    return known[value.lower()]


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        # isdecimal alone would let digits of other scripts pass.
        if not (value.isascii() and value.isdecimal() and least <= int(value[:12]) <= most):
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(value)

    return parse


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise ValueError(f"expected seconds from {least:g} to {most:g}")
        return number

    return parse


def _url(*schemes: str, several: bool = False) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            # Of a database there may be several machines, each with its port: HOST:PORT,HOST:PORT.
            hosts = parts.netloc.rpartition("@")[2].split(",") if several else [parts.netloc]
            usable = parts.scheme in schemes and all(urlsplit(f"//{host}").port != 0 for host in hosts)
        except ValueError:
            usable = False
        if not usable or not (parts.netloc or parts.query or parts.path):
            raise ValueError(
                f"expected an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
            )
        return value

    return parse


def _key(value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        key = b""
    if len(key) < 32:
        raise ValueError("expected at least 32 bytes in hexadecimal, as `openssl rand -hex 32` prints them")
    return key


def _channel_url(channel: str, words: str) -> Any:
    """The address of a channel that publishes."""
    return setting(f"HUB_CHANNEL_{channel}_URL", f"Address where {words} takes what it shall publish", _HTTP)


def _channel_key(channel: str, words: str) -> Any:
    """The key of a channel that publishes: each has its own, so that none can speak for another."""
    description = f"Key that the hub and {words} sign with, hexadecimal; required with its address"
    return setting(f"HUB_CHANNEL_{channel}_KEY", description, _key, secret=True)


_POSTGRES = _url("postgresql", "postgres", several=True)
_HTTP = _url("https", "http")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Build it with `from_env`; secrets are not in its repr."""

    database_url: str | None = setting(
        "HUB_DATABASE_URL",
        "PostgreSQL (15 or later) of the store, as its owner; `serve` needs it; not set: other commands use an embedded"
        " one below HUB_STATE_DIR",
        _POSTGRES,
        secret=True,
    )
    database_reader_url: str | None = setting(
        "HUB_DATABASE_READER_URL",
        "The same store as hub_reader; not set: HUB_DATABASE_URL with that user and no password (.pgpass)",
        _POSTGRES,
        secret=True,
    )
    database_writer_url: str | None = setting(
        "HUB_DATABASE_WRITER_URL",
        "The same store as hub_writer; not set: as for the reader",
        _POSTGRES,
        secret=True,
    )
    database_auditor_url: str | None = setting(
        "HUB_DATABASE_AUDITOR_URL",
        "The same store as hub_auditor; not set: as for the reader",
        _POSTGRES,
        secret=True,
    )
    redis_url: str | None = setting(
        "HUB_REDIS_URL",
        "Redis or Valkey shared by the server processes; not set: each caches in its own memory",
        _url("redis", "rediss"),
        secret=True,
    )
    host: str = setting("HUB_HOST", "Address to listen on", _text, "127.0.0.1")
    port: int = setting("HUB_PORT", "Port to listen on; 0: any free one", _count(0, 65535), "8000")
    state_dir: Path = setting(  # noqa: RUF009 -- a declaration, and Path is immutable
        "HUB_STATE_DIR", "Where the embedded server and the demo keep their data", _path, "var"
    )
    demo: bool = setting("HUB_DEMO", "Demo mode: synthetic data, demo tokens and partners", _flag, "false")
    demo_subjects: int = setting(
        "HUB_DEMO_SUBJECTS", "How many subjects the synthetic province has", _count(10, 5_000_000), "5000"
    )
    workers: int = setting("HUB_WORKERS", "Server processes", _count(1, 256), "1")
    pool_size: int = setting(
        "HUB_POOL_SIZE", "Database connections for reading, of each server process", _count(1, 100), "8"
    )
    database_timeout: float = setting(
        "HUB_DATABASE_TIMEOUT",
        "Seconds after which a statement of the read path is given up",
        _seconds(0.05, 600),
        "2",
    )
    command_timeout: float = setting(
        "HUB_COMMAND_TIMEOUT",
        "Seconds after which the commands of a request are given up, and nothing of them is done",
        _seconds(0.05, 600),
        "2",
    )
    source_deadline: float = setting(
        "HUB_SOURCE_DEADLINE", "Seconds that an answer waits for live sources", _seconds(0.01, 60), "0.8"
    )
    harvest_deadline: float = setting(
        "HUB_HARVEST_DEADLINE",
        "Seconds until which a harvested source must answer one request for rows",
        _seconds(0.1, 3600),
        "30",
    )
    cache_ttl: float = setting(
        "HUB_CACHE_TTL", "Seconds that a live source's rows are kept", _seconds(0, 86_400), "300"
    )
    max_body_bytes: int = setting(
        "HUB_MAX_BODY_BYTES", "Largest request body in bytes", _count(1024, 16_777_216), "262144"
    )
    request_timeout: float = setting(
        "HUB_REQUEST_TIMEOUT", "Seconds until which a request must have arrived", _seconds(0.1, 600), "10"
    )
    token_audience: str = setting(
        "HUB_TOKEN_AUDIENCE", "The audience that tokens must name", _text, "credit-sharing-hub"
    )
    configured_id_key: bytes | None = setting(
        "HUB_ID_KEY",
        "Key of the HMAC-SM3 by which numbers of persons are kept, hexadecimal; required except in demo mode",
        _key,
        secret=True,
    )
    configured_cursor_key: bytes | None = setting(
        "HUB_CURSOR_KEY",
        "Key that seals page cursors, hexadecimal, the same in all server processes; required except in demo mode",
        _key,
        secret=True,
    )
    agreements_dir: Path | None = setting(  # noqa: RUF009 -- as above
        "HUB_AGREEMENTS_DIR", "Agreements (TOML, one file a partner) that are applied at start-up", _path
    )
    customs_url: str | None = setting(
        "HUB_CUSTOMS_URL", "Address of the customs interface", _HTTP, of_source=True
    )
    customs_app_id: str | None = setting(
        "HUB_CUSTOMS_APP_ID", "Our id at the customs interface", _text, of_source=True
    )
    customs_app_secret: str | None = setting(
        "HUB_CUSTOMS_APP_SECRET",
        "Our signing secret at the customs interface",
        _text,
        secret=True,
        of_source=True,
    )
    tax_database_url: str | None = setting(
        "HUB_TAX_DATABASE_URL",
        "The tax authority's exchange database",
        _POSTGRES,
        secret=True,
        of_source=True,
    )
    investment_dir: str | None = setting(
        "HUB_INVESTMENT_DIR",
        "Directory into which foreign investment files are dropped",
        _text,
        of_source=True,
    )
    association_url: str | None = setting(
        "HUB_ASSOCIATION_URL", "Address of the association's GraphQL interface", _HTTP, of_source=True
    )
    association_token: str | None = setting(
        "HUB_ASSOCIATION_TOKEN", "Our token at the association", _text, secret=True, of_source=True
    )
    commerce_dir: str | None = setting(
        "HUB_COMMERCE_DIR", "Directory of the commerce department's own files", _text, of_source=True
    )
    channel_own_site_url: str | None = _channel_url("OWN_SITE", "the department's own site")
    channel_own_site_key: bytes | None = _channel_key("OWN_SITE", "the department's own site")
    channel_government_portal_url: str | None = _channel_url("GOVERNMENT_PORTAL", "the government portal")
    channel_government_portal_key: bytes | None = _channel_key("GOVERNMENT_PORTAL", "the government portal")
    channel_provincial_platform_url: str | None = _channel_url(
        "PROVINCIAL_PLATFORM", "the provincial credit platform"
    )
    channel_provincial_platform_key: bytes | None = _channel_key(
        "PROVINCIAL_PLATFORM", "the provincial credit platform"
    )
    channel_credit_qinghai_url: str | None = _channel_url("CREDIT_QINGHAI", "Credit China (Qinghai)")
    channel_credit_qinghai_key: bytes | None = _channel_key("CREDIT_QINGHAI", "Credit China (Qinghai)")
    channel_app_id: str = setting(
        "HUB_CHANNEL_APP_ID", "Our id at the channels that publish", _text, "credit-sharing-hub"
    )
    channel_deadline: float = setting(
        "HUB_CHANNEL_DEADLINE", "Seconds until which a channel must answer", _seconds(0.05, 600), "10"
    )
    channel_pause: float = setting(
        "HUB_CHANNEL_PAUSE",
        "Seconds before a delivery is sent again; doubled each time, up to half an hour, and each time up to half less or more",
        _seconds(0.05, 1800),
        "5",
    )
    domestic_url: str | None = setting(
        "HUB_DOMESTIC_URL",
        "Address of the national platform of domestic service; not set: workers cannot be asked about",
        _HTTP,
    )
    domestic_key: bytes | None = setting(
        "HUB_DOMESTIC_KEY",
        "Key that requests to the platform of domestic service are signed with",
        _key,
        secret=True,
    )
    job_lease: float = setting(
        "HUB_JOB_LEASE",
        "Seconds after which another worker takes over the job of one that was killed",
        _seconds(1, 3600),
        "20",
    )
    metrics_host: str = setting(
        "HUB_METRICS_HOST", "Address to tell figures at, on the two ports that follow", _text, "127.0.0.1"
    )
    metrics_port: int | None = setting(
        "HUB_METRICS_PORT",
        "Port where the first server process tells its figures, the second at the next one, and so on; 0: any free ones;"
        " not set: at /metrics of HUB_PORT",
        _count(0, 65535),
    )
    worker_metrics_port: int | None = setting(
        "HUB_WORKER_METRICS_PORT",
        "Port where a worker tells its figures; 0: any free one; not set: nowhere",
        _count(0, 65535),
    )
    # Every other HUB_ variable: a connector added later reads its own from here.
    others: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings from `env`; an empty value counts as not set.

        Errors: SettingInvalid, which names the variable and what is expected, and never repeats the value.
        """
        given = {name: value for name, value in env.items() if name.startswith(PREFIX) and value != ""}
        values: dict[str, Any] = {}
        for name, declared in _declared(cls).items():
            raw = given.pop(declared.variable, None)
            if raw is None:
                continue
            try:
                if "\0" in raw or raw != raw.strip():
                    raise ValueError("expected no surrounding space and no NUL")
                values[name] = declared.parse(raw)
            except ValueError as error:
                raise SettingInvalid(f"{declared.variable}: {error}", variable=declared.variable) from None
        return cls(**values, others=MappingProxyType(given))

    @property
    def id_key(self) -> bytes:
        """The key of persons' numbers. Errors: SettingInvalid when there is none outside demo mode."""
        return self._key("HUB_ID_KEY", self.configured_id_key, DEMO_ID_KEY)

    @property
    def cursor_key(self) -> bytes:
        """The key of page cursors. Errors: SettingInvalid when there is none outside demo mode."""
        return self._key("HUB_CURSOR_KEY", self.configured_cursor_key, DEMO_CURSOR_KEY)

    @property
    def source_settings(self) -> Mapping[str, str]:
        """What connectors read, by variable; variables that are not set are missing."""
        found = dict(self.others)
        for name, declared in _declared(type(self)).items():
            value = getattr(self, name)
            if declared.of_source and value is not None:
                found[declared.variable] = value
        return MappingProxyType(found)

    def _key(self, variable: str, configured: bytes | None, demo: bytes) -> bytes:
        if configured is not None:
            return configured
        if self.demo:
            return demo
        raise SettingInvalid(f"{variable}: required except in demo mode", variable=variable)


def declared_settings() -> tuple[Declared, ...]:
    """Every setting in the order of the README's table."""
    return tuple(_declared(Settings).values())


def _declared(owner: type[Settings]) -> dict[str, Declared]:
    return {one.name: one.metadata["setting"] for one in fields(owner) if "setting" in one.metadata}
