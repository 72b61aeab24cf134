"""From which probability each tool is offered: as few tools as a wanted recall allows.

The search starts from high thresholds and lowers, again and again, the one that finds most needed
tools for each further tool offered. Closure and filling up are applied as at run time. It needs no
more than scores, so it serves every classifier.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tinyagent.toolrag.selector import SelectionRules, choose

TARGET = 0.998
STEPS = (0.05, 0.035, 0.025, 0.018, 0.013, 0.009, 0.0065, 0.0045, 0.0032, 0.0023, 0.0016, 0.001)
"""Thresholds to choose from; a coarse scale, so that none sits close under a single request's score."""
MISSED_SHARE = 0.01
"""Share of a tool's requests whose score may lie under its first threshold."""
PRIOR = 20.0
"""The scores of all tools together count as so many requests of each single one."""
OFFERED_SHARE = 0.25
"""A threshold that more of the requests without need of the tool reach is too low to be of use."""
FOLDS = 5


@dataclass(frozen=True)
class Scored:
    """A request with each tool's probability, and the tools of its right plan."""

    scores: Mapping[str, float]
    needed: frozenset[str]


@dataclass(frozen=True)
class Figures:
    """Shares from 0 to 1. `tools` is the mean number offered for a request that needs any."""

    recall: float
    whole: float
    """Share of the requests that need tools for which all of them are found."""
    tools: float
    declined: float
    """Share of the requests that need no tool for which none is offered."""


def figures(requests: Sequence[Scored], rules: SelectionRules) -> Figures:
    """How well the rules select; at least one request must need a tool."""
    return _summary([(request, choose(request.scores, rules)) for request in requests])


def _summary(selected: Sequence[tuple[Scored, Sequence[str]]]) -> Figures:
    served = [(request.needed, set(tools)) for request, tools in selected if request.needed]
    outside = [tools for request, tools in selected if not request.needed]
    return Figures(
        sum(len(needed & tools) for needed, tools in served) / sum(len(needed) for needed, _ in served),
        sum(needed <= tools for needed, tools in served) / len(served),
        sum(len(tools) for _, tools in served) / len(served),
        sum(not tools for tools in outside) / len(outside) if outside else 1.0,
    )


def fit_thresholds(
    requests: Sequence[Scored], target: float = TARGET, rules: SelectionRules | None = None
) -> dict[str, float]:
    """A threshold for each scored tool, the highest ones with which `target` of the needed tools are found.

    Where no thresholds reach the target, those are given that find as much as the lowest would; none
    where no request needs a tool.
    """
    rules = rules or SelectionRules()
    if not any(request.needed for request in requests):
        return {}
    # No threshold acts on a request that is taken to be out of scope.
    open_ones = [request for request in requests if max(request.scores.values()) >= rules.scope]
    bounds = {name: _bounds(open_ones, name) for name in _names(requests)}
    lowest = {name: low for name, (low, _) in bounds.items()}
    reachable = figures(requests, replace(rules, thresholds=lowest)).recall
    search = _Search(requests, replace(rules, thresholds={name: high for name, (_, high) in bounds.items()}))
    while search.recall < min(target, reachable):
        moves = [
            (name, step)
            for name, low in lowest.items()
            for step in STEPS
            if low <= step < search.thresholds[name]
        ]
        if not moves:
            break
        search.take(*max(moves, key=lambda move: search.worth(*move)))
    return dict(search.thresholds)


def cross_fitted(
    requests: Sequence[Scored], target: float = TARGET, rules: SelectionRules | None = None
) -> Figures:
    """The figures when no request is judged by thresholds that it helped to choose (five folds)."""
    rules = rules or SelectionRules()
    selected: list[tuple[Scored, Sequence[str]]] = []
    for fold in range(FOLDS):
        others = [request for index, request in enumerate(requests) if index % FOLDS != fold]
        fitted = replace(rules, thresholds=fit_thresholds(others, target, rules))
        selected += [(request, choose(request.scores, fitted)) for request in requests[fold::FOLDS]]
    return _summary(selected)


def _names(requests: Iterable[Scored]) -> list[str]:
    return list(dict.fromkeys(name for request in requests for name in request.scores))


def _bounds(requests: Sequence[Scored], name: str) -> tuple[float, float]:
    """The lowest and the highest threshold that are sensible for a tool."""
    own = sorted(request.scores[name] for request in requests if name in request.needed)
    other = sorted(request.scores[name] for request in requests if name not in request.needed)
    pooled = sorted(request.scores[tool] for request in requests for tool in request.needed)
    allowed = MISSED_SHARE * (len(own) + PRIOR)
    low = next((step for step in reversed(STEPS) if _reaching(other, step) <= OFFERED_SHARE), STEPS[0])
    high = next(
        (step for step in STEPS if _under(own, step) + PRIOR * _share_under(pooled, step) <= allowed), low
    )
    return low, max(low, high)


def _under(ordered: Sequence[float], threshold: float) -> int:
    return bisect_left(ordered, threshold)


def _share_under(ordered: Sequence[float], threshold: float) -> float:
    return _under(ordered, threshold) / max(1, len(ordered))


def _reaching(ordered: Sequence[float], threshold: float) -> float:
    return 1 - _share_under(ordered, threshold) if ordered else 0.0


class _Search:
    """Thresholds on their way down, and what they select."""

    def __init__(self, requests: Sequence[Scored], rules: SelectionRules) -> None:
        self._requests = requests
        self._rules = rules
        self._selected = [frozenset(choose(request.scores, rules)) for request in requests]
        self._needed = sum(len(request.needed) for request in requests)
        self._found = sum(
            len(request.needed & tools) for request, tools in zip(requests, self._selected, strict=True)
        )

    @property
    def thresholds(self) -> Mapping[str, float]:
        return self._rules.thresholds

    @property
    def recall(self) -> float:
        return self._found / max(1, self._needed)

    def worth(self, name: str, threshold: float) -> tuple[float, int, float]:
        """Needed tools found for each further tool that is offered; in a tie the smaller change."""
        found, offered = self._change(self._lowered(name, threshold))
        return found / max(1, offered), -offered, threshold

    def take(self, name: str, threshold: float) -> None:
        """Lower a tool's threshold."""
        changed = self._lowered(name, threshold)
        self._found += self._change(changed)[0]
        for index, tools in changed.items():
            self._selected[index] = tools
        self._rules = self._with(name, threshold)

    def _with(self, name: str, threshold: float) -> SelectionRules:
        return replace(self._rules, thresholds={**self._rules.thresholds, name: threshold})

    def _lowered(self, name: str, threshold: float) -> dict[int, frozenset[str]]:
        """What is selected anew, by the number of the request."""
        rules, old = self._with(name, threshold), self.thresholds[name]
        return {
            index: frozenset(choose(request.scores, rules))
            for index, request in enumerate(self._requests)
            if threshold <= request.scores.get(name, 0.0) < old
        }

    def _change(self, changed: Mapping[int, frozenset[str]]) -> tuple[int, int]:
        """How many more needed tools, and how many more tools at all."""
        found = offered = 0
        for index, tools in changed.items():
            needed = self._requests[index].needed
            found += len(needed & tools) - len(needed & self._selected[index])
            offered += len(tools) - len(self._selected[index])
        return found, offered
