"""The pointer decoder's search: a few plans side by side, word for word, until the best one ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from tinyagent.planners.choices import Choice, Choices
from tinyagent.planners.drafts import DraftReader
from tinyagent.planners.evidence import Evidence
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.legal import PlanState
from tinyagent.planners.network import EncodedT, PointerNetwork, Writer
from tinyagent.planners.symbols import JOIN
from tinyagent.planners.words import Word, split_words, word_pieces

MAX_STEPS = 220
_BEGIN = Choice(0.0, 1, -1, "")


@dataclass(frozen=True)
class Search:
    """How a plan is looked for.

    `width` plans are followed side by side; those that are less likely than the best one by more
    than `margin` (in log-probability) are given up. `counts_weight` says how much the classifier's
    view of the tools counts beside the decoder's own, `evidence` what a request speaks against.
    """

    width: int = 3
    margin: float = 3.0
    counts_weight: float = 1.0
    evidence: Callable[[Sequence[Word]], Evidence] = Evidence


@dataclass(frozen=True)
class _Taken:
    """A symbol of a plan; `complete` says whether the call before it was one that may end."""

    choice: Choice
    complete: bool


@dataclass(frozen=True)
class _Plan:
    """A plan on its way: its symbols, what may follow, and its log-probability."""

    score: float
    symbols: tuple[_Taken, ...]
    state: PlanState

    @property
    def last(self) -> Choice:
        return self.symbols[-1].choice if self.symbols else _BEGIN

    @property
    def ended(self) -> bool:
        return self.last.name == JOIN

    def grow(self, choice: Choice) -> _Plan:
        state = self.state.copy()
        complete = state.may_close
        state.take(choice.name)
        return _Plan(self.score + choice.score, (*self.symbols, _Taken(choice, complete)), state)


class Writing(Generic[EncodedT]):
    """One request's plan being written; `calls` goes on until it ends. `steps` counts its symbols."""

    def __init__(
        self,
        network: PointerNetwork[EncodedT],
        text: str,
        encoded: EncodedT,
        tools: Collection[str],
        search: Search | None = None,
        *,
        absent: Mapping[str, Collection[str]] | None = None,
        must_call: bool = False,
    ) -> None:
        """`tools` may be called; `absent` and `must_call` are as in PlanState."""
        self.steps = 0
        self._search = search or Search()
        words = split_words(text)
        places = word_pieces(encoded.offsets, words)
        self._limit = min(MAX_STEPS, network.max_steps)
        seen = words[: len(places)]
        self._choices = Choices(
            network.symbols, network.labels, encoded.counts, seen, tools,
            self._search.evidence(seen), self._search.counts_weight,
        )  # fmt: skip
        self._reader = DraftReader(words, text)
        self._read = 0
        self._plans = [_Plan(0.0, (), PlanState(tools, absent=absent, must_call=must_call))]
        self._writer: Writer | None = network.write(encoded, *zip(*places, strict=True)) if places else None

    def calls(self) -> Iterator[DraftCall]:
        """The calls in their order, each as soon as all plans that are still followed agree on it."""
        ended: _Plan | None = None
        parents = [0]
        while self._writer is not None and self.steps < self._limit:
            parents, ended = self._advance(self._writer, parents, ended)
            if ended is not None and (not self._plans or ended.score >= self._plans[0].score):
                break
            yield from self._agreed([*self._plans, *([ended] if ended else [])])
        best = ended or self._plans[0]
        yield from self._take(best.symbols[self._read :])
        if not best.ended and best.state.may_close:
            # The limit cuts the plan here; the call that it cuts is whole.
            yield from self._take((_Taken(Choice(0.0, 0, -1, JOIN), complete=True),))

    def _advance(
        self, writer: Writer, parents: list[int], ended: _Plan | None
    ) -> tuple[list[int], _Plan | None]:
        """One symbol more for every plan; which plan each new one grew from, and the best that ended."""
        latest = [plan.last for plan in self._plans]
        written, pointed = writer.step(
            [choice.symbol for choice in latest], [choice.source for choice in latest], parents
        )
        self.steps += 1
        grown = [
            (plan.score + choice.score, row, choice)
            for row, plan in enumerate(self._plans)
            for choice in self._choices.best(written[row], pointed[row], plan.state, self._search.width)
        ]
        grown.sort(key=lambda item: -item[0])
        least = grown[0][0] - self._search.margin
        kept = [item for item in grown[: self._search.width] if item[0] >= least]
        plans = [(row, self._plans[row].grow(choice)) for _, row, choice in kept]
        for _, plan in plans:
            if plan.ended and (ended is None or plan.score > ended.score):
                ended = plan
        going = [(row, plan) for row, plan in plans if not plan.ended]
        self._plans = [plan for _, plan in going]
        return [row for row, _ in going], ended

    def _agreed(self, plans: list[_Plan]) -> Iterator[DraftCall]:
        """Calls that stand in all plans alike and are not given out yet."""
        shortest = min(len(plan.symbols) for plan in plans)
        while self._read < shortest:
            following = {plan.symbols[self._read].choice.name for plan in plans}
            sources = {plan.symbols[self._read].choice.source for plan in plans}
            if len(following) > 1 or len(sources) > 1:
                return
            yield from self._take(plans[0].symbols[self._read : self._read + 1])

    def _take(self, symbols: tuple[_Taken, ...]) -> Iterator[DraftCall]:
        for taken in symbols:
            self._read += 1
            draft = self._reader.take(taken.choice.name, taken.choice.source, taken.complete)
            if draft is not None:
                yield draft
