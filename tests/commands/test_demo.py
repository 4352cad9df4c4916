"""`credithub demo` as a process: ready, answers, stops cleanly, keeps its data."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from hub.sandbox.agreements import PARTNERS
from hub.store.embedded import EmbeddedPostgres
from tests.command_line import Running, alive, below, credithub, launched, started
from tests.commands.shell import Done
from tests.hub_server import CHECK, MERCHANT

pytestmark = pytest.mark.long


def harvested(running: Running) -> dict[str, list[int]]:
    """Source → read, stored, unchanged, quarantined, as the demo printed them."""
    found = {}
    for line in running.lines:
        if match := re.match(
            r"([A-Z_]+): OK: read (\d+) = stored (\d+) \+ unchanged (\d+) \+ quarantined (\d+)(?: \(.*\))?$",
            line,
        ):
            found[match[1]] = [int(one) for one in match.groups()[1:]]
    return found


def test_the_demo_is_ready_answers_stops_on_ctrl_c_and_keeps_its_data(
    state_dir: Path, tmp_path: Path
) -> None:
    own = state_dir / "demo"
    given = {"HUB_DEMO_SUBJECTS": "200", "HUB_PORT": "0", "HUB_STATE_DIR": str(own)}
    answers, times, counts = [], [], []
    for _ in range(2):
        begun = time.monotonic()
        with started(["demo"], given, tmp_path / "errors", within=120) as demo:
            times.append(time.monotonic() - begun)
            assert re.fullmatch(r"Hub ready: http://127\.0\.0\.1:\d+/graphql", demo.lines[-1])
            counts.append(harvested(demo))
            tokens = dict(
                line.split() for line in demo.lines if re.fullmatch(r"[a-z-]+ +[\w-]+\.[\w-]+\.[\w-]+", line)
            )
            assert tuple(tokens) == PARTNERS
            answer = httpx.post(
                demo.url,
                json={"query": CHECK, "variables": {"code": MERCHANT}},
                headers={"authorization": f"Bearer {tokens['mall']}"},
                trust_env=False,
                timeout=10,
            )
            answers.append(answer.json()["data"])
            # A second terminal knows the sources, too.
            beside = credithub("harvest", "TAX", given={"HUB_DEMO": "true", "HUB_STATE_DIR": str(own)})
            assert (beside.returncode, "TAX" in beside.stdout) == (0, True), beside.stderr
            family = [demo.process.pid, *below(demo.process.pid)]
            # The server, its connections' processes, the sandboxes and the worker.
            assert len(family) > 6
            status, seconds = demo.stopped(signal.SIGINT, 20)
            assert status == 0, demo.told
            assert seconds < 10
            assert demo.process.stdout is not None
            assert demo.process.stdout.read() == ""
            assert alive(family) == []
            assert "Traceback" not in demo.told
    assert answers[0] == answers[1] == {"subject": {"displayName": "青海三江源商贸有限公司"}}
    first, second = counts
    assert set(first) == set(second)
    assert sum(stored for _, stored, _, _ in first.values()) > 500
    assert sum(stored for _, stored, _, _ in second.values()) == 0
    assert times[1] < 15
    EmbeddedPostgres(own).destroy()


def test_a_demo_that_is_stopped_before_it_is_ready_ends_with_130_and_leaves_no_process(
    state_dir: Path, tmp_path: Path
) -> None:
    own = state_dir / "hurried"
    given = {"HUB_DEMO_SUBJECTS": "2000", "HUB_PORT": "0", "HUB_STATE_DIR": str(own)}
    with launched(["demo"], given, tmp_path / "errors") as demo:
        end = time.monotonic() + 60
        # The store is there and the sandboxes are coming up.
        while len(demo.children()) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        family = [demo.process.pid, *below(demo.process.pid)]
        status, seconds = demo.stopped(signal.SIGINT, 20)
    assert (status, seconds < 10) == (130, True)
    assert alive(family) == []
    assert "Traceback" not in demo.told
    EmbeddedPostgres(own).destroy()


@pytest.mark.parametrize(
    ("whose", "module"), [("worker", b"hub.commands.worker"), ("sandboxes", b"hub.sandbox.run")]
)
def test_a_demo_that_loses_its_worker_or_its_sandboxes_says_so_and_ends_with_1(
    state_dir: Path, tmp_path: Path, whose: str, module: bytes
) -> None:
    own = state_dir / f"bereft-{whose}"
    given = {"HUB_DEMO_SUBJECTS": "50", "HUB_PORT": "0", "HUB_STATE_DIR": str(own)}
    with started(["demo"], given, tmp_path / "errors", within=120) as demo:
        family = [demo.process.pid, *below(demo.process.pid)]
        (lost,) = [pid for pid in family if module in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(lost, signal.SIGKILL)
        assert demo.process.wait(20) == 1
        assert alive(family) == []
        assert f"credithub: the {whose} of the demo ended unexpectedly (status -9)" in demo.told
        # What is stopped because of it is not lost.
        assert demo.told.count("ended unexpectedly") == 1
        assert "Traceback" not in demo.told
    EmbeddedPostgres(own).destroy()


def test_a_demo_whose_port_is_taken_starts_nothing(state_dir: Path) -> None:
    own = state_dir / "taken"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {"HUB_PORT": str(taken.getsockname()[1]), "HUB_STATE_DIR": str(own)}
        done = credithub("demo", given=given)
    Done(done.returncode, done.stdout, done.stderr).refused("SETTING_INVALID", "HUB_PORT", "cannot be used")
    assert not own.exists()
