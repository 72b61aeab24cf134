"""The files of an index: `examples.jsonl`, `vectors.npy` and, with the encoder's digest, `manifest.json`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tinyagent.errors import ModelUnavailable
from tinyagent.planners.examples.index import ExampleIndex, Floats
from tinyagent.ports import Example

EXAMPLES, VECTORS, MANIFEST = "examples.jsonl", "vectors.npy", "manifest.json"


def load_index(folder: Path, encoder: str) -> ExampleIndex:
    """The index of a folder, for queries that are embedded by the encoder with this SHA-256.

    Raises ModelUnavailable for files that are missing or damaged, or vectors of another encoder.
    """
    try:
        manifest = cast("dict[str, Any]", json.loads((folder / MANIFEST).read_text("utf-8")))
        made_by = str(manifest["encoder"])
        with (folder / EXAMPLES).open(encoding="utf-8") as lines:
            examples = [_example(number, line) for number, line in enumerate(lines)]
        vectors = _vectors(folder / VECTORS, len(examples))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            f"The examples for planners in {folder} are missing or damaged.",
            hint="Reinstall tinyagent to restore them.",
        ) from error
    if made_by != encoder:
        raise ModelUnavailable(
            f"The examples for planners in {folder} were made with another encoder than the bundled one.",
            hint="Make them again with `tinyagent data examples`, or reinstall tinyagent.",
        )
    return ExampleIndex(examples, vectors)


def _example(number: int, line: str) -> Example:
    raw = cast("dict[str, Any]", json.loads(line))
    now = datetime.fromisoformat(raw["now"])
    return Example(number, str(raw["request"]), now, str(raw["plan"]), tuple(map(str, raw["tools"])))


def _vectors(path: Path, count: int) -> Floats:
    stored = cast("NDArray[np.float16]", np.load(path, allow_pickle=False))
    if stored.ndim != 2 or len(stored) != count or not np.isfinite(stored).all():
        raise ValueError("the vectors do not belong to the examples")
    return stored.astype(np.float32)


def example_line(query: str, now: datetime, plan: str, tools: tuple[str, ...]) -> str:
    """A line of `examples.jsonl`."""
    raw = {"request": query, "now": now.isoformat(), "plan": plan, "tools": tools}
    return json.dumps(raw, ensure_ascii=False)
