"""Finished work on disk, so that a long evaluation that was stopped goes on where it was.

A ledger is a file of JSON lines: first what was evaluated (its identity), then one row a case. A
row that broke off, or that is damaged, is dropped when the file is read: its case is done again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tinyagent.errors import InvalidRequest

Row = dict[str, Any]

LONGEST_NAME = 100
"""Characters of a file's name before its digest."""


class Ledger:
    """The rows of one evaluation, by their text `id`.

    The file's name holds a digest of the identity: whatever is changed in it begins a new file.
    """

    def __init__(self, folder: Path, name: str, identity: Mapping[str, str]) -> None:
        self._identity = dict(identity)
        digest = hashlib.sha256(json.dumps(self._identity, sort_keys=True).encode()).hexdigest()
        readable = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:LONGEST_NAME]
        self.path = folder / f"{readable}-{digest[:16]}.jsonl"

    def rows(self) -> dict[str, Row]:
        """The sound rows; none where there is no file yet. Raises InvalidRequest."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _unusable(self.path, "read", error) from error
        objects = [row for line in lines if (row := _object(line)) is not None]
        if not objects or objects[0] != {"evaluated": self._identity}:
            return {}
        return {row["id"]: row for row in objects[1:] if isinstance(row.get("id"), str)}

    @contextmanager
    def appending(self, rows: Mapping[str, Row]) -> Generator[Callable[[Row], None]]:
        """A function that stores one row more; `rows` are those that stay. Raises InvalidRequest."""
        kept = [{"evaluated": self._identity}, *rows.values()]
        unfinished = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text("".join(map(_line, kept)), encoding="utf-8")
            unfinished.replace(self.path)
            file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise _unusable(self.path, "written", error) from error

        def append(row: Row) -> None:
            try:
                file.write(_line(row))
                file.flush()
            except OSError as error:
                raise _unusable(self.path, "written", error) from error

        with file:
            yield append


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True) + "\n"


def _object(line: bytes) -> Row | None:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("Row", value) if isinstance(value, dict) else None


def _unusable(path: Path, done: str, error: OSError) -> InvalidRequest:
    return InvalidRequest(
        f"{path} cannot be {done}: {error.strerror}.",
        hint="Free some space there, check the permissions, or give another folder with --out.",
    )
