"""The command itself: its help, its output, its settings, and the tokens of the demo."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from hub.commands.session import put
from hub.commands.telling import OutputLost
from hub.store.embedded import EmbeddedPostgres
from tests.command_line import CREDITHUB, credithub, environment, started
from tests.commands.shell import Done, Shell
from tests.conftest import Database, copied_store
from tests.hub_server import MERCHANT, hub_at, hub_settings
from tests.publicity_files import RESIDENT_ID, csv_bytes, penalty_row

SECRET = "s3cr3t-value"
DEMO = {"HUB_DEMO": "true"}


# ---- the command itself


def test_the_installed_command_tells_its_commands() -> None:
    done = credithub("--help")
    assert done.returncode == 0
    for name in (
        "demo",
        "serve",
        "worker",
        "migrate",
        "harvest",
        "import",
        "quarantine",
        "agreements",
        "ledger",
        "token",
    ):
        assert re.search(rf"\b{name}\b", done.stdout), name


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", ["token --partner mall", "casework diagram", "status", "migrate"])
def test_a_command_whose_output_finds_no_room_ends_with_1_and_says_so(
    shell: Shell, command: str, unbuffered: str
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [CREDITHUB, *command.split()],
            env=environment({**shell.given, "PYTHONUNBUFFERED": unbuffered}),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "credithub: standard output cannot be written: No space left on device\n",
    )


def test_a_file_that_cannot_be_written_is_told(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "none" / "catalogue.json"
    for command in (["catalogue", "export", "--output", path], ["catalogue", "coverage", "--gaps", path]):
        done = shell(*command)
        assert (done.status, done.err) == (
            1,
            f"credithub: {path} cannot be written: No such file or directory\n",
        )


@pytest.mark.parametrize("before", [None, b"the report of yesterday"])
def test_a_file_for_which_there_is_no_room_is_not_half_written_over_what_stood_there(
    tmp_path: Path, before: bytes | None
) -> None:
    file = tmp_path / "report.csv"
    if before is not None:
        file.write_bytes(before)
        file.chmod(0o600)
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    # What is written finds room for so many bytes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most[1]))
    try:
        with pytest.raises(OutputLost):
            put(b"1,2,3\n" * 100, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == (
        [] if before is None else [(file, before)]
    )
    put(b"1,2,3\n" * 100, file)
    assert file.read_bytes() == b"1,2,3\n" * 100
    assert before is None or file.stat().st_mode & 0o077 == 0


def test_a_directory_of_the_hub_that_cannot_be_used_is_told_in_a_line(tmp_path: Path) -> None:
    taken = tmp_path / "a-file"
    taken.touch()
    given = {"HUB_DEMO": "true", "HUB_STATE_DIR": str(taken), "HUB_PORT": "0"}
    for command in (["token", "--partner", "mall"], ["demo"], ["migrate"]):
        done = credithub(*command, given=given)
        assert (done.returncode, done.stderr) == (1, f"credithub: {taken}: File exists\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["token"],
        ["token", "--partner", "mall", "--ttl", "0"],
        ["token", "--partner", "mall", "--ttl", "x"],
        ["serve", "--workers", "0"],
        ["quarantine", "show", "x"],
        ["agreements", "apply"],
        ["ledger", "who-saw"],
        ["ledger", "who-saw", MERCHANT, "--person"],
        ["ledger", "show"],
        ["ledger", "seen-by"],
        ["agreements", "history"],
        ["agreements", "show"],
    ],
    ids=" ".join,
)
def test_what_is_no_command_ends_with_2_and_changes_nothing(shell: Shell, arguments: list[str]) -> None:
    done = shell(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "Usage" in done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUB_PORT", SECRET),
        ("HUB_PORT", "65536"),
        ("HUB_PORT", "８０００"),
        ("HUB_WORKERS", "0"),
        ("HUB_DATABASE_URL", f"mysql://{SECRET}@x/hub"),
        ("HUB_REDIS_URL", f"http://{SECRET}"),
        ("HUB_DEMO", SECRET),
        ("HUB_ID_KEY", "abc"),
        ("HUB_CURSOR_KEY", SECRET * 8),
        ("HUB_DATABASE_TIMEOUT", "nan"),
        ("HUB_REQUEST_TIMEOUT", "-1"),
        ("HUB_MAX_BODY_BYTES", "1e6"),
        ("HUB_CACHE_TTL", " 300"),
        ("HUB_CUSTOMS_URL", SECRET),
    ],
)
@pytest.mark.parametrize(
    "command", [["migrate"], ["serve"], ["token", "--partner", "mall"], ["harvest"]], ids=" ".join
)
def test_a_wrong_setting_is_told_by_name_and_its_value_is_not(
    shell: Shell, command: list[str], name: str, value: str
) -> None:
    done = shell(*command, **{name: value})
    done.refused("SETTING_INVALID", name)
    assert SECRET not in done.err


def test_the_installed_command_tells_a_wrong_setting_in_one_line_too() -> None:
    done = credithub("serve", given={"HUB_PORT": SECRET})
    Done(done.returncode, done.stdout, done.stderr).refused("SETTING_INVALID", "HUB_PORT")


def test_serving_needs_a_store_and_keys_outside_demo_mode(shell: Shell, store: Database) -> None:
    shell("serve", HUB_DATABASE_URL=None, HUB_DEMO=None).refused("SETTING_INVALID", "HUB_DATABASE_URL")
    shell("serve", HUB_DEMO=None).refused("SETTING_INVALID", "HUB_ID_KEY")
    shell("serve", HUB_DEMO=None, HUB_ID_KEY="5a" * 32).refused("SETTING_INVALID", "HUB_CURSOR_KEY")
    shell("serve", HUB_AGREEMENTS_DIR="/nowhere").refused("SETTING_INVALID", "HUB_AGREEMENTS_DIR")


async def test_another_key_of_persons_numbers_than_the_stores_own_is_refused_in_one_line(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    sandboxes: Mapping[str, str],
    tmp_path: Path,
) -> None:
    """Under another key no person in the store would be found, and each would come in a second time."""
    file = tmp_path / "penalties.csv"
    file.write_bytes(csv_bytes([penalty_row()]))
    async with copied_store(postgres, province_store, database_names(), state_dir) as copy:
        own = {"HUB_DATABASE_URL": copy.owner_dsn, "HUB_STATE_DIR": str(state_dir), **sandboxes, **DEMO}
        shell = Shell({**own, "HUB_ID_KEY": "5A" * 32})
        # The first use notes it, whichever it is.
        assert shell("import", file).status == 0
        for command in (["serve"], ["harvest", "TAX"], ["import", file, "--again"]):
            shell(*command, HUB_ID_KEY="a5" * 32).refused("SETTING_INVALID", "HUB_ID_KEY", "first used with")
        worked = credithub("worker", "--once", given={**own, "HUB_ID_KEY": "a5" * 32})
        assert (worked.returncode, worked.stdout) == (1, "")
        assert "SETTING_INVALID" in worked.stderr
        (number,) = await copy.writer.fetchrow("SELECT min(quarantine_id) FROM quarantine")
        replayed = shell("quarantine", "replay", str(number), HUB_ID_KEY=None)
        replayed.refused("SETTING_INVALID", "HUB_ID_KEY", "first used with")
        asked = shell("ledger", "who-saw", "--person", said=RESIDENT_ID, HUB_ID_KEY="a5" * 32)
        asked.refused("SETTING_INVALID", "HUB_ID_KEY")
        assert "5a5a" not in str(await copy.writer.fetch("SELECT * FROM key_check"))
        # The same key, however it is written.
        assert shell("harvest", "TAX", HUB_ID_KEY="5a" * 32).status == 0
        with started(
            ["serve"], {**own, "HUB_ID_KEY": "5a" * 32, "HUB_PORT": "0"}, tmp_path / "told"
        ) as serving:
            assert serving.stopped(signal.SIGTERM, 15)[0] == 0


def test_a_setting_that_nothing_reads_is_told_but_not_its_value(shell: Shell) -> None:
    of_source = {"HUB_TAX_DATABASE_URI": SECRET, "HUB_TOKEN": SECRET}
    served = credithub("serve", given={"HUB_DATABSE_URL": SECRET, **of_source})
    assert served.returncode == 1
    assert "is HUB_DATABASE_URL meant?" in served.stderr
    assert "HUB_DATABASE_URL: required" in served.stderr
    worked = credithub("worker", "--once", given={**shell.given, **of_source})
    assert worked.returncode == 0
    for done in (served, worked):
        assert "nothing reads the setting HUB_TAX_DATABASE_URI; is HUB_TAX_DATABASE_URL meant?" in done.stderr
        assert "HUB_TOKEN" not in done.stderr
        assert SECRET not in done.stderr


def test_the_demo_keeps_its_own_store(shell: Shell) -> None:
    shell("demo").refused("SETTING_INVALID", "HUB_DATABASE_URL")


# ---- token


def test_a_token_is_printed_and_nothing_else(shell: Shell) -> None:
    done = shell("token", "--partner", "customs", "--purpose", "NOTIFICATION", "--ttl", "60")
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.out)


def test_the_printed_token_opens_the_hub_for_its_partner_and_purpose(shell: Shell) -> None:
    token = shell("token", "--partner", "customs", "--purpose", "NOTIFICATION").out.strip()
    settings = hub_settings(shell.given["HUB_DATABASE_URL"], Path(shell.given["HUB_STATE_DIR"]), {})
    with hub_at(settings) as hub:
        headers = {"authorization": f"Bearer {token}", "hub-matter": "M"}
        query = {"query": "{ me { partner purpose } }"}
        answer = httpx.post(hub.graphql, json=query, headers=headers, trust_env=False)
    assert answer.json()["data"] == {"me": {"partner": "customs", "purpose": "NOTIFICATION"}}, answer.text


def test_tokens_are_for_demo_partners_in_demo_mode_alone(shell: Shell) -> None:
    shell("token", "--partner", "nobody").refused("SETTING_INVALID", "commerce, commerce-xining, reform")
    shell("token", "--partner", "mall", "--purpose", "CURIOSITY").refused("PURPOSE_NOT_ALLOWED", "STATISTICS")
    shell("token", "--partner", "mall", HUB_DEMO=None).refused("SETTING_INVALID", "HUB_DEMO")
