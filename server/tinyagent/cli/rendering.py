"""How a run looks in a terminal: its tools, its calls with their states, its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from tinyagent.cli.terminal import duration, printable
from tinyagent.domain.events import Fault
from tinyagent.domain.run import RunState, TaskState, TaskStatus

MAX_ARGUMENT_CHARACTERS = 60
MAX_RESULT_CHARACTERS = 300

MARKS: dict[TaskStatus, tuple[str, str]] = {
    "planned": ("·", "dim"),
    "waiting": ("?", "magenta"),
    "running": ("…", "yellow"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
}
"""Sign and style of each state of a call."""

_NESTED = 2


def run_view(state: RunState, live: bool = False) -> Group:
    """The run as it stands; with `live`, spinners show what is under way."""
    parts: list[RenderableType] = []
    if state.scores or state.tools:
        parts.append(_tools_line(state))
    if state.tasks:
        parts.append(_task_table(state, live))
    if (
        live
        and state.status == "running"
        and not any(task.status in ("running", "waiting") for task in state.tasks.values())
    ):
        parts.append(Spinner("dots", Text(_waiting_for(state), style="dim"), style="cyan"))
    return Group(*parts)


def outcome_view(state: RunState) -> RenderableType:
    """What came of the run: its answer, or why there is none."""
    if state.status == "completed":
        return Text(f"\n{printable(state.answer)}")
    fault = state.fault or Fault(code="internal", message=_not_ended(state))
    style = "yellow" if state.status in ("cancelled", "running") else "red"
    return Text(f"\n{state.status.capitalize()}: {fault_text(fault)}", style=style)


def _not_ended(state: RunState) -> str:
    if any(task.status == "waiting" for task in state.tasks.values()):
        return (
            f"it waits for your approval. Answer with `tinyagent approve {state.run}` "
            f"or `tinyagent reject {state.run}`."
        )
    return "The run has not ended."


def fault_text(fault: Fault) -> str:
    """A fault as people read it, its choices as a list."""
    lines = [fault.message, *(f"  • {candidate}" for candidate in fault.candidates)]
    if fault.hint:
        lines.append(fault.hint)
    return printable("\n".join(lines) if fault.candidates else " ".join(lines))


def task_milliseconds(task: TaskState, until: datetime | None = None) -> float | None:
    """How long the call took, or has taken by `until`; None before it starts."""
    end = task.ended or until
    if task.started is None or end is None:
        return None
    return max(0.0, (end - task.started).total_seconds() * 1000)


def task_result(task: TaskState) -> str:
    """One sentence about how the call goes or went; empty when there is nothing to say yet."""
    if task.status == "waiting" and task.approval is not None:
        return _shortened(
            printable(f"Waits for your approval. {task.approval.reason}"), MAX_RESULT_CHARACTERS
        )
    if task.status == "running":
        return _shortened(printable(task.progress), MAX_RESULT_CHARACTERS)
    if task.fault is not None:
        unknown = " Whether it took effect is unknown." if task.outcome_unknown else ""
        return fault_text(task.fault) + unknown
    message = f"{task.message} {task.link}" if task.link and task.link not in task.message else task.message
    told = _shortened(printable(message), MAX_RESULT_CHARACTERS)
    undone = _shortened(printable(task.undone), MAX_RESULT_CHARACTERS)
    return f"{told}\nTaken back: {undone}" if undone else told


def arguments_text(arguments: Sequence[Any]) -> str:
    """The arguments that say something; absent ones are left out."""
    return ", ".join(_argument_text(argument) for argument in arguments if argument not in ("", [], None))


def _argument_text(argument: Any) -> str:
    text = ", ".join(map(str, argument)) if isinstance(argument, list) else str(argument)  # pyright: ignore[reportUnknownArgumentType]
    shown = _shortened(printable(" ".join(text.split())), MAX_ARGUMENT_CHARACTERS)
    return (
        f"“{shown}”" if isinstance(argument, str) else f"[{shown}]" if isinstance(argument, list) else shown
    )


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _tools_line(state: RunState) -> Text:
    line = Text("Tools  ", style="bold")
    if not state.tools:
        return line.append("none fits", style="dim not bold")
    for position, tool in enumerate(state.tools):
        line.append(" · " if position else "", style="dim not bold")
        line.append(printable(tool), style="cyan not bold")
        score = state.scores.get(tool)
        line.append(f" {score:.2f}" if score is not None else "", style="dim not bold")
    return line


def _task_table(state: RunState, live: bool) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(justify="right", style="dim")
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.expand = True
    for number in sorted(state.tasks):
        _add_task(table, state.tasks[number], live)
    return Padding(table, (1, 0, 0, 0))


def _add_task(table: Table, task: TaskState, live: bool) -> None:
    sign, style = MARKS[task.status]
    mark = Spinner("dots", style=style) if live and task.status == "running" else Text(sign, style=style)
    call = Text(printable(task.tool), style="bold" if task.status != "skipped" else "dim")
    call.append(
        f"  {arguments_text(task.arguments)}", style="not bold" if task.status != "skipped" else "dim"
    )
    if task.needs:
        needed = ", ".join(f"${number}" for number in task.needs)
        call.append(f"  ← {needed}", style="dim not bold")
    elapsed = task_milliseconds(task)
    table.add_row(mark, str(task.task), call, "" if elapsed is None else duration(elapsed))
    result = task_result(task)
    if result:
        table.add_row(
            "", "", Padding(Text(result, style=style if task.fault else "dim"), (0, 0, 0, _NESTED)), ""
        )


def _waiting_for(state: RunState) -> str:
    if not state.scores and not state.tools:
        return "choosing tools"
    if state.rounds == 0:
        return "planning"
    return "finishing"
