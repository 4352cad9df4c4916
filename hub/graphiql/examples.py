"""The example operations that the page opens in its tab bar, read from `examples/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """One operation that a newcomer can run at once."""

    name: str  # of the file, without its ordering number
    query: str  # the document; it holds exactly one named operation, whose name becomes the tab's title
    variables: dict[str, Any]  # of that operation, empty when it takes none

    @property
    def variables_text(self) -> str:
        """The variables as a person edits them, or nothing when there are none."""
        return json.dumps(self.variables, ensure_ascii=False, indent=2) if self.variables else ""


def read_examples(directory: Path = EXAMPLES) -> tuple[Example, ...]:
    """Read every `NN-name.graphql` with its optional `NN-name.json` of variables, in the order of NN."""
    examples = []
    for path in sorted(directory.glob("*.graphql")):
        beside = path.with_suffix(".json")
        variables = json.loads(beside.read_text("utf-8")) if beside.exists() else {}
        examples.append(Example(path.stem.partition("-")[2], path.read_text("utf-8"), variables))
    return tuple(examples)
