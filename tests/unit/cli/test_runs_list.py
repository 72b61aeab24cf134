"""How the list of runs looks."""

from __future__ import annotations

from io import StringIO
from typing import cast

import pytest
from rich.console import Console

from tinyagent.cli.runs import list_view

ROW = (
    "run_01a203610ebc590a1b2c3d4e5f60",
    "2026-11-22 13:00",
    "completed",
    "Remind me to water the plants " * 5,
)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_ids_times_and_states_are_whole_at_any_width(width: int) -> None:
    console = Console(width=width, file=StringIO())
    console.print(list_view([ROW, ROW], width))
    shown = cast("StringIO", console.file).getvalue()
    assert all(shown.count(part) == 2 for part in ROW[:3])
    assert shown.count("…") == 2 or width == 200
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
