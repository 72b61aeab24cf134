"""Which rows the network sees, in which mixture and in which batches."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tinyagent.toolrag.labels import CLASSES
from tinyagent.training.disguise import disguise
from tinyagent.training.examples import Encoder, Example
from tinyagent.training.grammar import grammar_rows
from tinyagent.training.recombine import Pools, join, swap
from tinyagent.training.rows import Row

_LOOKUPS = frozenset({"get_phone_number", "get_email_address"})
_CHUNK = 1024


@dataclass(frozen=True)
class Labelled:
    """A request of which only the tools that could serve it are known (none: out of scope)."""

    text: str
    accept: tuple[str, ...]


@dataclass(frozen=True)
class Mixture:
    """Shares of the rows of a chunk, as fractions of the rows that people wrote in it.

    `joined_again` is the share of the joined rows that a third one is joined to; rows of the grammar,
    requests that nothing serves and those of which only the tools are known come on top.
    """

    swapped: float = 0.4
    joined: float = 0.18
    joined_again: float = 0.25
    grammar: float = 0.12
    out_of_scope: float = 0.16
    labelled: float = 0.06


class Sampler:
    """An endless stream of batches of examples, about `budget` wordpieces and symbols each."""

    def __init__(
        self,
        rows: Sequence[Row],
        labelled: Sequence[Labelled],
        encoder: Encoder,
        *,
        mixture: Mixture | None = None,
        budget: int = 1400,
        seed: int = 0,
    ) -> None:
        self._rows = list(rows)
        self._none = [item.text for item in labelled if not item.accept]
        self._some = [item for item in labelled if item.accept]
        self._encoder = encoder
        self._mixture = mixture or Mixture()
        self._budget = budget
        self._chance = random.Random(seed)
        self._pools = Pools.of(rows)

    def batches(self) -> Iterator[list[Example]]:
        """Batches for ever; examples of like length stand together."""
        while True:
            order = list(self._rows)
            self._chance.shuffle(order)
            for start in range(0, len(order), _CHUNK):
                yield from self._batched(self._chunk(order[start : start + _CHUNK]))

    def _chunk(self, rows: Sequence[Row]) -> list[Example]:
        examples = [self._encoder.example(self._varied(row)) for row in rows]
        count = len(rows)
        made = grammar_rows("train", round(count * self._mixture.grammar), self._chance.randrange(2**31))
        examples += [self._encoder.example(disguise(row, self._chance)) for row in made]
        if self._none:
            texts = self._chance.choices(self._none, k=round(count * self._mixture.out_of_scope))
            examples += [self._encoder.example(Row(text, ())) for text in texts]
        if self._some:
            items = self._chance.choices(self._some, k=round(count * self._mixture.labelled))
            examples += [self._bare(item) for item in items]
        return [example for example in examples if example is not None]

    def _varied(self, row: Row) -> Row:
        varied = self._swapped(row)
        if self._chance.random() < self._mixture.joined:
            varied = self._joined(varied)
            if self._chance.random() < self._mixture.joined_again:
                varied = self._joined(varied)
        return disguise(varied, self._chance)

    def _swapped(self, row: Row) -> Row:
        return swap(row, self._pools, self._chance, self._mixture.swapped)

    def _joined(self, row: Row) -> Row:
        return join(row, self._swapped(self._chance.choice(self._rows)), self._chance) or row

    def _bare(self, item: Labelled) -> Example | None:
        counts = [-1 if tool in _LOOKUPS or tool in item.accept else 0 for tool in CLASSES]
        return self._encoder.bare(item.text, counts, [CLASSES.index(tool) for tool in item.accept])

    def _batched(self, examples: list[Example]) -> list[list[Example]]:
        batches: list[list[Example]] = []
        batch: list[Example] = []
        for example in sorted(examples, key=lambda item: (not item.targets, item.length)):
            mixed = bool(batch) and bool(batch[0].targets) != bool(example.targets)
            if batch and (mixed or (len(batch) + 1) * example.length > self._budget or len(batch) == 48):
                batches.append(batch)
                batch = []
            batch.append(example)
        batches += [batch] if batch else []
        self._chance.shuffle(batches)
        return batches


@dataclass(frozen=True)
class Batch:
    """Examples as padded tensors."""

    pieces: Tensor
    mask: Tensor
    first: Tensor
    last: Tensor
    words: Tensor
    fed_symbols: Tensor
    fed_words: Tensor
    targets: Tensor
    copies: Tensor
    steps: Tensor
    counts: Tensor
    one_of: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Batch:
        longest = max(len(item.targets) for item in examples)
        words = max(len(item.first) for item in examples)
        copies = torch.zeros(len(examples), longest, words, dtype=torch.bool)
        one_of = torch.zeros(len(examples), len(CLASSES), dtype=torch.bool)
        for row, item in enumerate(examples):
            one_of[row, list(item.one_of)] = True
            for step, places in enumerate(item.copies):
                copies[row, step, list(places)] = True
        return cls(
            _padded([item.pieces for item in examples]),
            _padded([(1,) * len(item.pieces) for item in examples]),
            _padded([item.first for item in examples]),
            _padded([item.last for item in examples]),
            _padded([(1,) * len(item.first) for item in examples]).bool(),
            _padded([item.fed_symbols for item in examples]),
            _padded([item.fed_words for item in examples], -1),
            _padded([item.targets for item in examples], -1),
            copies,
            _padded([(1,) * len(item.targets) for item in examples]).bool(),
            torch.tensor([item.counts for item in examples]),
            one_of,
        )


def _padded(rows: Sequence[Sequence[int]], fill: int = 0) -> Tensor:
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], dtype=torch.long)
