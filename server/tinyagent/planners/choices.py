"""What the decoder may write next, and how likely each of it is."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyagent.planners.evidence import Evidence
from tinyagent.planners.legal import Legal, PlanState
from tinyagent.planners.network import Floats
from tinyagent.planners.symbols import JOIN
from tinyagent.planners.words import Word

_FLOOR = 1e-3
_COPY = 2
_TRIED = 8
"""Words tried when the likeliest ones may not be repeated."""


@dataclass(frozen=True)
class Choice:
    """A symbol, or the request's word `source` (-1: none), as `name`, with its log-probability."""

    score: float
    symbol: int
    source: int
    name: str


class Choices:
    """Ranks what may follow, for one request. `words` are those that the encoder saw.

    `counts_weight` says how much the classifier's view of the tools (`counts`) counts beside the
    decoder's own.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        labels: Sequence[str],
        counts: Floats,
        words: Sequence[Word],
        tools: Collection[str],
        evidence: Evidence,
        counts_weight: float,
    ) -> None:
        self._numbers = {symbol: index for index, symbol in enumerate(symbols)}
        self._counts = _Counts(labels, counts, tools, counts_weight)
        self._evidence = evidence
        # A word's copies and its symbol are one group: their probabilities add up.
        groups: dict[str, int] = {}
        self._of_place = _array(groups.setdefault(word.text.lower(), len(groups)) for word in words)
        vocabulary = [(name[2:], number) for number, name in enumerate(symbols) if name.startswith("W:")]
        self._of_symbol = _array(groups.setdefault(word, len(groups)) for word, _ in vocabulary)
        self._symbols = _array(number for _, number in vocabulary)
        self._names = list(groups)
        self._literals = [groups[word] for word in self._evidence.literals]

    def best(self, written: Floats, pointed: Floats, state: PlanState, width: int) -> list[Choice]:
        """The likeliest choices, best first; empty only when nothing may follow.

        What the request speaks against is left out, unless nothing else may follow.
        """
        legal = state.legal()
        found = self._legal_symbols(written, legal, state)
        if legal.copies or legal.words:
            found += self._legal_words(written, pointed, legal, state)
        borne_out = [one for one in found if self._evidence.allows(one.name, state)]
        return sorted(borne_out or found, key=lambda choice: -choice.score)[:width]

    def _legal_symbols(self, written: Floats, legal: Legal, state: PlanState) -> list[Choice]:
        bonus = self._counts.bonuses(state.called) if state.may_close else {}
        return [
            Choice(float(written[number]) + bonus.get(name, 0.0), number, -1, name)
            for name in legal.symbols
            if (number := self._numbers.get(name)) is not None
        ]

    def _legal_words(self, written: Floats, pointed: Floats, legal: Legal, state: PlanState) -> list[Choice]:
        copied = np.zeros(len(self._names))
        fresh = np.zeros(len(self._names))
        if legal.copies:
            copied += np.bincount(self._of_place, np.exp(pointed), len(self._names))
        if legal.words:
            fresh += np.bincount(self._of_symbol, np.exp(written[self._symbols]), len(self._names))
        total = copied + fresh
        found: list[Choice] = []
        for group in self._likeliest(total, state):
            word = self._names[group]
            places = np.flatnonzero(self._of_place == group)
            symbol, source = _COPY, -1
            if copied[group] >= fresh[group]:
                source = int(places[pointed[places].argmax()])
            else:
                symbol = self._numbers[f"W:{word}"]
            found.append(Choice(math.log(total[group]), symbol, source, f"W:{word}"))
        return found

    def _likeliest(self, total: NDArray[np.float64], state: PlanState) -> list[int]:
        """The likeliest groups of words that may be written, best first, and literals always."""
        ranked: list[int] = np.argsort(-total)[:_TRIED].tolist()
        ranked += [at for at in self._literals if at not in ranked]
        return [at for at in ranked if total[at] > 0 and not state.worn(self._names[at])]


def _array(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(numbers, dtype=np.int64)


class _Counts:
    """What the classifier thinks of how often each offered tool is called."""

    def __init__(self, labels: Sequence[str], counts: Floats, tools: Collection[str], weight: float) -> None:
        tails = counts[:, ::-1].cumsum(1)[:, ::-1]
        again = np.clip(tails[:, 1:] / np.maximum(tails[:, :-1], 1e-9), _FLOOR, 1 - _FLOOR)
        # The last class is "so often or more": whether once more is open.
        again = np.concatenate([again, np.full((len(labels), 1), 0.5)], 1)
        self._again: dict[str, list[float]] = {}
        self._enough: dict[str, list[float]] = {}
        for index, label in enumerate(labels):
            if label in tools:
                self._again[label] = (weight * np.log(again[index])).tolist()
                self._enough[label] = (weight * np.log(1 - again[index])).tolist()

    def bonuses(self, called: Mapping[str, int]) -> dict[str, float]:
        """What to add to the log-probabilities of each tool's symbol and of the plan's end."""
        times = {tool: min(called.get(tool, 0), len(row) - 1) for tool, row in self._again.items()}
        found = {f"T:{tool}": self._again[tool][count] for tool, count in times.items()}
        return found | {JOIN: sum(self._enough[tool][count] for tool, count in times.items())}
