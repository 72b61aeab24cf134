"""Real requests of which only the tools that can serve them are known, from JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from tinyagent.errors import InvalidRequest
from tinyagent.toolrag.labels import CLASSES
from tinyagent.training.jsonl import read_rows, tell_faults, text_of
from tinyagent.training.sampling import Labelled
from tinyagent.training.split import part_of


def read_labelled(path: Path, tell: Callable[[str], None] = lambda _: None) -> list[Labelled]:
    """The requests for training; `tell` is given lines on what cannot be used.

    Ambiguous ones (`null`) are left out, and one in ten is kept aside by its text. Raises
    InvalidRequest for a file that cannot be read or holds none.
    """
    found, faults = read_rows(path, _labelled)
    tell_faults(faults, tell)
    if not found:
        raise InvalidRequest(
            f"{path} holds no requests with tools that can be used.",
            hint='Each line is a JSON object with "text" and "accept", a list of tools or null.',
        )
    return [item for item in found if item is not None and part_of(item.text) == "train"]


def _labelled(raw: dict[str, Any]) -> Labelled | None:
    """None for an ambiguous request. Raises ValueError with what is wrong."""
    text, accept = text_of(raw, "text"), raw.get("accept", "")
    if accept is None:
        return None
    tools = cast("list[object]", accept) if isinstance(accept, list) else [accept]
    unknown = next((tool for tool in tools if tool not in CLASSES), None)
    if unknown is not None:
        raise ValueError(f'"accept" holds {unknown!r}, which is no tool; it is a list of tools or null')
    return Labelled(text, tuple(map(str, tools)))
