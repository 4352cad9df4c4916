"""Starts the sandbox of every source and says how to reach it; they end with their parent in any case."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path

from hub.errors import EngineFailed
from hub.sandbox import commerce, investment, registers
from hub.sandbox.association import Chamber
from hub.sandbox.channels import TITLES, ChannelSite
from hub.sandbox.customs import ANOMALY_SERVICE, LEVEL_SERVICE, CustomsService
from hub.sandbox.domestic import DomesticService
from hub.sandbox.platform import Platform, Service
from hub.sandbox.province import Province
from hub.sandbox.registry import SerialService, services
from hub.sandbox.server import serving
from hub.sandbox.tax import Server, front_end

# Invented, like everything here: they open nothing but the sandboxes, which listen on the loopback only.
APP_KEY = "sandbox-app-key."
TOKEN = "sandbox-association-token"  # noqa: S105
_SOURCES = ("CUSTOMS", "REGISTRY", "CREDIT")
CHANNEL_APP = "credit-sharing-hub"
DOMESTIC_KEY = bytes([9]) * 32
# Each channel signs with a key of its own. The platforms above the department give their receipts later, as in life.
CHANNEL_KEYS = {name: bytes([number]) * 32 for number, name in enumerate(TITLES, 1)}
RECEIPT_AFTER = {"PROVINCIAL_PLATFORM": 2.0, "CREDIT_QINGHAI": 2.0}
# A start takes this long at most: so much, and so much for each subject that is made up.
_START_SECONDS, _SUBJECT_SECONDS = 60.0, 0.003


def province_in(state_dir: Path, subjects: int, today: date) -> Province:
    """The province kept in `state_dir`: made up once as of `today`, and the same at every later start."""
    note = state_dir / "province.json"
    if note.exists():
        kept = json.loads(note.read_text())
        if kept["subjects"] == subjects:
            return Province(subjects, date.fromisoformat(kept["today"]))
    state_dir.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"subjects": subjects, "today": today.isoformat()}))
    return Province(subjects, today)


@asynccontextmanager
async def running(
    state_dir: Path, subjects: int, postgres: Server, today: date | None = None
) -> AsyncIterator[tuple[Mapping[str, str], asyncio.subprocess.Process]]:
    """Run all sandboxes for the duration of the block; gives the settings (HUB_…) that lead to them, and their process.

    The servers run in one child process that ends with this one, even when this one is killed. Should it end before the
    block does, whoever waits for the process that is given learns it. `postgres` gets one more database. `today` is the
    day the province is made up for. Raises EngineFailed.
    """
    province = await asyncio.to_thread(province_in, state_dir, subjects, today or date.today())
    directories = await asyncio.to_thread(_drop_files, state_dir, province)
    tax = await front_end(postgres, province, f"tax_exchange_{province.size}_{province.today:%Y%m%d}")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "hub.sandbox.run", str(province.size), province.today.isoformat()),
        str(state_dir / "channels"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the parent, which stops the child in order
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        line = await asyncio.wait_for(child.stdout.readline(), _START_SECONDS + subjects * _SUBJECT_SECONDS)
        if not line:
            raise EngineFailed(f"the sandboxes ended with status {await child.wait()}")
        addresses = json.loads(line)
        settings = {
            **{
                f"HUB_{source}_{name}": value
                for source in _SOURCES
                for name, value in (
                    ("URL", addresses["platform"]),
                    ("APP_ID", f"hub-{source.lower()}"),
                    ("APP_SECRET", APP_KEY),
                    ("CASE", "青商信共享〔2026〕1号"),
                )
            },
            "HUB_ASSOCIATION_URL": f"{addresses['association']}/graphql",
            "HUB_ASSOCIATION_TOKEN": TOKEN,
            "HUB_TAX_DATABASE_URL": tax,
            "HUB_CHANNEL_APP_ID": CHANNEL_APP,
            "HUB_DOMESTIC_URL": addresses["domestic"],
            "HUB_DOMESTIC_KEY": DOMESTIC_KEY.hex(),
            **{f"HUB_CHANNEL_{name}_URL": url for name, url in addresses["channels"].items()},
            **{f"HUB_CHANNEL_{name}_KEY": key.hex() for name, key in CHANNEL_KEYS.items()},
            **directories,
        }
        yield settings, child
    finally:
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), 5)
        except TimeoutError:
            child.kill()
            await child.wait()


def _drop_files(state_dir: Path, province: Province) -> dict[str, str]:
    """Drop the files that are not there yet; what was dropped once is not written again."""
    root = state_dir / f"drops-{province.size}-{province.today:%Y%m%d}"
    found = {}
    for variable, name, write in (
        ("HUB_COMMERCE_DIR", "commerce", commerce.write),
        ("HUB_INVESTMENT_DIR", "investment", investment.write),
        ("HUB_FOREX_DIR", "forex", investment.write_forex),
        ("HUB_REGISTERS_DIR", "registers", registers.write),
    ):
        done = root / name / ".whole"
        if not done.exists():
            write(province, root / name)
            done.touch()
        found[variable] = str(root / name)
    return found


def platform_of(province: Province) -> Platform:
    """The data-sharing platform with the services of customs, market regulation and the credit platform."""
    behind: dict[str, Service] = {
        name: CustomsService(province, name) for name in (LEVEL_SERVICE, ANOMALY_SERVICE)
    }
    behind.update(services(province))
    return Platform({f"hub-{source.lower()}": APP_KEY for source in _SOURCES}, behind)


def channels_in(directory: Path) -> dict[str, ChannelSite]:
    """The channels, with what they published at earlier starts, which they keep in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    return {
        name: ChannelSite(
            name, {CHANNEL_APP: key}, RECEIPT_AFTER.get(name, 0.0), directory / f"{name.lower()}.jsonl"
        )
        for name, key in CHANNEL_KEYS.items()
    }


async def _serve(province: Province, kept: Path) -> None:
    """Serve until the parent closes our standard input, which the kernel does when it dies."""
    platform_app, chamber = platform_of(province), Chamber(province, TOKEN)
    # Everything is made before the first question: who asks waits for a short time only.
    _ = province.by_uscc
    chamber.members()
    for service in platform_app.services.values():
        if isinstance(service, SerialService):
            _ = service.rows
    async with AsyncExitStack() as stack:
        addresses: dict[str, object] = {
            "platform": await stack.enter_async_context(serving(platform_app.app())),
            "domestic": await stack.enter_async_context(
                serving(DomesticService(CHANNEL_APP, DOMESTIC_KEY).app())
            ),
            "association": await stack.enter_async_context(serving(chamber.app())),
            "channels": {
                name: await stack.enter_async_context(serving(site.app()))
                for name, site in channels_in(kept).items()
            },
        }
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        await reader.read()


if __name__ == "__main__":
    asyncio.run(_serve(Province(int(sys.argv[1]), date.fromisoformat(sys.argv[2])), Path(sys.argv[3])))
