"""The two scores of a generated plan: DAG success and arguments-exact.

Success is that of the TinyAgent paper (arXiv:2409.00608): both graphs are isomorphic with tools
as labels. Arguments-exact asks for an isomorphism under which every argument agrees as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from tinyagent.domain.graph import PlanGraph, isomorphic, isomorphisms
from tinyagent.domain.plan import Plan
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import PlanError, PlanSyntaxError
from tinyagent.evaluation.agreement import disagreements

MAX_COMPARISONS = 50_000
"""Calls compared in search of an isomorphism with agreeing arguments; beyond, there is none."""

MAX_EXPLAINED = 50
"""Isomorphisms tried for the fewest disagreements to report."""


@dataclass(frozen=True)
class Score:
    """How a generated plan compares with the reference.

    `missing` and `extra` are tools, once for each call too few or too many; `disagreements` are
    parameters (`tool.parameter`) that differ although the graphs agree. `fault` says why a
    plan could not be read.
    """

    success: bool
    arguments_exact: bool
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()
    fault: str = ""


def score_plan(reference: Plan, text: str) -> Score:
    """Compare a plan's text with the reference; a text that is no plan scores nothing."""
    expected = PlanGraph.of(reference.calls)
    try:
        generated = PlanGraph.of(read_generated(text).calls)
    except PlanError as error:
        return Score(False, False, missing=tuple(call.tool for call in reference.calls), fault=error.message)
    if not (_shape(expected) == _shape(generated) and isomorphic(expected, generated)):
        needed = Counter(call.tool for call in expected.calls.values())
        called = Counter(call.tool for call in generated.calls.values())
        return Score(False, False, tuple((needed - called).elements()), tuple((called - needed).elements()))
    if _Search(expected, generated).succeeds():
        return Score(True, True)
    return Score(True, False, disagreements=_fewest_disagreements(expected, generated))


def read_generated(text: str) -> Plan:
    """Read a planner's text. Raises PlanError; nothing at all and repeated numbers are faults too."""
    if not text.strip():
        raise PlanSyntaxError("There is no plan.")
    plan = parse_plan(text)
    numbers = Counter(call.index for call in plan.calls)
    repeated = [number for number, times in numbers.items() if times > 1]
    if repeated:
        raise PlanSyntaxError(f"Two calls have the number {repeated[0]}.")
    return plan


def _shape(graph: PlanGraph) -> Counter[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Each call's tool with the tools before and after it: cheap, and equal in isomorphic graphs."""
    users: dict[int, list[str]] = {index: [] for index in graph.calls}
    for index, needs in graph.needs.items():
        for need in needs:
            users[need].append(graph.calls[index].tool)
    return Counter(
        (
            call.tool,
            tuple(sorted(graph.calls[need].tool for need in graph.needs[index])),
            tuple(sorted(users[index])),
        )
        for index, call in graph.calls.items()
    )


class _Search:
    """Looks for an isomorphism under which all arguments agree.

    A call's references point to earlier calls, so matching the reference's calls in their order
    knows the translation of every reference that it meets.
    """

    def __init__(self, expected: PlanGraph, generated: PlanGraph) -> None:
        self._expected = expected
        self._generated = generated
        self._order = sorted(expected.calls)
        self._comparisons = 0

    def succeeds(self) -> bool:
        return self._extend(0, {})

    def _extend(self, position: int, translation: Mapping[int, int]) -> bool:
        if position == len(self._order):
            return True
        index = self._order[position]
        return any(
            self._fits(index, candidate, translation)
            and self._extend(position + 1, {**translation, candidate: index})
            for candidate in self._generated.calls
            if candidate not in translation
        )

    def _fits(self, index: int, candidate: int, translation: Mapping[int, int]) -> bool:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            return False
        expected, generated = self._expected.calls[index], self._generated.calls[candidate]
        needs = frozenset(translation.get(need, 0) for need in self._generated.needs[candidate])
        return (
            expected.tool == generated.tool
            and needs == self._expected.needs[index]
            and not disagreements(expected, generated, translation)
        )


def _fewest_disagreements(expected: PlanGraph, generated: PlanGraph) -> tuple[str, ...]:
    def under(translation: dict[int, int]) -> tuple[str, ...]:
        return tuple(
            parameter
            for candidate, index in translation.items()
            for parameter in disagreements(expected.calls[index], generated.calls[candidate], translation)
        )

    return min((under(each) for each in islice(isomorphisms(generated, expected), MAX_EXPLAINED)), key=len)
