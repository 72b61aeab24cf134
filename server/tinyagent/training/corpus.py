"""All requests with plans that the project has, parted by phrasing: what trains, what develops, what tests.

The natural requests carry their dates; the written ones are read in their own form. A training
request that shares its phrasing with one that is kept aside is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyagent.errors import InvalidRequest
from tinyagent.training.authoring import read_folder
from tinyagent.training.jsonl import tell_faults
from tinyagent.training.near import NearIndex
from tinyagent.training.rows import Request, Row, read_requests
from tinyagent.training.split import Part, part_of

_FORM = (
    "Give a folder with natural/*.jsonl or written/*.txt as --data; `tinyagent data check` looks into files."
)


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


def read_corpus(
    data: Path, tell: Callable[[str], None] = lambda _: None, *, needed: Part | None = None
) -> Corpus:
    """The requests of `data/natural/*.jsonl` and `data/written/*.txt`.

    `tell` is given lines on what cannot be used and is left out. Raises InvalidRequest for files that
    cannot be read, and where no request is left, or none of the part that is needed.
    """
    natural, faults = read_requests(sorted((data / "natural").glob("*.jsonl")))
    written, wrong = read_folder(data / "written")
    faults += wrong
    tell_faults(faults, tell)
    parts: dict[Part, list[Entry]] = {"train": [], "dev": [], "test": []}
    for request, row in natural:
        parts[part_of(request.identifier)].append(Entry(request, row, "natural"))
    for item in written:
        parts[part_of(item.group)].append(Entry(item.request(), item.row(), "written"))
    aside = [entry.request.query for entry in (*parts["dev"], *parts["test"])]
    train = without_near(parts["train"], aside)
    left_out = len(parts["train"]) - len(train)
    if not any(parts.values()):
        first = f" {faults[0]}." if faults else ""
        raise InvalidRequest(f"{data} holds no requests that can be used.{first}", hint=_FORM)
    corpus = Corpus({"train": train, "dev": tuple(parts["dev"]), "test": tuple(parts["test"])}, left_out)
    if needed and not corpus.parts[needed]:
        wanted = {"train": "to train on", "dev": "to develop with", "test": "to test with"}[needed]
        raise InvalidRequest(f"{data} holds no request {wanted}.", hint=_FORM)
    return corpus


def without_near(entries: Sequence[Entry], aside: Sequence[str]) -> tuple[Entry, ...]:
    """The entries that come near to no request kept aside."""
    index = NearIndex(aside)
    return tuple(entry for entry in entries if not index.has_near(entry.request.query))
