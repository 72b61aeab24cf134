"""The files of a fake Mac: what its applications hold, what it was asked and what it is to do wrong."""

# The programs start often, and pathlib takes nearly as long to import as Python takes to start.
# ruff: noqa: PTH105, PTH118, PTH123
from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from contextlib import contextmanager

# Types alone need it, and the programs start often.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
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

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self) -> dict[str, Any]:
        with self._locked():
            return self._load()

    def write(self, data: dict[str, Any]) -> None:
        with self._locked():
            self._dump(data)

    @contextmanager
    def open(self) -> Generator[dict[str, Any]]:
        """The data, written back unless the block fails."""
        with self._locked():
            data = self._load()
            yield data
            self._dump(data)

    def note_down(self, file: str, entry: dict[str, Any]) -> None:
        with self._locked(), open(self._path(file), "a") as lines:
            lines.write(json.dumps(entry) + "\n")

    def next_order(self, operation: str) -> dict[str, Any]:
        """What the plan orders for this run, empty when nothing."""
        with self._locked():
            plan = self._load("plan.json")
            orders = plan.get(operation, [])
            if not orders:
                return {}
            order = orders[0] if orders[0].get("always") else orders.pop(0)
            self._dump(plan, "plan.json")
            return order

    def order(self, operation: str, orders: list[dict[str, Any]]) -> None:
        """Plan the next runs of an operation."""
        with self._locked():
            self._dump({**self._load("plan.json"), operation: orders}, "plan.json")

    def _path(self, file: str) -> str:
        return os.path.join(self._folder, file)

    def _load(self, file: str = "store.json") -> dict[str, Any]:
        with open(self._path(file)) as content:
            return json.load(content)

    def _dump(self, data: dict[str, Any], file: str = "store.json") -> None:
        # A program may be killed at any moment, and the next one has to read what it left.
        with open(self._path("new"), "w") as content:
            json.dump(data, content)
        os.replace(self._path("new"), self._path(file))

    @contextmanager
    def _locked(self) -> Generator[None]:
        with open(self._path("lock"), "w") as lock:
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
