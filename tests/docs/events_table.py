"""The types of events and their fields for `docs/events.md`.

`PYTHONPATH=server:. python -m tests.docs.events_table` writes them into the page.
"""

from __future__ import annotations

import ast
import inspect
import types
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tinyagent.domain import events
from tinyagent.domain.provenance import Source

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
START, END = "<!-- table events -->\n", "<!-- end table -->"
TYPES: dict[str, type[BaseModel]] = {
    kind.model_fields["type"].default: kind.model_fields["data"].annotation
    for kind in get_args(get_args(events.Event)[0])
}

WHEN = {
    "run.created": "The first event of every run: what was asked.",
    "tools.selected": "Tool RAG has chosen the tools that the planner is offered.",
    "plan.delta": "The planner has written a piece of the plan.",
    "task.planned": "A line of the plan is complete: one call.",
    "plan.completed": "The planner has written the whole plan.",
    "approval.requested": "The user is asked whether a call may be carried out exactly so.",
    "approval.decided": "Somebody answered, or nobody did in time.",
    "task.started": "A call is about to be carried out. This is on the disk before anything is done.",
    "task.progress": "A call waits for something, such as a worker.",
    "task.succeeded": "A call is done.",
    "task.failed": "A call could not be carried out, or not to its end.",
    "task.skipped": "A call was not started, since something that it needs is missing.",
    "task.undone": "Somebody asked to take a call back. It is the only one that may follow the end of a run.",
    "run.replanned": "The planner is asked for another plan.",
    "answer.delta": "A piece of the answer.",
    "run.completed": "The last event of a run that came to its end. Single calls may have failed.",
    "run.failed": "The last event of a run that could not go on.",
    "run.cancelled": "The last event of a run that was stopped.",
}
"""What each type tells."""

FIELDS = {
    "query": "The request.",
    "mode": "`plan`: nothing is carried out.",
    "planner": "Its name.",
    "now": "What dates are counted from.",
    "instructions": "Told to planners that read instructions.",
    "deadline_s": "How long the run may take, in seconds.",
    "tools": "Names, in the order in which the planner sees them.",
    "scores": "How sure Tool RAG is of each, 0 to 1.",
    "text": "The piece.",
    "plan.completed.text": "The whole plan.",
    "task": "The call's number in the run.",
    "tool": "Its name.",
    "effect": "What the call does to the world.",
    "needs": "The calls whose results it uses.",
    "line": "The line as the planner wrote it.",
    "thought": "What the planner noted before it.",
    "round": "0 for the first plan, 1 for the one after it.",
    "prompt_tokens": "Tokens that the planner read.",
    "plan_tokens": "Tokens that it wrote.",
    "cached_tokens": "Tokens of the prompt that it remembered.",
    "milliseconds": "How long it took.",
    "reason": "Why, for people.",
    "expires": "When no answer counts as a no.",
    "digest": "That of the question.",
    "approved": "Whether the answer was yes.",
    "fault": "What went wrong.",
    "because": "The calls that failed or were skipped before it.",
    "by": "The name of the token that asked for it.",
    "message": "One sentence for people.",
    "link": "Where the result can be opened.",
    "answer": "The whole answer.",
    "code": "One of [those codes](troubleshooting.md).",
    "hint": "What to do next.",
    "candidates": "The possible meanings, where the user has to choose.",
}
"""Meanings of fields that `domain/events.py` leaves to their names."""


def blocks() -> str:
    """A heading, a sentence and a table for each type, and for faults at the end."""
    sections = [_section(name, WHEN[name], data) for name, data in TYPES.items()]
    fault = _section(
        "fault", "Why something failed, in `task.failed`, `task.undone` and `run.failed`.", events.Fault
    )
    return "\n".join([*sections, fault])


def _section(name: str, when: str, model: type[BaseModel]) -> str:
    told = docstrings(model)
    rows = [
        f"| `{field}` | {_type(info.annotation)} | {_default(info)} | {_meaning(name, field, told)} |"
        for field, info in model.model_fields.items()
    ]
    head = ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"### {name}", "", when, "", *head, *rows, ""])


def _meaning(name: str, field: str, told: dict[str, str]) -> str:
    return told.get(field) or FIELDS.get(f"{name}.{field}") or FIELDS[field]


def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """What stands below the fields of a model."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            assert isinstance(text.value, ast.Constant)
            found[field.target.id] = " ".join(str(text.value.value).replace("None", "null").split())
    return found


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    empty = {"": '`""`', (): "`[]`"}
    if info.default is None:
        return "`null`"
    if isinstance(info.default, dict):
        return "`{}`"
    return empty.get(info.default, f"`{str(info.default).lower()}`")


def _type(annotation: Any) -> str:
    """A type as JSON has it."""
    simple = {str: "text", int: "integer", float: "number", bool: "true or false", datetime: "ISO 8601"}
    if annotation in simple:
        return simple[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if part is type(None) else _type(part) for part in arguments)
    if origin is dict:
        return "object"
    if origin is tuple:
        items = {str: " of texts", int: " of integers", Source: f" of {_type(Source)}"}
        return f"list{items.get(arguments[0], '')}"
    assert isinstance(annotation, type)
    return "[object](#fault)" if annotation is events.Fault else annotation.__name__


def filled(page: str) -> str:
    """The page with the generated part as it should be."""
    before, rest = page.split(START, 1)
    return f"{before}{START}\n{blocks()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
