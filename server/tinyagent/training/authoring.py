"""Requests written by hand, each with its plan, in a form that people write quickly and without sums.

    text Ferhat the viewing moved, and put it in my calendar for thursday at 6
    = get_phone_number("Ferhat")
    = send_sms(["$1"], "The viewing moved.")
    = create_calendar_event("Viewing", start_date="thursday at 6")

Blocks are separated by blank lines. A date is the request's own words ("thursday + 6 pm" joins two
stretches of it), a request without calls is one that nothing can serve, and `~ ` marks a variation of
the block before, which stays in the same part of the data. `now` is chosen by the text, so that it
never changes; the dates of the plan follow from it.

`python -m tinyagent.training.authoring FILE...` lists what is wrong with a file.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tinyagent.errors import TinyAgentError
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS
from tinyagent.training.checks import draft_faults
from tinyagent.training.jsonl import Fault, checked, numbered_lines
from tinyagent.training.literal import literal_plan
from tinyagent.training.rows import Request, Row
from tinyagent.training.script import run

_TRIES = 12
_FIRST_DAY = datetime(2024, 1, 2)
_DAYS = 1700


@dataclass(frozen=True)
class Written:
    """A written request. `group` names the block that it varies, or itself."""

    identifier: str
    group: str
    query: str
    calls: tuple[DraftCall, ...]
    line: int

    @property
    def phrases(self) -> tuple[str, ...]:
        """Its date phrases."""
        found = [
            str(call.arguments[field.name])
            for call in self.calls
            for field in FIELDS[call.tool]
            if field.kind == "date" and field.name in call.arguments
        ]
        return tuple(dict.fromkeys(found))

    def row(self) -> Row:
        """What the networks learn from it."""
        return Row(self.query, self.calls, self.phrases)

    def request(self) -> Request:
        """The request at its moment with its public plan. Raises ValueError for a date without a value."""
        plan, now = _dated(self)
        return Request(self.identifier, now, self.query, plan, (), (self.identifier.rpartition("-")[0],))


def read_written(path: Path) -> tuple[list[Written], list[Fault]]:
    """The usable blocks of a file, and the faults of the others. Raises InvalidRequest."""
    found: list[Written] = []
    faults: list[Fault] = []
    group = ""
    for line, block in _blocks(path):
        try:
            written = _written(path.stem, group, line, block)
            reasons = draft_faults(written.query, written.calls)
            if not reasons:
                written.request()
        except (ValueError, TinyAgentError) as error:
            reasons = [str(error)]
            written = None
        faults += [Fault(path, line, reason) for reason in reasons]
        if written is not None and not reasons:
            group = written.group
            found.append(written)
    return found, faults


def _blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The blocks with the lines on which they begin. Raises InvalidRequest for an unreadable file."""
    block: list[str] = []
    begun = last = 0
    for number, line in numbered_lines(path):
        if block and number > last + 1:
            yield begun, block
            block = []
        begun, last = (begun if block else number), number
        block.append(line)
    if block:
        yield begun, block


def _written(stem: str, group: str, line: int, block: list[str]) -> Written:
    head, *calls = map(checked, block)
    varied = head.startswith("~ ")
    query = head.removeprefix("~ ").replace("\\n", "\n").strip()
    if head.startswith("= ") or not query:
        raise ValueError("a block begins with its request")
    identifier = f"{stem}-{hashlib.sha256(query.encode()).hexdigest()[:10]}"
    drafts = tuple(_without_inherited([_call(text) for text in calls]))
    return Written(identifier, group if varied and group else identifier, query, drafts, line)


