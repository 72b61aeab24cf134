"""The files of a fake Mac: what its applications hold, what it was asked and what it is to do wrong."""

from __future__ import annotations

import fcntl
import json
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EMPTY: dict[str, Any] = {
    "counter": 0,
    "denied": [],
    "not_running": [],
    "unindexed": False,
    "contacts": [],
    "calendars": {"Home": {}, "Work": {}},
    "read_only": ["Holidays"],
    "lists": {"Reminders": {}, "Shopping": {}},
    "folders": ["Notes", "Work"],
    "notes": {},
    "inbox": [],
    "selected": None,
    "drafts": {},
    "sent": [],
    "numbers": None,
    "texts": [],
}


class Store:
    """Read and written by several processes, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "store.json"

    def read(self) -> dict[str, Any]:
        with self._locked():
            return json.loads(self._file.read_text())

    def write(self, data: dict[str, Any]) -> None:
        with self._locked():
            self._file.write_text(json.dumps(data))

    @contextmanager
    def open(self) -> Generator[dict[str, Any]]:
        """The data, written back unless the block fails."""
        with self._locked():
            data = json.loads(self._file.read_text())
            yield data
            self._file.write_text(json.dumps(data))

    def note_down(self, file: str, entry: dict[str, Any]) -> None:
        with self._locked(), (self._folder / file).open("a") as lines:
            lines.write(json.dumps(entry) + "\n")

    def next_order(self, operation: str) -> dict[str, Any]:
        """What the plan orders for this run, empty when nothing."""
        path = self._folder / "plan.json"
        with self._locked():
            plan = json.loads(path.read_text()) if path.exists() else {}
            orders = plan.get(operation, [])
            if not orders:
                return {}
            order = orders[0] if orders[0].get("always") else orders.pop(0)
            path.write_text(json.dumps(plan))
            return order

    @contextmanager
    def _locked(self) -> Generator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def obey(order: dict[str, Any]) -> int | None:
    """Do what an order says; the exit status when the run is over with it."""
    if "delay" in order:
        time.sleep(order["delay"])
    if "stdout" in order:
        sys.stdout.write(order["stdout"])
        return order.get("exit", 0)
    if "stdout_bytes" in order:
        for _ in range(order["stdout_bytes"] // 4096):
            sys.stdout.write("x" * 4096)
        return 0
    return order.get("exit")


def identifier(data: dict[str, Any]) -> str:
    """A new identifier."""
    data["counter"] += 1
    return f"{data['counter']:08X}-FAKE"
