"""Lines that people and models wrote, read one by one: a faulty one is named, the others are used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from tinyagent.errors import InvalidRequest

LONGEST_LINE = 1_000_000
"""Bytes; what is longer was not written as a line."""
SHOWN = 10

Read = TypeVar("Read")


@dataclass(frozen=True)
class Fault:
    """What cannot be used: the line on which it begins (from 1), and why."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.reason}"


def read_rows(path: Path, make: Callable[[dict[str, Any]], Read]) -> tuple[list[Read], list[Fault]]:
    """What `make` makes of the objects in a file of JSON lines, and the faults of the other lines.

    `make` raises ValueError with the reason for an object that cannot be used. Raises InvalidRequest
    for a file that cannot be read.
    """
    found: list[Read] = []
    faults: list[Fault] = []
    for number, line in numbered_lines(path):
        try:
            found.append(make(object_of(line)))
        except ValueError as error:
            faults.append(Fault(path, number, str(error)))
    return found, faults


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers; `checked` must see to each.

    Raises InvalidRequest for a file that cannot be read.
    """
    if path.is_char_device() or path.is_block_device():
        raise _unreadable(path, "it is a device")
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                text = line.decode("utf-8", "surrogateescape")
                if text.strip():
                    yield number, text.removeprefix("\ufeff")
                while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                    line = file.readline(LONGEST_LINE + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from error


def checked(line: str) -> str:
    """A line without the spaces around it. Raises ValueError for one that is too long or not UTF-8."""
    if len(line.encode("utf-8", "surrogateescape")) > LONGEST_LINE:
        raise ValueError(f"longer than {LONGEST_LINE} bytes")
    if not line.isascii() and any("\udc80" <= letter <= "\udcff" for letter in line):
        raise ValueError("not UTF-8")
    return line.strip()


def object_of(line: str) -> dict[str, Any]:
    """The JSON object that a line holds. Raises ValueError with what is wrong."""
    try:
        value: object = json.loads(checked(line))
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a character (a lone surrogate)") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return cast("dict[str, Any]", value)


def text_of(raw: dict[str, Any], key: str) -> str:
    """The text under a key. Raises ValueError when it is missing, blank or no text."""
    value: object = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'"{key}" is missing or is not text')
    return value


def tell_faults(faults: Sequence[Fault], tell: Callable[[str], None]) -> None:
    """Tell of what is left out, the first faults one by one."""
    if not faults:
        return
    tell(f"{len(faults)} faulty requests are left out:")
    for fault in faults[:SHOWN]:
        tell(f"  {fault}")
    if len(faults) > SHOWN:
        tell(f"  … and {len(faults) - SHOWN} more; `tinyagent data check FILE…` names all of a file.")


def _unreadable(path: Path, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"{path} cannot be read: {reason}.", hint="Give a file of JSON lines, one object a line."
    )