def _call(text: str) -> DraftCall:
    """A call as it is written. Raises ValueError for what is no call of a known tool."""
    if not text.startswith("="):
        raise ValueError(f"not a call: {text[:60]}")
    try:
        node = ast.parse(text[1:].strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"not readable: {text[:80]}") from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in FIELDS:
        raise ValueError(f"not a call of a tool: {text[:60]}")
    fields = FIELDS[node.func.id]
    if len(node.args) > len(fields):
        raise ValueError(f"too many arguments: {text[:60]}")
    given = [(field.name, value) for field, value in zip(fields, node.args, strict=False)]
    given += [(str(keyword.arg), keyword.value) for keyword in node.keywords]
    kinds = {field.name: field for field in fields}
    arguments: dict[str, str | list[str]] = {}
    for name, value in given:
        if name not in kinds or name in arguments:
            raise ValueError(f"{node.func.id} has no argument {name} or has it twice")
        content = _content(value, kinds[name].is_list, name)
        if content:
            arguments[name] = _spoken(content) if kinds[name].kind == "date" else content
    return DraftCall(node.func.id, arguments)


def _content(node: ast.expr, is_list: bool, name: str) -> str | list[str]:
    try:
        value: object = ast.literal_eval(node)
    except (TypeError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{name} is neither a text nor a list of texts") from None
    if is_list and isinstance(value, list) and all(isinstance(item, str) for item in value):  # pyright: ignore
        return [str(item) for item in value]  # pyright: ignore
    if not is_list and isinstance(value, (str, int)):
        return str(value)
    raise ValueError(f"{name} must be {'a list of texts' if is_list else 'a text'}")


def _spoken(content: str | list[str]) -> str:
    return " ".join(part.strip() for part in str(content).split(" + "))


def _without_inherited(calls: list[DraftCall]) -> Iterator[DraftCall]:
    """The calls, with an event's words left out where they are those of its Zoom meeting."""
    for call in calls:
        notes = call.text("notes")
        zoom = _zoom_of(notes, calls) if call.tool == "create_calendar_event" else None
        if zoom is None:
            yield call
            continue
        same = {
            "title": zoom.arguments.get("topic"),
            "start_date": zoom.arguments.get("start_time"),
            "end_date": zoom.arguments.get("duration"),
            "invitees": zoom.arguments.get("meeting_invitees"),
        }
        kept = {name: value for name, value in call.arguments.items() if value != same.get(name, object())}
        yield DraftCall(call.tool, kept)


def _zoom_of(notes: str, calls: list[DraftCall]) -> DraftCall | None:
    index = notes.removeprefix("$")
    if notes[:1] != "$" or not index.isdecimal() or not 1 <= int(index) <= len(calls):
        return None
    call = calls[int(index) - 1]
    return call if call.tool == "get_zoom_meeting_link" else None


def _dated(written: Written) -> tuple[str, datetime]:
    """The public plan and the moment: the first of some in whose light no date of the plan is past."""
    plan, now = "", _FIRST_DAY
    for attempt in range(_TRIES):
        now = _moment(written.identifier, attempt)
        plan, earliest = literal_plan(written.query, now, written.calls)
        if earliest is None or earliest >= now:
            break
    return plan, now


def _moment(identifier: str, attempt: int) -> datetime:
    digest = hashlib.sha256(f"{identifier} {attempt}".encode()).digest()
    day = int.from_bytes(digest[:4], "big") % _DAYS
    latest = 14 * 60 if attempt < _TRIES // 2 else 4 * 60
    minute = int.from_bytes(digest[4:8], "big") % latest
    return _FIRST_DAY + timedelta(days=day, hours=6, minutes=minute)


def read_folder(folder: Path) -> tuple[list[Written], list[Fault]]:
    """All files of a folder; a request that stands in it twice is taken once."""
    found: dict[str, Written] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.txt")):
        written, wrong = read_written(path)
        faults += wrong
        for item in written:
            found.setdefault(" ".join(item.query.lower().split()), item)
    return list(found.values()), faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Report on files; 1 when one of them has faults. Raises InvalidRequest for an unreadable file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="written blocks (.txt)")
    total = 0
    for path in parser.parse_args(arguments).files:
        written, faults = read_written(path)
        for fault in faults:
            print(fault)
        total += len(faults)
        unserved = sum(not item.calls for item in written)
        print(f"{path}: {len(written)} requests ({unserved} without a plan), {len(faults)} faults")
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(run(main))
