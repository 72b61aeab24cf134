"""Who is evaluated on what, and the evaluation of it, taken up again where it was stopped."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import InvalidRequest, PlannerFailed
from tinyagent.evaluation.cases import Case, read_cases
from tinyagent.evaluation.cosine import EveryTool
from tinyagent.evaluation.jsonl import FaultyLine
from tinyagent.evaluation.ledger import Ledger, Row
from tinyagent.evaluation.runner import Outcome, evaluate, plan_request
from tinyagent.evaluation.scoring import score_plan
from tinyagent.ports import Planner, ToolSelector, Usage

MOST_FAILURES_IN_A_ROW = 10
"""A server that fails so often in a row is given up, instead of waiting for every further case."""

_WARM_UP = "Remind me to water the plants"


class Bar(Protocol):
    """A progress bar."""

    def advance(self) -> None:
        """One more is done."""
        ...


Progress = Callable[[str, int], AbstractContextManager[Bar]]
"""Shows what is done, and how many steps it takes."""


@dataclass(frozen=True)
class CaseFile:
    """The cases of a file; `sha256` is that of the whole file, whatever part of it is used."""

    name: str
    path: Path
    sha256: str
    cases: list[Case]
    faults: list[FaultyLine]


def read_case_file(path: Path, name: str, limit: int | None) -> CaseFile:
    """The first `limit` cases of a file, or all. Raises InvalidRequest."""
    cases, faults = read_cases(path)
    return CaseFile(name, path, file_digest(path), cases[:limit], faults)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises InvalidRequest."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class Subject:
    """A planner with the tools that it gets.

    `retrieval` says where these come from and `selector` finds them (None: the right plan's own).
    `change` names what is built differently than in the product. `digest` stands for weights and code.
    """

    planner: str
    retrieval: str
    digest: str
    open: Callable[[], AbstractAsyncContextManager[Planner]]
    selector: ToolSelector | None
    change: str = ""
    remote: bool = False

    @property
    def title(self) -> str:
        return ", ".join(filter(None, (self.planner, self.change, self.retrieval)))


async def outcomes_of(
    subject: Subject, file: CaseFile, tools: Sequence[ToolSpec], folder: Path, progress: Progress
) -> list[Outcome]:
    """The outcomes of all cases in their order; those in `folder`'s ledger are not planned again.

    What a remote planner failed on is tried again. Raises ModelUnavailable, PlannerFailed when a
    remote planner fails many times in a row, and InvalidRequest when the ledger cannot be used.
    """
    identity = {"cases": file.sha256, "subject": subject.title, "digest": subject.digest}
    ledger = Ledger(folder, subject.title, identity)
    rows = {key: row for key, row in ledger.rows().items() if _usable(row, retry=subject.remote)}
    known = {case.id: _restored(case, rows[case.id]) for case in file.cases if case.id in rows}
    missing = [case for case in file.cases if case.id not in known]
    if missing:
        with ledger.appending(rows) as append, progress(f"{file.name}: {subject.title}", len(missing)) as bar:
            async with subject.open() as planner:
                if not subject.remote:
                    await _warm_up(subject, planner, tools, missing[0].now)
                failed = 0
                async with aclosing(evaluate(missing, planner, tools, subject.selector)) as outcomes:
                    async for outcome in outcomes:
                        append(_row(outcome))
                        known[outcome.case.id] = outcome
                        bar.advance()
                        failed = 0 if outcome.plan else failed + 1
                        if subject.remote and failed == MOST_FAILURES_IN_A_ROW:
                            raise _given_up(subject, outcome)
    return [known[case.id] for case in file.cases]


async def _warm_up(subject: Subject, planner: Planner, tools: Sequence[ToolSpec], now: datetime) -> None:
    """Load what is loaded by the first plan, so that the first case's latency is none of it."""
    selector = subject.selector or EveryTool()
    with contextlib.suppress(Exception):  # it fails again with the first case, where it is told
        await plan_request(_WARM_UP, now, selector, planner, tools)


def _given_up(subject: Subject, outcome: Outcome) -> PlannerFailed:
    return PlannerFailed(
        f"Planner {subject.planner} failed on {MOST_FAILURES_IN_A_ROW} requests in a row: {outcome.fault}",
        hint="Mend it and give the same command again: what was finished is kept.",
    )


def _row(outcome: Outcome) -> Row:
    return {
        "id": outcome.case.id,
        "plan": outcome.plan,
        "tools": list(outcome.tools),
        "usage": asdict(outcome.usage),
        "milliseconds": outcome.milliseconds,
        "fault": outcome.fault,
    }


def _usable(row: Row, retry: bool) -> bool:
    """Whether a row is of the form that `_row` writes."""
    tools, usage = row.get("tools"), row.get("usage")
    return (
        isinstance(row.get("plan"), str)
        and isinstance(row.get("fault"), str)
        and isinstance(row.get("milliseconds"), (int, float))
        and isinstance(tools, list)
        and all(isinstance(tool, str) for tool in cast("list[object]", tools))
        and isinstance(usage, dict)
        and set(cast("dict[str, object]", usage)) == set(asdict(Usage()))
        and all(isinstance(count, (int, float)) for count in cast("dict[str, object]", usage).values())
        and not (retry and not row["plan"])
    )


def _restored(case: Case, row: Row) -> Outcome:
    """An outcome scored anew, so that it is judged like those of today."""
    score = score_plan(case.plan, row["plan"])
    fault = score.fault if row["plan"] else row["fault"]
    return Outcome(
        case, row["plan"], tuple(row["tools"]), Usage(**row["usage"]), row["milliseconds"], score, fault
    )
