"""`open`: shows a thing, or starts an application."""

from __future__ import annotations

import sys

from .store import Store, obey


def main(folder: str, argv: list[str]) -> int:
    store = Store(folder)
    store.note_down("calls.jsonl", {"program": "open", "argv": argv, "stdin": sys.stdin.read()})
    status = obey(store.next_order("open"))
    if status is not None:
        return status
    if argv[:2] == ["-g", "-a"]:
        with store.open() as data:
            data["not_running"] = [app for app in data["not_running"] if app != argv[2]]
    return 0
