"""Read JSON lines written by people: faulty lines are named, the good ones are used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from tinyagent.errors import InvalidRequest

Row = TypeVar("Row")


@dataclass(frozen=True)
class FaultyLine:
    """A line that was left out, by its number in the file (from 1), and why."""

    number: int
    reason: str


def read_rows(
    path: Path, read_row: Callable[[dict[str, Any]], Row | None]
) -> tuple[list[Row], list[FaultyLine]]:
    """The rows that `read_row` makes of the file's objects, and the lines that it could not use.

    `read_row` raises ValueError with the reason for a faulty object and returns None for one that
    is to be passed over in silence. Raises InvalidRequest when the file cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be read: {error.strerror}.", hint="Give a file with one JSON object a line."
        ) from error
    rows: list[Row] = []
    faults: list[FaultyLine] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = read_row(_read_object(line))
        except ValueError as error:
            faults.append(FaultyLine(number, str(error)))
            continue
        if row is not None:
            rows.append(row)
    return rows, faults


def _read_object(line: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return cast("dict[str, Any]", value)


def text_of(row: dict[str, Any], key: str) -> str:
    """The text under `key`. Raises ValueError when it is missing, empty or not text."""
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'"{key}" is missing or is not text')
    return value
