"""`mdfind -0 -onlyin FOLDER QUERY`, for queries of file names."""

# The programs start often, and pathlib takes nearly as long to import as Python takes to start.
# ruff: noqa: PTH118
from __future__ import annotations

import os
import re
import sys
import unicodedata

from .store import Store, obey

_TERM = re.compile(r'kMDItemFSName == "\*([^"*\\]+)\*"cd')


def main(folder: str, argv: list[str]) -> int:
    store = Store(folder)
    store.note_down("calls.jsonl", {"program": "mdfind", "argv": argv, "stdin": sys.stdin.read()})
    status = obey(store.next_order("mdfind"))
    if status is not None:
        return status
    terms = [_TERM.fullmatch(term) for term in argv[-1].split(" && ")] if argv else [None]
    if len(argv) != 4 or argv[:2] != ["-0", "-onlyin"] or not argv[2].startswith("/") or None in terms:
        store.note_down("faults.jsonl", {"argv": argv, "fault": "not a query that mdfind understands"})
        return 1
    if store.read()["unindexed"]:
        return 0
    words = [_folded(term[1]) for term in terms if term]
    for place, _, names in os.walk(argv[2]):
        for name in names:
            if all(word in _folded(name) for word in words):
                sys.stdout.buffer.write(os.fsencode(os.path.join(place, name)) + b"\0")
    return 0


def _folded(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in bare if not unicodedata.combining(character))
