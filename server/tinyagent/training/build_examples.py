"""Chooses the examples that planners are shown, and writes them with their vectors as an index.

They come from the training part alone, pass all checks, and cover every combination of tools that
a request of middle length asks for; what is asked often has more of them.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyagent.planners.examples.files import EXAMPLES, MANIFEST, VECTORS, example_line
from tinyagent.planners.examples.finder import Embed
from tinyagent.training.checks import draft_faults
from tinyagent.training.corpus import Entry
from tinyagent.training.plan_checks import plan_findings
from tinyagent.training.storage import cannot_write, prepare_folder

Tools = tuple[str, ...]

SHORTEST, LONGEST = 15, 240
"""Characters of a request that is an example: middle length, since prompts are paid by the token."""
_ROOM = 20_000_000
"""Bytes that the index and its unfinished copy may need."""
_UNCLEAR = (
    re.compile(r"\n"),
    re.compile(r"\.\.|…|[!?]{2}"),
    re.compile(r"^[^A-Z]*$"),
    re.compile(r"(?:\b[A-Z]{2,}\b\W+){2}"),
    re.compile(r"(?i)\b(?:u|ur|r|pls|plz|thx|lol|omg|uh+|u?m+|hmm+|gonna|wanna|gotta|cuz|tho)\b"),
    re.compile(r"(\w)\1\1"),
)
"""Marks of a request that is not written clearly."""


def tools_of(entry: Entry) -> Tools:
    """The tools of a request's calls, sorted, as often as they are called."""
    return tuple(sorted(call.tool for call in entry.row.calls))


def choose_examples(entries: Sequence[Entry], count: int) -> list[Entry]:
    """About `count` examples: first one for each set of tools, then by how often their calls are asked for.

    The second example of the same calls is worth a quarter of the first, the third a ninth. More
    than `count` are chosen when there are more sets of tools. The order does not depend on that of
    the entries.
    """
    groups = _Groups(entries)
    chosen = list(groups.one_for_each_set())
    for entry in groups.by_frequency():
        if len(chosen) >= count:
            break
        chosen.append(entry)
    return sorted(chosen, key=lambda entry: (tools_of(entry), entry.request.identifier))


class _Groups:
    """Usable entries by the tools of their calls; each is handed out once, the clearest first."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        found: defaultdict[Tools, list[Entry]] = defaultdict(list)
        for entry in entries:
            if SHORTEST <= len(entry.request.query) <= LONGEST:
                found[tools_of(entry)].append(entry)
        self._sizes = {tools: len(group) for tools, group in found.items()}
        self._taken = dict.fromkeys(found, 0)
        self._rest = {tools: _sound(sorted(group, key=_merit)) for tools, group in found.items()}

    def one_for_each_set(self) -> Iterator[Entry]:
        """The fewest calls that use a set of tools stand for it."""
        covered: set[frozenset[str]] = set()
        for tools in sorted(self._rest, key=lambda tools: (len(tools), tools)):
            if frozenset(tools) not in covered and (entry := self._take(tools)):
                covered.add(frozenset(tools))
                yield entry

    def by_frequency(self) -> Iterator[Entry]:
        """The others, until there are no more."""
        waiting = [self._place(tools) for tools in self._rest]
        heapq.heapify(waiting)
        while waiting:
            _, tools = heapq.heappop(waiting)
            if entry := self._take(tools):
                heapq.heappush(waiting, self._place(tools))
                yield entry

    def _place(self, tools: Tools) -> tuple[float, Tools]:
        return -self._sizes[tools] / (self._taken[tools] + 1) ** 2, tools

    def _take(self, tools: Tools) -> Entry | None:
        self._taken[tools] += 1
        return next(self._rest[tools], None)


def _sound(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Those without a fault. Checked when one is needed: most never are."""
    for entry in entries:
        faults = draft_faults(entry.row.query, entry.row.calls)
        if not faults and not plan_findings(entry.request.query, entry.request.plan).faults:
            yield entry


def _merit(entry: Entry) -> tuple[int, str]:
    """Clear language first; among equals chance, fixed by the id, sees to variety."""
    unclear = sum(mark.search(entry.request.query) is not None for mark in _UNCLEAR)
    return unclear, hashlib.sha256(entry.request.identifier.encode()).hexdigest()


@dataclass(frozen=True)
class Written:
    """What was written: examples, sets of tools that they cover, bytes."""

    examples: int
    combinations: int
    size: int


def write_examples(
    entries: Sequence[Entry], embed: Embed, encoder: str, out: Path, advance: Callable[[], None]
) -> Written:
    """Write an index for the encoder with this SHA-256; `advance` is called for every example.

    Raises StorageFull or InvalidRequest; an index that broke off half-written is refused when loaded.
    """
    prepare_folder(out, _ROOM, "the index")
    vectors: list[NDArray[np.float32]] = []
    for entry in entries:
        vectors.append(embed([entry.request.query])[0])
        advance()
    lines = [
        example_line(entry.request.query, entry.request.now, entry.request.plan, tools_of(entry))
        for entry in entries
    ]
    try:
        with tempfile.TemporaryDirectory(dir=out) as name:
            folder = Path(name)
            (folder / EXAMPLES).write_bytes("".join(f"{line}\n" for line in lines).encode())
            np.save(folder / VECTORS, np.stack(vectors).astype(np.float16))
            files = {name: _facts(folder / name) for name in (EXAMPLES, VECTORS)}
            manifest = json.dumps({"encoder": encoder, "files": files}, indent=2)
            (folder / MANIFEST).write_text(f"{manifest}\n", "utf-8")
            for name in (EXAMPLES, VECTORS, MANIFEST):
                (folder / name).replace(out / name)
    except OSError as error:
        raise cannot_write(out, error) from error
    combinations = {frozenset(tools_of(entry)) for entry in entries}
    return Written(len(entries), len(combinations), sum((out / name).stat().st_size for name in files))


def _facts(path: Path) -> dict[str, int | str]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
