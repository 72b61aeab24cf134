"""A progress bar on standard error for what takes longer than a moment."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tinyagent.cli.terminal import diagnostics

PATIENCE_S = 1.0


class LateProgress:
    """Appears after a second, on a terminal only, and vanishes when left."""

    def __init__(self, description: str, total: int) -> None:
        console = diagnostics()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(description, total=total)
        self._started_at = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._progress.stop()

    def advance(self) -> None:
        """One more is done."""
        if not self._shown and time.monotonic() - self._started_at > PATIENCE_S:
            self._shown = True
            self._progress.start()
        self._progress.advance(self._task)
