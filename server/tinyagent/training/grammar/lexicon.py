"""Words for the slots of the grammar, parted so that training, dev and test rows share no entry.

A file of `lexicon/` has sections `## kind`; entries stand one a line or are parted by semicolons, their
columns by `|`. An empty column is the first one, written as a sentence. `## kind *` marks a closed set of
words, which all parts share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinyagent.training.split import Part

_FOLDER = Path(__file__).parent / "lexicon"
_DEV_SHARE, _TEST_SHARE = 0.08, 0.12
_FEWEST = 2
"""So many entries at least have dev and test of each kind."""


@dataclass(frozen=True)
class Entry:
    """What can stand in a slot: how it is written, and further columns that depend on its kind."""

    text: str
    columns: tuple[str, ...] = ()

    def column(self, index: int) -> str:
        """A further column; the text itself where it has none."""
        return self.columns[index] if index < len(self.columns) and self.columns[index] else self.text


def grammar_part(text: str) -> Part:
    """The part to which a phrase belongs, by its hash alone."""
    share = _share(text)
    if share < _DEV_SHARE:
        return "dev"
    return "test" if share < _DEV_SHARE + _TEST_SHARE else "train"


def _share(text: str) -> float:
    digest = hashlib.sha256(f"tinyagent grammar {' '.join(text.lower().split())}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


@cache
def entries(kind: str, part: Part) -> tuple[Entry, ...]:
    """The entries of a kind for a part. Raises KeyError for an unknown kind."""
    found, shared = _lexicon()[kind]
    if shared:
        return found
    by_share = sorted(found, key=lambda entry: _share(entry.text))
    first = max(_FEWEST, sum(grammar_part(entry.text) == "dev" for entry in found))
    second = first + max(_FEWEST, sum(grammar_part(entry.text) == "test" for entry in found))
    bounds = {"dev": (0, first), "test": (first, second), "train": (second, len(found))}[part]
    return tuple(by_share[bounds[0] : bounds[1]])


@cache
def _lexicon() -> dict[str, tuple[tuple[Entry, ...], bool]]:
    kinds: dict[str, list[Entry]] = {}
    shared: set[str] = set()
    for path in sorted(_FOLDER.glob("*.txt")):
        kind = ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("## "):
                kind = line.removeprefix("## ").removesuffix("*").strip()
                if line.endswith("*"):
                    shared.add(kind)
            elif line.strip() and not line.startswith("#"):
                known = kinds.setdefault(kind, [])
                known += [entry for entry in _entries(line) if entry not in known]
    return {kind: (tuple(found), kind in shared) for kind, found in kinds.items()}


def _entries(line: str) -> Iterator[Entry]:
    for text in line.split(";"):
        first, *columns = (column.strip() for column in text.split("|"))
        if first:
            yield Entry(first, tuple(columns))
