"""Three ways to watch a run: a live picture, plain lines, and the events as JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
from tinyagent.domain.events import (
    EVENT,
    ApprovalRequested,
    Event,
    RunReplanned,
    TaskProgress,
    TaskStarted,
    ToolsSelected,
)
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

    def paused(self) -> AbstractContextManager[None]:
        """Leaves the output alone for a while; what happens meanwhile is shown afterwards."""
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

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()

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
        self._held: list[str] | None = None

    @contextmanager
    def paused(self) -> Generator[None]:
        held: list[str] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
            for line in held:
                self._say(line)

    def show(self, event: Event, state: RunState) -> None:
        if isinstance(event, ToolsSelected):
            self._say(f"tools: {', '.join(event.data.tools) or 'none fits'}")
        elif isinstance(event, ApprovalRequested):
            self._say(f"{_call(state.tasks[event.data.task])} waits for approval")
        elif isinstance(event, TaskStarted):
            task = state.tasks[event.data.task]
            self._say(f"{_call(task)}: {arguments_text(task.arguments) or 'no arguments'}")
        elif isinstance(event, TaskProgress):
            self._say(f"{_call(state.tasks[event.data.task])}: {event.data.message}")
        elif isinstance(event, RunReplanned):
            self._say(f"planning again: {event.data.reason}")
        for task in state.tasks.values():
            if task.ended is not None and task.task not in self._told:
                self._told.add(task.task)
                self._say(_ended(task))

    def conclude(self, state: RunState) -> None:
        if state.status == "completed":
            self._say(f"\n{state.answer}")
        elif state.fault is not None:
            self._say(f"\n{state.status}: {fault_text(state.fault)}")

    def _say(self, line: str) -> None:
        if self._held is not None:
            self._held.append(line)
            return
        sys.stdout.write(printable(line) + "\n")
        sys.stdout.flush()


def _call(task: TaskState) -> str:
    return f"{task.task}. {task.tool}"


def _ended(task: TaskState) -> str:
    elapsed = task_milliseconds(task)
    after = f" ({duration(elapsed)})" if elapsed is not None else ""
    return f"{task.task}. {MARKS[task.status][0]} {task.tool} {task.status}{after}: {task_result(task)}"


class LiveView:
    """A picture that is redrawn in place; the last one stays, and the answer follows it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._state: RunState | None = None

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @contextmanager
    def paused(self) -> Generator[None]:
        self._end()
        try:
            yield
        finally:
            self._begin()

    def show(self, event: Event, state: RunState) -> None:
        self._state = state
        if self._live is not None:
            self._live.update(run_view(state, live=True))

    def conclude(self, state: RunState) -> None:
        self._console.print(outcome_view(state))

    def _begin(self) -> None:
        """A new picture below what stands there: an old one would be drawn over it."""
        shown = None if self._state is None else run_view(self._state, live=True)
        self._live = Live(shown, console=self._console, refresh_per_second=REFRESHES_PER_S, transient=True)
        self._live.start()

    def _end(self) -> None:
        """Leave the picture as it is now."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._state is not None:
            self._console.print(run_view(self._state))
