"""Files of requests checked row by row: JSON lines with plans, or written blocks (`.txt`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from tinyagent.errors import InvalidRequest
from tinyagent.training.authoring import read_written
from tinyagent.training.plan_checks import plan_findings


@dataclass(frozen=True)
class Finding:
    """Something wrong or unusual in a line."""

    line: int
    reason: str


@dataclass
class FileReport:
    """What a file holds: usable rows, those of them that nothing can serve, and what was found."""

    path: Path
    sound: int = 0
    unserved: int = 0
    faults: list[Finding] = field(default_factory=list[Finding])
    warnings: list[Finding] = field(default_factory=list[Finding])


def check_file(path: Path) -> FileReport:
    """Check a file by its kind. Raises InvalidRequest when it cannot be read."""
    report = FileReport(path)
    try:
        if path.suffix == ".txt":
            _check_written(report)
        else:
            _check_rows(report)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InvalidRequest(
            f"{path} cannot be read: {reason}.",
            hint="Give files of JSON lines (.jsonl) or of written blocks (.txt).",
        ) from error
    return report


def _check_written(report: FileReport) -> None:
    written, faults = read_written(report.path)
    report.sound = len(written)
    report.unserved = sum(not item.calls for item in written)
    report.faults = [Finding(fault.line, fault.reason) for fault in faults]


def _check_rows(report: FileReport) -> None:
    seen: dict[str, int] = {}
    with report.path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = _row(line)
                first = seen.setdefault(row["id"], number)
                if first != number:
                    raise ValueError(f"the id {row['id']!r} stands in line {first} already")
            except ValueError as error:
                report.faults.append(Finding(number, str(error)))
                continue
            _judge(report, number, row)


def _judge(report: FileReport, number: int, row: dict[str, str]) -> None:
    found = plan_findings(row["query"], row["plan"])
    report.faults += [Finding(number, reason) for reason in found.faults]
    report.warnings += [Finding(number, reason) for reason in found.warnings]
    if not found.faults:
        report.sound += 1
        report.unserved += row["plan"].lstrip().startswith("1. join(")


def _row(line: str) -> dict[str, str]:
    """The texts of a row. Raises ValueError with what is wrong."""
    try:
        value: object = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    row = cast("dict[str, Any]", value)
    for key in ("id", "now", "query", "plan"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise ValueError(f'"{key}" is missing or is not text')
    try:
        datetime.fromisoformat(row["now"])
    except ValueError:
        raise ValueError('"now" is not a date and time') from None
    for reason in _date_faults(row):
        raise ValueError(reason)
    return row


def _date_faults(row: dict[str, Any]) -> Iterator[str]:
    """Each date phrase stands in the request and has its value beside it."""
    dates: object = row.get("dates", [])
    if not isinstance(dates, list):
        yield '"dates" is not a list'
        return
    for pair in cast("list[object]", dates):
        if not isinstance(pair, list) or not all(
            isinstance(part, str) for part in cast("list[object]", pair)
        ):
            yield '"dates" holds something that is no pair of a phrase and its value'
        elif len(cast("list[str]", pair)) != 2 or str(pair[0]) not in row["query"]:  # pyright: ignore[reportUnknownArgumentType]
            yield f"the date phrase {pair[0]!r} does not stand in the request"
