"""A Mac for tests: `osascript`, `mdfind` and `open` on PATH, answering from a store of JSON.

The programs run as programs do, in processes of their own. They keep what they were given in `calls.jsonl`
and what was wrong with it in `faults.jsonl`; `plan.json` orders errors, delays and garbage.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from tinyagent.apps.macos._header import read_header

from .store import EMPTY, Store

PROGRAMS = ("osascript", "mdfind", "open")
SCRIPTS = Path(__file__).parents[3] / "applescripts"

# The programs need the modules that lie here alone: this one, which takes long to import, is stood in for.
_PROGRAM = """\
#!{python} -IS
import sys
package = type(sys)("fake_mac")
package.__path__ = [{modules!r}]
sys.modules["fake_mac"] = package
from fake_mac.{program} import main
sys.exit(main({folder!r}, sys.argv[1:]))
"""


class FakeMac:
    """The folder of one Mac. `bin` has to stand first on PATH."""

    def __init__(self, folder: Path, scripts: Path = SCRIPTS) -> None:
        folder.mkdir(parents=True)
        self.folder, self.scripts, self.bin = folder, scripts, folder / "bin"
        self._store = Store(str(folder))
        self._store.write(EMPTY)
        (folder / "plan.json").write_text("{}")
        setup = {
            str(path): _described(path.read_bytes(), path) for path in scripts.glob("[a-z]*.applescript")
        }
        (folder / "setup.json").write_text(json.dumps(setup))
        self.bin.mkdir()
        for program in PROGRAMS:
            self._install(program)

    def _install(self, program: str) -> None:
        path = self.bin / program
        modules = str(Path(__file__).parent)
        text = _PROGRAM.format(
            python=sys.executable, modules=modules, program=program, folder=str(self.folder)
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
        self._store.order(operation, list(orders))

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


@lru_cache(maxsize=256)
def _described(content: bytes, path: Path) -> dict[str, Any]:
    """What `osascript` has to know of a script."""
    return {**asdict(read_header(path)), "checksum": zlib.crc32(content)}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
