"""Lines that hold the hash of the line before, and a head that tells which line is the last.

A line is one JSON object in canonical form (sorted keys, no spaces, ASCII). Its `hash` is the SHA-256 of
the same object without `hash`, so a line that was changed no longer fits its hash, and one that was
taken out, put in or moved no longer fits its neighbours. The head is kept beside the lines: without it,
nobody would miss lines that were cut off at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

GENESIS = "0" * 64
"""What the first line names as the hash of the line before."""


@dataclass(frozen=True)
class Head:
    """The last line of a chain; sequence number 0 when there is none yet."""

    seq: int = 0
    hash: str = GENESIS


class BrokenLine(Exception):
    """A line that does not belong where it stands; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """Whether a chain is whole: how many sound lines it begins with, and the hash of the last of them.

    `line` is the first faulty one and `fault` says what is wrong with it. `line` is None when every
    line is sound, but some are missing at the end.
    """

    entries: int
    head: str
    line: int | None = None
    fault: str = ""

    @property
    def ok(self) -> bool:
        return not self.fault


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The one way to write these fields as JSON."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def link(fields: Mapping[str, Any], before: Head) -> tuple[bytes, Head]:
    """The line, with its line end, that puts these fields behind `before`; and the new head."""
    linked = {**fields, "seq": before.seq + 1, "previous": before.hash}
    digest = hashlib.sha256(canonical(linked)).hexdigest()
    return canonical({**linked, "hash": digest}) + b"\n", Head(before.seq + 1, digest)


def read_line(line: bytes) -> dict[str, Any]:
    """The fields of one line, if it is whole and fits its own hash. Raises BrokenLine."""
    if not line.endswith(b"\n"):
        raise BrokenLine("it is not complete")
    try:
        read: object = json.loads(line)
    except (ValueError, RecursionError):
        raise BrokenLine("it is not JSON") from None
    fields = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    rest = {name: value for name, value in fields.items() if name != "hash"}
    if fields.get("hash") != hashlib.sha256(canonical(rest)).hexdigest():
        raise BrokenLine("it was changed: its hash is another")
    if canonical(fields) + b"\n" != line:
        raise BrokenLine("it was changed: it is not written as tinyagent writes")
    if not isinstance(fields.get("seq"), int) or not isinstance(fields.get("previous"), str):
        raise BrokenLine("it has no place in the chain")
    return fields


def follows(fields: Mapping[str, Any], before: Head) -> Head:
    """The head after a line that is to stand behind `before`. Raises BrokenLine when it may not."""
    if fields["seq"] != before.seq + 1:
        raise BrokenLine(f"it has the number {fields['seq']} where {before.seq + 1} is due")
    if fields["previous"] != before.hash:
        raise BrokenLine("it does not follow from the line before")
    return Head(fields["seq"], fields["hash"])


def check(lines: Iterable[bytes], stored: Head | None, known: str = "") -> Verdict:
    """Whether the lines are a chain that holds the stored head, and the hash `known` if one is given.

    A writer may be ahead of its head by what a crash kept it from storing, so the head need not be last.
    """
    head, found, met = Head(), stored == Head(), not known
    for number, line in enumerate(lines, 1):
        try:
            head = follows(read_line(line), head)
        except BrokenLine as broken:
            return Verdict(head.seq, head.hash, number, str(broken))
        found, met = found or head == stored, met or head.hash == known
    fault = "" if met else "no line has the hash that was noted"
    if stored is None and head.seq:
        fault = "the file with the head is missing"
    elif stored is not None and not found:
        fault = f"the head names line {stored.seq}, which is not there: lines were cut off or written anew"
    return Verdict(head.seq, head.hash, None, fault)


def head_path(path: Path) -> Path:
    """Where the head of the chain in `path` is kept."""
    return path.with_suffix(".head")


def read_head(path: Path) -> Head | None:
    """The head beside `path`; None when there is no file. Raises BrokenLine when it is damaged, OSError."""
    try:
        written = head_path(path).read_bytes()
    except FileNotFoundError:
        return None
    try:
        fields = json.loads(written)
        head = Head(int(fields["seq"]), str(fields["hash"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BrokenLine("the file with the head is damaged") from None
    if _head_bytes(head) != written:
        raise BrokenLine("the file with the head is damaged")
    return head


def write_head(path: Path, head: Head) -> None:
    """Replace the head beside `path`; the old one or the new one is there at every moment. Raises OSError."""
    unfinished = head_path(path).with_suffix(".head-new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, _head_bytes(head))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.replace(head_path(path))


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything, however many pieces the system takes it in. Raises OSError."""
    while data:
        data = data[os.write(descriptor, data) :]


def _head_bytes(head: Head) -> bytes:
    return canonical({"seq": head.seq, "hash": head.hash}) + b"\n"
