"""Files of requests checked row by row: JSON lines with plans, or written blocks (`.txt`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinyagent.training.authoring import read_written
from tinyagent.training.jsonl import numbered_lines, object_of
from tinyagent.training.plan_checks import plan_findings
from tinyagent.training.rows import Request, request_of


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
    if path.suffix == ".txt":
        _check_written(report)
    else:
        _check_rows(report)
    return report


def _check_written(report: FileReport) -> None:
    written, faults = read_written(report.path)
    report.sound = len(written)
    report.unserved = sum(not item.calls for item in written)
    report.faults = [Finding(fault.line, fault.reason) for fault in faults]


def _check_rows(report: FileReport) -> None:
    seen: dict[str, int] = {}
    for number, line in numbered_lines(report.path):
        try:
            request = request_of(object_of(line))
            first = seen.setdefault(request.identifier, number)
            if first != number:
                raise ValueError(f"the id {request.identifier!r} stands in line {first} already")
        except ValueError as error:
            report.faults.append(Finding(number, str(error)))
            continue
        _judge(report, number, request)


def _judge(report: FileReport, number: int, request: Request) -> None:
    found = plan_findings(request.query, request.plan)
    report.faults += [Finding(number, reason) for reason in found.faults]
    report.warnings += [Finding(number, reason) for reason in found.warnings]
    if not found.faults:
        report.sound += 1
        report.unserved += request.plan.lstrip().startswith("1. join(")
