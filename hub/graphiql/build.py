"""Builds the page's script and style sheet from npm packages: `python -m hub.graphiql.build`.

Only npm's registry is asked, the lock fixes version and digest of every package, and no package's own
script is run. Without npm the hub works as before, and its page says what is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FRONTEND = Path(__file__).parent / "frontend"
ASSETS = Path(__file__).parent / "assets"
OLDEST_NODE = 18
PATIENCE = 900  # seconds for each step: a slow network may take minutes for 50 MB
_NODE_MODULES = "node_modules"
_DIGEST_FILE = "digest.json"


class BuildError(Exception):
    """npm is there, but installing or bundling did not work; the message holds what npm said last."""


def sources_digest(frontend: Path = FRONTEND) -> str:
    """Give the SHA-256 (hex) over the names and contents of the lock and all sources."""
    digest = hashlib.sha256()
    for path in sorted(frontend.rglob("*")):
        name = path.relative_to(frontend)
        if _NODE_MODULES in name.parts or not path.is_file():
            continue
        content = path.read_bytes()
        digest.update(f"{name.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def built_digest(assets: Path = ASSETS) -> str | None:
    """Give the digest of the sources that `assets` were built from, or None when nothing usable is there."""
    try:
        digest = json.loads((assets / _DIGEST_FILE).read_text("utf-8"))["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return digest if isinstance(digest, str) else None


def missing_tool() -> str | None:
    """Say in words what is missing to build, or None when everything is there."""
    if shutil.which("npm") is None:
        return "npm is not on PATH"
    node = shutil.which("node")
    if node is None:
        return "node is not on PATH"
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    version = re.match(r"v(\d+)\.", answer.stdout)
    if version is None or int(version[1]) < OLDEST_NODE:
        return f"node {answer.stdout.strip() or '?'} is older than {OLDEST_NODE}"
    return None


def build(frontend: Path = FRONTEND, assets: Path = ASSETS) -> None:
    """Install the locked packages in a scratch directory, bundle, and put the result into `assets`.

    Raises BuildError; `assets` are then what they were.
    """
    digest = sources_digest(frontend)
    with tempfile.TemporaryDirectory(prefix="hub-graphiql-") as scratch:
        work, output = Path(scratch, "frontend"), Path(scratch, "assets")
        shutil.copytree(frontend, work, ignore=shutil.ignore_patterns(_NODE_MODULES))
        _npm(work, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        _npm(work, "run", "build", "--", str(output))
        assets.mkdir(exist_ok=True)
        # The digest goes first and comes last: an interrupted copy counts as not built.
        (assets / _DIGEST_FILE).unlink(missing_ok=True)
        for old in assets.iterdir():
            old.unlink()
        for new in sorted(output.iterdir()):
            shutil.copyfile(new, assets / new.name)
        (assets / _DIGEST_FILE).write_text(json.dumps({"digest": digest}) + "\n", "utf-8")


def _npm(directory: Path, *arguments: str) -> None:
    npm = shutil.which("npm") or "npm"
    command = [npm, *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=directory, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise BuildError(f"npm {arguments[0]}: {problem}") from problem
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BuildError(f"npm {arguments[0]} ended with {done.returncode}:\n{said}")


def main() -> int:
    """Build when needed. Give the exit status: 0 also when npm is missing, 1 when npm is there and fails."""
    if built_digest() == sources_digest():
        print("GraphiQL: assets are up to date")
        return 0
    missing = missing_tool()
    if missing:
        print(
            f"GraphiQL: not built, {missing} (Node.js {OLDEST_NODE} or newer is needed);"
            " everything else works without it"
        )
        return 0
    print("GraphiQL: building the page from npm packages ...", flush=True)
    try:
        build()
    except BuildError as problem:
        print(f"GraphiQL: not built. {problem}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in ASSETS.iterdir())
    print(f"GraphiQL: built, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
