"""What the teacher brought so far: the accepted rows, one note for each ask, and the report on both.

Rows and notes are appended line by line and flushed; a line that a crash cut in half is dropped when
the run goes on.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from filelock import FileLock, Timeout

from tinyagent.errors import Conflict, InvalidRequest
from tinyagent.training.near import NearIndex, normalised
from tinyagent.training.rows import Request
from tinyagent.training.storage import cannot_write, prepare_file, write_whole

DUPLICATE, NEAR, ASIDE = "duplicate", "near duplicate", "near a request kept aside"
_EXAMPLES = 3


@dataclass
class Note:
    """What came of one ask. `failure` is empty when it was answered."""

    seed: int
    index: int
    failure: str = ""
    accepted: int = 0
    rejected: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Ledger:
    """The files of one teaching run, held by one process at a time."""

    def __init__(self, path: Path, aside: Iterable[str] = ()) -> None:
        """`aside` are requests that nothing accepted may come near."""
        self.path = path
        self.report_path = path.with_name(path.name.removesuffix(".jsonl") + ".report.json")
        self._state_path = path.with_name(path.name.removesuffix(".jsonl") + ".state.jsonl")
        self._lock = FileLock(f"{path}.lock", timeout=0)
        self._aside = NearIndex(aside)
        self._known = NearIndex()
        self._seen: set[str] = set()
        self.notes: list[Note] = []

    def __enter__(self) -> Self:
        """Load what is there. Raises Conflict, StorageFull or InvalidRequest."""
        try:
            prepare_file(self.path, 0, "the file")
            self._lock.acquire()
            self._load()
            self._rows = self.path.open("a", encoding="utf-8")
            self._state = self._state_path.open("a", encoding="utf-8")
        except Timeout:
            raise Conflict(f"Another run writes {self.path}.", hint="Stop it or use another --out.") from None
        except OSError as error:
            self._lock.release()
            raise cannot_write(self.path, error) from error
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._rows, self._state):
            with suppress(
                OSError
            ):  # a line that could not be written was told of; it is written no better now
                file.close()
        self._lock.release()

    @property
    def rows(self) -> int:
        """Rows in the file."""
        return len(self._known)

    def answered(self, seed: int) -> set[int]:
        """The asks of this seed that need no asking again."""
        return {note.index for note in self.notes if note.seed == seed and not note.failure}

    def repeats(self, query: str) -> str:
        """Which kind of repetition a request is, or ""."""
        if normalised(query) in self._seen:
            return DUPLICATE
        if self._known.has_near(query):
            return NEAR
        return ASIDE if self._aside.has_near(query) else ""

    def keep(self, request: Request, tags: Sequence[str]) -> None:
        """Append an accepted row. Raises StorageFull or InvalidRequest."""
        record = {
            "id": request.identifier,
            "now": request.now.isoformat(sep=" ", timespec="minutes"),
            "query": request.query,
            "plan": request.plan,
            "dates": [list(pair) for pair in request.dates],
            "source": "teacher",
            "tags": list(tags),
        }
        self._append(self._rows, record)
        self._remember(request.query)

    def note(self, note: Note) -> None:
        """Append what came of an ask. Raises StorageFull or InvalidRequest."""
        self._append(self._state, asdict(note))
        self.notes.append(note)

    def _append(self, file: Any, record: dict[str, Any]) -> None:
        try:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _remember(self, query: str) -> None:
        self._seen.add(normalised(query))
        self._known.add(query)

    def _load(self) -> None:
        for number, line in enumerate(_whole_lines(self.path), 1):
            try:
                self._remember(str(json.loads(line)["query"]))
            except (ValueError, KeyError, TypeError):
                raise InvalidRequest(
                    f"{self.path}, line {number}: not a request.", hint="Give another file with --out."
                ) from None
        for line in _whole_lines(self._state_path):
            try:
                raw = cast("dict[str, Any]", json.loads(line))
                rejected = [(str(reason), str(example)) for reason, example in raw.pop("rejected")]
                self.notes.append(Note(**raw, rejected=rejected))
            except (ValueError, KeyError, TypeError):
                raise InvalidRequest(
                    f"{self._state_path} is damaged.",
                    hint="Delete it: the rows stay, and the asks begin anew.",
                ) from None

    def write_report(self, model: str, price_in: float | None, price_out: float | None) -> dict[str, Any]:
        """The report on all runs that wrote this file, put beside it."""
        report = {"model": model, "rows": self.rows, **summary(self.notes, price_in, price_out)}
        write_whole(self.report_path, json.dumps(report, ensure_ascii=False, indent=2) + "\n")
        return report


def _whole_lines(path: Path) -> Iterator[str]:
    """The lines of a file that ended with a line break; a half one at the end is cut off the file."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    yield from (line for line in whole.decode("utf-8", "replace").split("\n") if line.strip())


def summary(notes: Sequence[Note], price_in: float | None, price_out: float | None) -> dict[str, Any]:
    """Figures over the notes: asked, answered, accepted, rejected by reason, tokens, cost and yield."""
    rejected: dict[str, dict[str, Any]] = {}
    for note in notes:
        for reason, example in note.rejected:
            entry = rejected.setdefault(reason, {"count": 0, "examples": []})
            entry["count"] += 1
            if len(entry["examples"]) < _EXAMPLES:
                entry["examples"].append(example)
    accepted = sum(note.accepted for note in notes)
    offered = accepted + sum(entry["count"] for entry in rejected.values())
    prompt = sum(note.prompt_tokens for note in notes)
    completion = sum(note.completion_tokens for note in notes)
    priced = price_in is not None or price_out is not None
    cost = (prompt * (price_in or 0) + completion * (price_out or 0)) / 1e6
    return {
        "asked": len(notes),
        "answered": sum(not note.failure for note in notes),
        "failed": dict(Counter(note.failure for note in notes if note.failure).most_common()),
        "offered": offered,
        "accepted": accepted,
        "duplicates": sum(rejected.get(reason, {"count": 0})["count"] for reason in (DUPLICATE, NEAR, ASIDE)),
        "rejected": dict(sorted(rejected.items(), key=lambda item: (-item[1]["count"], item[0]))),
        "yield": round(accepted / offered, 4) if offered else None,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cost": round(cost, 6) if priced else None,
    }
