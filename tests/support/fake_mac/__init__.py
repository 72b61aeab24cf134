"""A Mac for tests: `osascript`, `mdfind` and `open` on PATH, answering from a store of JSON.

The programs run as programs do, in processes of their own. They keep what they were given in `calls.jsonl`
and what was wrong with it in `faults.jsonl`; `plan.json` orders errors, delays and garbage.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .store import EMPTY, Store

PROGRAMS = ("osascript", "mdfind", "open")
SCRIPTS = Path(__file__).parents[3] / "applescripts"
HEADER = Path(__file__).parents[3] / "server" / "tinyagent" / "apps" / "macos" / "_header.py"

_PROGRAM = """\
#!{python} -IS
import sys
sys.path.insert(0, {support!r})
from fake_mac.{program} import main
sys.exit(main({folder!r}, sys.argv[1:]))
"""


class FakeMac:
    """The folder of one Mac. `bin` has to stand first on PATH."""

    def __init__(self, folder: Path, scripts: Path = SCRIPTS) -> None:
        folder.mkdir(parents=True)
        self.folder, self.scripts, self.bin = folder, scripts, folder / "bin"
        self._store = Store(folder)
        self._store.write(copy.deepcopy(EMPTY))
        digests = {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in scripts.glob("*.applescript")
        }
        setup = {"scripts": digests, "header": str(HEADER)}
        (folder / "setup.json").write_text(json.dumps(setup))
        self.bin.mkdir()
        for program in PROGRAMS:
            self._install(program)

    def _install(self, program: str) -> None:
        path = self.bin / program
        support = str(Path(__file__).parents[1])
        text = _PROGRAM.format(
            python=sys.executable, support=support, program=program, folder=str(self.folder)
        )
        path.write_text(text)
        path.chmod(0o755)

    def path(self, rest: str = os.environ["PATH"]) -> str:
        """The PATH on which the programs are found."""
        return f"{self.bin}{os.pathsep}{rest}"

    def change(self, how: Callable[[dict[str, Any]], Any]) -> Any:
        """Change what the applications hold, as a person at the Mac would."""
        with self._store.open() as data:
            return how(data)

    @property
    def data(self) -> dict[str, Any]:
        """What the applications hold."""
        return self._store.read()

    def plan(self, operation: str, *orders: dict[str, Any]) -> None:
        """What the next runs of an operation do in place of their work.

        An order has `error` (a number), `delay` (seconds), `stdout`, `stdout_bytes`, `exit` or `late` (the
        work is done before); with `always` it stands for all later runs.
        """
        path = self.folder / "plan.json"
        plan = json.loads(path.read_text()) if path.exists() else {}
        plan[operation] = list(orders)
        path.write_text(json.dumps(plan))

    def calls(self, program: str = "") -> list[dict[str, Any]]:
        """What the programs were run with, in order."""
        calls = _lines(self.folder / "calls.jsonl")
        return [call for call in calls if program in ("", call["program"])]

    def operations(self) -> list[str]:
        """The names of the scripts that were run, in order."""
        return [Path(call["argv"][0]).stem for call in self.calls("osascript")]

    def faults(self) -> list[dict[str, Any]]:
        """What was wrong with the calls."""
        return _lines(self.folder / "faults.jsonl")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
