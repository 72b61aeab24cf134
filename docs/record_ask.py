"""Draw `docs/ask.svg`: one real request in the terminal, recorded.

Run it from the repository's root: `.venv/bin/python docs/record_ask.py`. It makes a home folder of its own.
"""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import tempfile
from itertools import groupby

import pyte
from rich.console import Console
from rich.text import Text

REQUEST = (
    "Summarize Lease Agreement.pdf and email the summary to Ingrid. "
    "Text Jane that dinner is at seven. Remind me tomorrow at 9 to water the plants."
)
NOW = "2026-03-06 18:20"
COLUMNS, LINES = 100, 48


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "tinyagent", "--home", home]
        subprocess.run([*command, "demo"], check=True, capture_output=True)
        screen = record([*command, "ask", "--local", "--now", NOW, REQUEST])
        shown = [Text.assemble(*runs(screen, line, home)) for line in range(LINES)]
    while not shown[-1].plain.strip():
        shown.pop()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), f'tinyagent ask "{REQUEST}"'))
    for line in shown:
        console.print(line)
    console.save_svg("docs/ask.svg", title="tinyagent")


def record(command: list[str]) -> pyte.Screen:
    """The screen after the command has ended; `script` gives it a terminal."""
    shell = f"stty cols {COLUMNS} rows {LINES}; {shlex.join(command)}"
    output = subprocess.run(["script", "-qec", shell, "/dev/null"], check=True, capture_output=True).stdout
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.ByteStream(screen).feed(output)
    return screen


def runs(screen: pyte.Screen, line: int, home: str) -> list[tuple[str, str]]:
    """A line's characters with their styles; the home folder is shown as `~`, columns stay in place."""
    cells = [screen.buffer[line][column] for column in range(COLUMNS)]
    texts = [("".join(cell.data for cell in group), key) for key, group in groupby(cells, style)]
    gap = " " * (len(home) - 1)
    return [(text.replace(home, "~") + gap * text.count(home), key) for text, key in texts]


def style(cell: pyte.screens.Char) -> str:
    colour = {"default": "", "brown": "yellow"}.get(cell.fg, cell.fg)
    if len(colour) == 6 and all(digit in "0123456789abcdef" for digit in colour):
        colour = f"#{colour}"
    return " ".join(filter(None, ["bold" if cell.bold else "", colour])) or "none"


if __name__ == "__main__":
    main()
