"""Three ways to watch a run: a live picture, plain lines, and the events as JSON lines."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from tinyagent.cli.rendering import (
    MARKS,
    arguments_text,
    fault_text,
    outcome_view,
    run_view,
    task_milliseconds,
    task_result,
)
from tinyagent.cli.terminal import duration, output, printable
from tinyagent.domain.events import EVENT, Event, RunReplanned, TaskStarted, ToolsSelected
from tinyagent.domain.run import RunState, TaskState

REFRESHES_PER_S = 10


class View(Protocol):
    """Shows a run while it goes on; entered before the first event and left after the last."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, event: Event, state: RunState) -> None:
        """Something happened; `state` is the run after it."""
        ...

    def conclude(self, state: RunState) -> None:
        """The run has ended. Called once, after the view was left."""
        ...


def choose_view(json_lines: bool) -> View:
    """The view that fits standard output."""
    if json_lines:
        return JsonView()
    console = output()
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainView()


class _Quiet:
    """A view that needs no preparation."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class JsonView(_Quiet):
    """Each event as one line of JSON, as soon as it happens."""

    def show(self, event: Event, state: RunState) -> None:
        sys.stdout.write(EVENT.dump_json(event).decode() + "\n")
        sys.stdout.flush()

    def conclude(self, state: RunState) -> None:
        return None


class PlainView(_Quiet):
    """Lines without control codes, for files, pipes and screen readers."""

    def __init__(self) -> None:
        self._told: set[int] = set()

    def show(self, event: Event, state: RunState) -> None:
        if isinstance(event, ToolsSelected):
            _say(f"tools: {', '.join(event.data.tools) or 'none fits'}")
        elif isinstance(event, TaskStarted):
            task = state.tasks[event.data.task]
            _say(f"{task.task}. {task.tool}: {arguments_text(task.arguments) or 'no arguments'}")
        elif isinstance(event, RunReplanned):
            _say(f"planning again: {event.data.reason}")
        for task in state.tasks.values():
            if task.ended is not None and task.task not in self._told:
                self._told.add(task.task)
                _say(_ended(task))

    def conclude(self, state: RunState) -> None:
        if state.status == "completed":
            _say(f"\n{state.answer}")
        elif state.fault is not None:
            _say(f"\n{state.status}: {fault_text(state.fault)}")


def _ended(task: TaskState) -> str:
    elapsed = task_milliseconds(task)
    after = f" ({duration(elapsed)})" if elapsed is not None else ""
    return f"{task.task}. {MARKS[task.status][0]} {task.tool} {task.status}{after}: {task_result(task)}"


def _say(line: str) -> None:
    sys.stdout.write(printable(line) + "\n")
    sys.stdout.flush()


class LiveView:
    """A picture that is redrawn in place; the last one stays, and the answer follows it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=REFRESHES_PER_S, transient=True)
        self._state: RunState | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._state is not None:
            self._console.print(run_view(self._state))

    def show(self, event: Event, state: RunState) -> None:
        self._state = state
        self._live.update(run_view(state, live=True))

    def conclude(self, state: RunState) -> None:
        self._console.print(outcome_view(state))
