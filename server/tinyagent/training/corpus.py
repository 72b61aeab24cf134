"""All requests with plans that the project has, parted by phrasing: what trains, what develops, what tests.

The natural requests carry their dates; the written ones are read in their own form. A training
request that shares its phrasing with one that is kept aside is left out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyagent.training.authoring import read_folder
from tinyagent.training.rows import Request, Row, read_requests, row_of
from tinyagent.training.split import Part, part_of

MAX_OVERLAP = 0.5
"""Share of four-word stretches that a training request may have in common with one kept aside."""
_STRETCH = 4


@dataclass(frozen=True)
class Entry:
    """A request in both of its forms: for the evaluation and for the networks."""

    request: Request
    row: Row
    source: str


@dataclass(frozen=True)
class Corpus:
    """The parts; `left_out` counts training requests that were too near to one kept aside."""

    parts: dict[Part, tuple[Entry, ...]]
    left_out: int

    def rows(self, part: Part) -> list[Row]:
        return [entry.row for entry in self.parts[part]]

    def requests(self, part: Part) -> list[Request]:
        return [entry.request for entry in self.parts[part]]


def read_corpus(data: Path) -> Corpus:
    """The requests of `data/natural/*.jsonl` and `data/written/*.txt`.

    Raises ValueError naming file and line of a bad natural request; faulty written blocks are left
    out (`tinyagent data check` names them).
    """
    parts: dict[Part, list[Entry]] = {"train": [], "dev": [], "test": []}
    for request in read_requests(sorted((data / "natural").glob("*.jsonl"))):
        parts[part_of(request.identifier)].append(Entry(request, row_of(request), "natural"))
    for written in read_folder(data / "written")[0]:
        entry = Entry(written.request(), written.row(), "written")
        parts[part_of(written.group)].append(entry)
    aside = [entry.request.query for entry in (*parts["dev"], *parts["test"])]
    train = without_near(parts["train"], aside)
    left_out = len(parts["train"]) - len(train)
    return Corpus({"train": train, "dev": tuple(parts["dev"]), "test": tuple(parts["test"])}, left_out)


def without_near(entries: Sequence[Entry], aside: Sequence[str]) -> tuple[Entry, ...]:
    """The entries that share at most `MAX_OVERLAP` of their stretches with any request kept aside."""
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    kept = [_stretches(query) for query in aside]
    for index, stretches in enumerate(kept):
        for stretch in stretches:
            holders[stretch].append(index)
    return tuple(entry for entry in entries if not _is_near(_stretches(entry.request.query), holders, kept))


def _stretches(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + _STRETCH]) for at in range(max(1, len(words) - _STRETCH + 1)))


def _is_near(
    own: frozenset[tuple[str, ...]],
    holders: dict[tuple[str, ...], list[int]],
    kept: Sequence[frozenset[tuple[str, ...]]],
) -> bool:
    shared = Counter(index for stretch in own for index in holders.get(stretch, ()))
    return any(count > MAX_OVERLAP * min(len(own), len(kept[index])) for index, count in shared.items())
