"""The README as text: its fenced blocks, sections and scripts, for the tests that run them."""

from __future__ import annotations

import re

from tests.readme_tables import READMES

ENGLISH = READMES["en"].read_text("utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A heredoc of the shell: what is fed to the command before it.
HEREDOC = re.compile(r"<<'(\w+)'\n(.*?)^\1$", re.DOTALL | re.MULTILINE)


def blocks(language: str, text: str = ENGLISH) -> list[str]:
    """The fenced blocks in a language, in order."""
    return [body for found, body in FENCE.findall(text) if found == language]


def fenced_after(marker: str) -> str:
    """The block that follows the comment `marker`."""
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\w+\n(.*?)^```$", ENGLISH, re.DOTALL | re.MULTILINE)
    assert found is not None, marker
    return found[1]


def shell(beginning: str) -> str:
    """The shell block that begins with these words."""
    return next(block for block in blocks("sh") if block.startswith(beginning))


def section(title: str) -> str:
    """The text below a heading of the second level."""
    return ENGLISH.split(f"\n## {title}\n")[1].split("\n## ")[0]
