"""Outcomes in groups: by number of calls, tool, register, length and tag, and out of scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tinyagent.errors import PlanError
from tinyagent.evaluation.intervals import Estimate, bootstrap
from tinyagent.evaluation.registers import length_of, register_of
from tinyagent.evaluation.runner import Outcome
from tinyagent.evaluation.scoring import read_generated


@dataclass(frozen=True)
class Rates:
    """How many cases a group has and how they fared."""

    cases: int
    success: Estimate
    exact: Estimate


@dataclass(frozen=True)
class Scope:
    """How requests that no tool can serve, and the others, were told apart.

    Rates are None where there was no such request.
    """

    outside: int
    declined: Estimate | None
    """Share of the requests without a right call for which nothing is called."""
    inside: int
    falsely_declined: Estimate | None
    """Share of the other requests for which nothing is called."""


def rates(outcomes: Sequence[Outcome]) -> Rates:
    """The rates of at least one outcome."""
    return Rates(
        len(outcomes),
        bootstrap([outcome.score.success for outcome in outcomes]),
        bootstrap([outcome.score.arguments_exact for outcome in outcomes]),
    )


def by_calls(outcomes: Sequence[Outcome]) -> dict[str, Rates]:
    """By the number of calls of the right plan, in ascending order."""
    groups = _grouped(outcomes, lambda outcome: [f"{len(outcome.case.plan.calls):3d}"])
    return {calls.strip(): groups[calls] for calls in sorted(groups)}


def by_tool(outcomes: Sequence[Outcome]) -> dict[str, Rates]:
    """By the tools of the right plan, most frequent first; a case counts for each of its tools."""
    return _grouped(outcomes, lambda outcome: sorted(outcome.case.tools))


def by_register(outcomes: Sequence[Outcome]) -> dict[str, Rates]:
    """By how the request was put down."""
    return _grouped(outcomes, lambda outcome: [register_of(outcome.case.query)])


def by_length(outcomes: Sequence[Outcome]) -> dict[str, Rates]:
    """By the request's length, short ones first."""
    groups = _grouped(outcomes, lambda outcome: [length_of(outcome.case.query)])
    return {length: groups[length] for length in ("short", "medium", "long") if length in groups}


def by_tag(outcomes: Sequence[Outcome]) -> dict[str, Rates]:
    """By the case file's own tags, most frequent first; empty where it has none."""
    return _grouped(outcomes, lambda outcome: outcome.case.tags)


def scope(outcomes: Sequence[Outcome]) -> Scope:
    """How well it is told that no tool can serve a request."""
    outside = [_declined(outcome) for outcome in outcomes if not outcome.case.plan.calls]
    inside = [_declined(outcome) for outcome in outcomes if outcome.case.plan.calls]
    return Scope(
        len(outside),
        bootstrap(outside) if outside else None,
        len(inside),
        bootstrap(inside) if inside else None,
    )


def _declined(outcome: Outcome) -> bool:
    """Whether the plan is a plan without calls; a text that is no plan declines nothing."""
    try:
        return not read_generated(outcome.plan).calls
    except PlanError:
        return False


def _grouped(outcomes: Sequence[Outcome], names_of: Callable[[Outcome], Iterable[str]]) -> dict[str, Rates]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for name in names_of(outcome):
            groups.setdefault(name, []).append(outcome)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {name: rates(group) for name, group in ordered}
