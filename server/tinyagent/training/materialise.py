"""The offline data set: the parted corpus and variants of its requests.

Parts are kept apart twice: by phrasing (a variant stays in the part of its request, and no training
row comes near to a request of another part), and by lexicon entry (dev and test variants are filled
with names, places and phrases that the training part does not have).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import cast

from tinyagent.training.corpus import Corpus, Entry
from tinyagent.training.near import NearIndex, normalised
from tinyagent.training.recombine import Pools
from tinyagent.training.rows import Row
from tinyagent.training.split import Part
from tinyagent.training.variants import Shares, Variant, Variants, dated, pools_without

GrammarRows = Callable[[Part, int, int], Sequence[Row]]
GRAMMAR_SHARE = 0.3
"""Of the rows that are no originals, where there is a grammar."""
_PATIENCE = 500
"""Failures in a row after which a part is as large as it can be."""
_TRAIN, _ASIDE = Shares(swapped=0.4), Shares(swapped=0.7)


@dataclass(frozen=True)
class Sizes:
    """Rows of each part."""

    train: int
    dev: int
    test: int

    def of(self, part: Part) -> int:
        return {"train": self.train, "dev": self.dev, "test": self.test}[part]


def grammar_rows() -> GrammarRows | None:
    """The grammar's function, where the project has one."""
    try:
        return cast("GrammarRows", import_module("tinyagent.training.grammar").grammar_rows)
    except (ModuleNotFoundError, AttributeError):
        return None


class Materialiser:
    """Makes the parts of a data set; the same corpus, sizes and seed make the same rows.

    `dev` and `test` must be made before `train`, which keeps its distance to them.
    """

    def __init__(self, corpus: Corpus, seed: int, grammar: GrammarRows | None = None) -> None:
        self._corpus, self._seed, self._grammar = corpus, seed, grammar
        self._aside = NearIndex()
        self._seen: set[str] = set()
        self._train_pools = Pools.of(corpus.rows("train"))
        for part in ("dev", "test"):
            for entry in corpus.parts[part]:
                self._aside.add(entry.request.query)

    def rows(self, part: Part, size: int) -> Iterator[Variant]:
        """Originals first, then those of the grammar, then variants; fewer when no more can be made."""
        made = 0
        for variant in self._candidates(part, size):
            if made == size:
                return
            if self._is_new(variant, part):
                made += 1
                yield variant

    def _is_new(self, variant: Variant, part: Part) -> bool:
        query = variant.request.query
        key = normalised(query)
        is_variant = "original" not in variant.tags
        if key in self._seen or (part == "train" and is_variant and self._aside.has_near(query)):
            return False
        self._seen.add(key)
        if part != "train" and is_variant:
            self._aside.add(query)
        return True

    def _candidates(self, part: Part, size: int) -> Iterator[Variant]:
        chance = random.Random(f"{self._seed} {part}")
        originals = list(self._corpus.parts[part])
        chance.shuffle(originals)
        for entry in originals[:size]:
            yield Variant(entry.request, entry.source, ("original",))
        left = size - len(originals)
        if left <= 0:
            return
        if self._grammar is not None:
            yield from self._from_grammar(self._grammar, part, round(left * GRAMMAR_SHARE))
        yield from self._varied(originals, part, chance)

    def _from_grammar(self, grammar: GrammarRows, part: Part, count: int) -> Iterator[Variant]:
        for row in grammar(part, count, self._seed):
            request = dated(row)
            if request is not None:
                request = replace(request, identifier=request.identifier.replace("variant", "grammar"))
                yield Variant(request, "grammar", ("grammar",))

    def _varied(self, entries: Sequence[Entry], part: Part, chance: random.Random) -> Iterator[Variant]:
        rows = [entry.row for entry in entries]
        pools = self._train_pools if part == "train" else pools_without(rows, self._train_pools)
        shares = _TRAIN if part == "train" else _ASIDE
        idle, known = 0, len(self._seen)
        for variant in Variants(entries, pools, shares, chance):
            if variant is not None:
                yield variant
            idle = 0 if len(self._seen) > known else idle + 1
            known = len(self._seen)
            if idle > _PATIENCE:
                return
