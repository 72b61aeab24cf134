"""The inner plan language of the small bundled GGUF: short to write, easy to copy into.

    ⟨get_email_address⟩⟨name⟩ Sid⟨compose_new_email⟩⟨recipients⟩⟨1⟩⟨subject⟩ Costs⟨context⟩ Costs $25

Calls have no numbers (their place is their number), absent arguments are left out, a list is its
item's tag repeated, `⟨n⟩` is the result of call n. Dates and durations are the request's own
words; `planners.inner` turns such calls into the public plan language. A text begins with a space,
so that a copied word is the same token as in the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tinyagent.domain.plan import Reference, Template, escape_dollars
from tinyagent.domain.plan_parser import read_string
from tinyagent.errors import PlanSyntaxError
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS, field_of

MAX_REFERENCE = 14
"""The highest call that another one may use: a plan has at most fifteen calls."""

TOOLS, ASK, PLAN = "<|tools|>", "<|ask|>", "<|plan|>"
"""Control markers of the prompt: the tools to plan with, the request, the plan."""

TAG = re.compile(r"⟨(\w+)⟩")


def tag(name: str | int) -> str:
    """The token of a tool, an argument or a call's number."""
    return f"⟨{name}⟩"


def all_tags() -> list[str]:
    """Every tag that plans can hold: tools, arguments, references."""
    arguments = dict.fromkeys(field.name for fields in FIELDS.values() for field in fields)
    return [tag(name) for name in (*FIELDS, *arguments, *range(1, MAX_REFERENCE + 1))]


def write_calls(calls: Iterable[DraftCall]) -> str:
    """The calls in the inner language. Brackets of tags inside a text become round ones."""
    return "".join(_write_call(call) for call in calls)


def _write_call(call: DraftCall) -> str:
    parts = [tag(call.tool)]
    for field in FIELDS[call.tool]:
        value = call.arguments.get(field.name) or []
        items = value if isinstance(value, list) else [value]
        parts += [tag(field.name) + _write_text(item) for item in items]
    return "".join(parts)


def _write_text(item: str) -> str:
    text = read_string(item)
    parts = text.parts if isinstance(text, Template) else (text,)
    written = "".join(tag(part.index) if isinstance(part, Reference) else _plain(part) for part in parts)
    return written if written.startswith("⟨") else f" {written}"


def _plain(text: str) -> str:
    return text.replace("⟨", "(").replace("⟩", ")")


def read_calls(text: str) -> list[DraftCall]:
    """The calls of a text in the inner language. Raises PlanSyntaxError when it is not of the language."""
    calls: list[DraftCall] = []
    name, written = "", ""
    pieces = TAG.split(text)
    if pieces[0].strip():
        raise PlanSyntaxError(f"The planner's text does not begin with a call: {pieces[0][:80]!r}.")
    for found, following in zip(pieces[1::2], pieces[2::2], strict=True):
        if found.isdecimal():
            written += _reference(found, following) + escape_dollars(following)
            continue
        _store(calls, name, written)
        name, written = "", escape_dollars(following.removeprefix(" "))
        if found in FIELDS:
            calls.append(DraftCall(found))
        else:
            name = found
    _store(calls, name, written)
    return calls


def _reference(number: str, following: str) -> str:
    """A reference of the plan language; braces keep a digit that follows out of its number."""
    return f"${{{number}}}" if following[:1].isdigit() else f"${number}"


def _store(calls: list[DraftCall], name: str, written: str) -> None:
    if not name:
        return
    if not calls:
        raise PlanSyntaxError(f"{tag(name)} does not belong to any call in the planner's text.")
    call = calls[-1]
    try:
        field = field_of(call.tool, name)
    except KeyError as error:
        raise PlanSyntaxError(f"{tag(name)} does not belong to {call.tool} in the planner's text.") from error
    if not field.is_list:
        call.arguments[name] = written
        return
    items = call.arguments.setdefault(name, [])
    if isinstance(items, list):
        items.append(written)
