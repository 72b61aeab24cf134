"""One call, many uses: calls that say the same are made once, and all references go to that one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tinyagent.domain.plan import Call, Reference, Template, Value


def merge_repeats(calls: Sequence[Call]) -> list[Call]:
    """The calls without repeats, numbered anew from the first one's number; lists lose repeated items."""
    kept: list[Call] = []
    moved: dict[int, int] = {}
    for call in calls:
        arguments = tuple(_renumber(value, moved) for value in call.arguments)
        same = next(
            (other for other in kept if (other.tool, other.arguments) == (call.tool, arguments)), None
        )
        if same is None:
            same = replace(call, index=calls[0].index + len(kept), arguments=arguments)
            kept.append(same)
        moved[call.index] = same.index
    return kept


def _renumber(value: Value, moved: Mapping[int, int]) -> Value:
    if isinstance(value, list):
        items: list[Value] = []
        for item in (_renumber(item, moved) for item in value):
            if item not in items:
                items.append(item)
        return items
    if isinstance(value, Template):
        return Template(
            tuple(
                Reference(moved.get(part.index, part.index)) if isinstance(part, Reference) else part
                for part in value.parts
            )
        )
    return value
