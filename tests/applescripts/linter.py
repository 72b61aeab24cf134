"""Reads the AppleScripts as strictly as can be done without a Mac, where nothing compiles them.

`lint` gives every fault of one script with its line; a script without faults may still misunderstand
an application, but it is well formed, bounded, and true to its header.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.applescripts.blocks import copies, renewed
from tests.applescripts.contract import check_answer, check_applications, check_arguments, check_header
from tests.applescripts.names import check_names
from tests.applescripts.references import check_references
from tests.applescripts.statements import check_line, check_statement, check_uses
from tests.applescripts.structure import Fault, structure
from tests.applescripts.tokens import LexicalError, Line, logical_lines
from tinyagent.apps.macos._header import parse_header


def lint(source: str, operation: str, folder: Path) -> list[Fault]:
    """The faults of a script; `folder` holds the originals of what it copies."""
    try:
        header = parse_header(source, operation)
    except ValueError as error:
        return [Fault(1, str(error))]
    try:
        lines = logical_lines(source)
    except LexicalError as error:
        return [Fault(error.line, str(error))]
    read = structure(lines)
    own_lines = _own_lines(source)
    faults = [
        *_check_text(source),
        *_check_copies(source, folder),
        *check_uses(lines),
        *_check_top(lines, read.faults),
        *(fault for line in lines for fault in check_line(line)),
        *check_header(header, operation),
        *check_applications(header, read.statements),
        *check_arguments(header, read.statements, own_lines),
        *check_answer(header, read.statements),
        *check_names(read.statements, own_lines),
        *check_references(read.statements),
        *(fault for one in read.statements for fault in check_statement(one, header.seconds)),
    ]
    return sorted(set(faults), key=lambda fault: (fault.line, fault.message))


def _check_text(source: str) -> Iterator[Fault]:
    for number, line in enumerate(source.splitlines(), 1):
        if not line.isascii():
            yield Fault(number, "a sign that is not ASCII: osascript may read it in another encoding")
        if line != line.rstrip():
            yield Fault(number, "blanks at the end of the line")


def _check_copies(source: str, folder: Path) -> Iterator[Fault]:
    found = copies(source)
    if "_shared.applescript" not in found:
        yield Fault(1, "the handlers of _shared.applescript are missing")
    if len(found) * 2 != sum(line.startswith(("-- begin ", "-- end ")) for line in source.splitlines()):
        yield Fault(1, "a copy is not between '-- begin FILE' and '-- end FILE'")
    missing = [name for name in found if not (folder / name).is_file()]
    if missing:
        yield Fault(1, f"there is no {missing[0]}")
    elif renewed(source, folder) != source:
        yield Fault(1, "a copy differs from its file: run python -m tests.applescripts.blocks")


def _check_top(lines: list[Line], faults: list[Fault]) -> Iterator[Fault]:
    """Outside of handlers stand `use` lines alone."""
    yield from faults
    depth_zero = [line for line in lines if line.indent == 0]
    for line in depth_zero:
        if line.tokens[0].text not in ("use", "on", "end"):
            yield Fault(line.number, "a statement outside of all handlers")


def _own_lines(source: str) -> frozenset[int]:
    """The lines that are not copied."""
    own: set[int] = set()
    inside = False
    for number, line in enumerate(source.splitlines(), 1):
        inside = inside or line.startswith("-- begin ")
        if not inside:
            own.add(number)
        inside = inside and not line.startswith("-- end ")
    return frozenset(own)
