"""New rows from those of one part: swapped, joined and disguised, each with its moment and its plan.

Every variant is checked: its words must hold what the plan holds, its dates must be readable, and
two joined requests must mean together what they mean alone.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tinyagent.errors import TinyAgentError
from tinyagent.training.authoring import Written
from tinyagent.training.checks import draft_faults
from tinyagent.training.corpus import Entry
from tinyagent.training.disguise import disguise
from tinyagent.training.literal import literal_plan
from tinyagent.training.recombine import Pools, join, swap
from tinyagent.training.rows import Request, Row

_RESOLVED = re.compile(r'"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?"|, \d+, ')
_SPAN = re.compile(r'"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", "(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"')
_OTHER_KIND = re.compile(r"\.(?!pdf$)[a-z]\w{1,4}$", re.IGNORECASE)
_MINUTES = re.compile(r'get_zoom_meeting_link\(.*", (\d+), \[')
_LONGEST_EVENT = timedelta(hours=12)


@dataclass(frozen=True)
class Shares:
    """How many of the variants are made in which way, and how many of a row's slots are swapped."""

    swapped: float
    joined: float = 0.18
    joined_again: float = 0.25


@dataclass(frozen=True)
class Variant:
    """A checked row: the request with its plan, where it comes from and how it was made."""

    request: Request
    source: str
    tags: tuple[str, ...]


class Variants:
    """Variants of the rows of one part, for ever; None stands for one that failed a check."""

    def __init__(self, entries: Sequence[Entry], pools: Pools, shares: Shares, chance: random.Random) -> None:
        self._entries = [entry for entry in entries if leads_back(entry)]
        self._pools, self._shares, self._chance = pools, shares, chance

    def __iter__(self) -> Iterator[Variant | None]:
        while self._entries:
            order = list(self._entries)
            self._chance.shuffle(order)
            for entry in order:
                yield self._variant(entry)

    def _variant(self, entry: Entry) -> Variant | None:
        row = self._swapped(entry.row)
        parts, used = [row], [entry]
        tags = [] if row.query == entry.row.query else ["swapped"]
        if self._chance.random() < self._shares.joined:
            more = 2 if self._chance.random() < self._shares.joined_again else 1
            for _ in range(more):
                other = self._chance.choice(self._entries)
                parts.append(self._swapped(other.row))
                together = None if other in used else join(row, parts[-1], self._chance)
                if together is None:
                    return None
                row = together
                used.append(other)
            tags.append("joined")
        shown = disguise(row, self._chance)
        tags += ["disguised"] if shown.query != row.query else []
        request = dated(shown) if tags else None
        if request is None or ("swapped" in tags and not _fits(shown, request.plan)):
            return None
        if len(parts) > 1 and not _mean_the_same(request, parts):
            return None
        return Variant(request, entry.source, tuple(tags))

    def _swapped(self, row: Row) -> Row:
        """The row with other fillings; as it is where the part has none for one of its slots."""
        if not all(self._pools.fillings.get(shape) for shape in Pools.of([row]).fillings):
            return row
        return swap(row, self._pools, self._chance, self._shares.swapped)


def leads_back(entry: Entry) -> bool:
    """Whether the calls that the networks learn from an entry make its plan again; a written one's do."""
    if entry.source == "written":
        return True
    try:
        plan, _ = literal_plan(entry.request.query, entry.request.now, entry.row.calls)
    except (ValueError, TinyAgentError):
        return False
    return plan == entry.request.plan


def dated(row: Row) -> Request | None:
    """A row as a request at a moment of its own, which its words decide; None when a check fails."""
    if draft_faults(row.query, row.calls):
        return None
    name = f"variant-{hashlib.sha256(row.query.encode()).hexdigest()[:12]}"
    try:
        return Written(name, name, row.query, row.calls, 0).request()
    except (ValueError, TinyAgentError):
        return None


def _fits(row: Row, plan: str) -> bool:
    """Whether what was swapped in makes sense: only PDFs are summarized, and nothing takes all night."""
    for call in row.calls:
        index = call.text("pdf_path").removeprefix("$")
        if index.isdecimal() and _OTHER_KIND.search(row.calls[int(index) - 1].text("file_name")):
            return False
    spans = ([datetime.fromisoformat(text) for text in found] for found in _SPAN.findall(plan))
    lengths = [end - start for start, end in spans]
    lengths += [timedelta(minutes=int(minutes)) for minutes in _MINUTES.findall(plan)]
    return all(length <= _LONGEST_EVENT for length in lengths)


def _mean_the_same(request: Request, parts: Sequence[Row]) -> bool:
    """Whether the dates of joined requests are those of the requests read one by one."""
    alone: list[str] = []
    for part in parts:
        try:
            plan, _ = literal_plan(part.query, request.now, part.calls)
        except (ValueError, TinyAgentError):
            return False
        alone += _RESOLVED.findall(plan)
    return _RESOLVED.findall(request.plan) == alone


def pools_without(rows: Sequence[Row], known: Pools) -> Pools:
    """The fillings of these rows that do not occur in `known`, by what they fill and what they say."""
    taken = {(_kind(shape), text.lower()) for shape, texts in known.fillings.items() for text in texts}
    own = Pools.of(rows)
    return Pools(
        {
            shape: [text for text in texts if (_kind(shape), text.lower()) not in taken]
            for shape, texts in own.fillings.items()
        }
    )


def _kind(shape: str) -> str:
    return shape.split()[0]
