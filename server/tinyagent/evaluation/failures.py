"""The failures worth reading: what was asked, what came out, what is right, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinyagent.domain.plan import format_plan
from tinyagent.evaluation.runner import Outcome
from tinyagent.evaluation.scoring import Score

MOST_SHOWN = 30
"""Of each kind."""


@dataclass(frozen=True)
class Failure:
    """A case that failed: by its graph, or only by arguments in a plan of the right shape."""

    id: str
    query: str
    kind: Literal["graph", "arguments"]
    differs: list[str]
    plan: str
    right_plan: str


def worst_failures(outcomes: Sequence[Outcome]) -> list[Failure]:
    """Wrong graphs, then wrong arguments; short requests first, since those should be easy."""
    wrong = [outcome for outcome in outcomes if not outcome.score.arguments_exact]
    wrong.sort(key=lambda outcome: (len(outcome.case.query.split()), outcome.case.id))
    graphs = [_failure(outcome, "graph") for outcome in wrong if not outcome.score.success]
    arguments = [_failure(outcome, "arguments") for outcome in wrong if outcome.score.success]
    return graphs[:MOST_SHOWN] + arguments[:MOST_SHOWN]


def _failure(outcome: Outcome, kind: Literal["graph", "arguments"]) -> Failure:
    case = outcome.case
    differs = _differences(outcome.score, outcome.fault)
    return Failure(case.id, case.query, kind, differs, outcome.plan, format_plan(case.plan.calls))


def _differences(score: Score, fault: str) -> list[str]:
    if fault:
        return [fault]
    found = [f"missing {_times(tool, count)}" for tool, count in Counter(score.missing).items()]
    found += [f"too many: {_times(tool, count)}" for tool, count in Counter(score.extra).items()]
    found += [f"differs: {name}" for name in dict.fromkeys(score.disagreements)]
    return found or ["the same calls with other results used"]


def _times(tool: str, count: int) -> str:
    return tool if count == 1 else f"{tool} ×{count}"
