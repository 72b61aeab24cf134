"""Rows of the grammar, one after the other, each checked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tinyagent.training.authoring import Written
from tinyagent.training.checks import draft_faults
from tinyagent.training.grammar.clauses import Clause, drawn, made
from tinyagent.training.grammar.composition import filled, pattern
from tinyagent.training.grammar.draft import Draft, Unfit
from tinyagent.training.grammar.forms import contrasts
from tinyagent.training.grammar.lexicon import entries
from tinyagent.training.grammar.style import written
from tinyagent.training.rows import Row
from tinyagent.training.split import Part

_CLAUSES = ((1, 2, 3, 4, 5, 6), (42, 29, 16, 8, 3, 2))
"""How many clauses a request has, and how often."""
_CONTRAST_SHARE, _ASIDE_SHARE = 0.05, 0.06
_MOST_CALLS, _LONGEST = 9, 700


@dataclass(frozen=True)
class Sample:
    """A row with its phrasing: the request with kinds of slots in place of what fills them."""

    row: Row
    phrasing: str


def samples(part: Part, seed: int) -> Iterator[Sample]:
    """Different sound rows of a part, for ever; the same ones for the same seed."""
    chance = random.Random(f"{seed} {part}")
    seen: set[str] = set()
    while True:
        contrast = part == "train" and chance.random() < _CONTRAST_SHARE
        for sample in _contrast(chance) if contrast else [_composed(part, chance)]:
            key = sample.row.query.lower() if sample else ""
            if sample and key not in seen and not draft_faults(sample.row.query, sample.row.calls):
                seen.add(key)
                yield sample


def grammar_rows(part: Part, count: int, seed: int) -> list[Row]:
    """So many different rows of a part; the same ones for the same seed."""
    stream = samples(part, seed)
    return [next(stream).row for _ in range(count)]


def _composed(part: Part, chance: random.Random) -> Sample | None:
    """A request of one or several clauses; None when one of them cannot follow those before it."""
    clauses: list[Clause] = []
    draft = Draft()
    for _ in range(chance.choices(*_CLAUSES)[0]):
        try:
            clause, draft = drawn(draft, part, chance)
        except Unfit:
            return None
        if clause.frame in (known.frame for known in clauses) and chance.random() < 0.7:
            return None
        clauses.append(clause)
    if len(draft.calls) > _MOST_CALLS:
        return None
    if chance.random() < _ASIDE_SHARE:
        aside = chance.choice(entries("aside", part)).text.rstrip(".?")
        clauses.insert(chance.randrange(len(clauses) + 1), Clause(aside, "{aside}", "aside", True, "aside"))
    return _sample(clauses, draft, chance)


def _contrast(chance: random.Random) -> list[Sample | None]:
    """The requests of a contrast: other words, other calls, the same people, files and dates."""
    memo: dict[str, object] = {}
    found: list[Sample | None] = []
    for frame in chance.choice(contrasts()):
        try:
            clause, draft = made(frame, chance.choice(frame.forms), Draft(), "train", chance, memo)
        except Unfit:
            continue
        found.append(_sample([clause], draft, chance))
    return found


def _sample(clauses: list[Clause], draft: Draft, chance: random.Random) -> Sample | None:
    shape = pattern(clauses, chance)
    text = filled(shape, [clause.text for clause in clauses])
    if len(text) > _LONGEST:
        return None
    phrasing = filled(shape, [clause.phrasing for clause in clauses]).replace("^", "")
    row = written(text, draft.calls, chance)
    phrases = Written("", "", row.query, row.calls, 0).phrases
    return Sample(Row(row.query, row.calls, phrases), " ".join(phrasing.lower().split()))
