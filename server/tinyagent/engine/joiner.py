"""The answer, composed from what was done: no model is needed to tell it.

What a person wants to read: the results that no later call used, what was made or opened, what
could not be done and why, and what to decide where something was ambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyagent.domain.events import Fault
from tinyagent.domain.run import RunState, TaskState, current_tasks

NOTHING_TO_DO = (
    "I have no tool for that. I can handle mail, contacts, text messages, the calendar, reminders, notes, "
    "files and PDF summaries, maps and directions, and Zoom meetings. Please ask in English."
)

UNKNOWN = "Whether it took effect is unknown: please look before you try again."


def compose_answer(state: RunState) -> str:
    """The answer to a run whose calls have all ended."""
    tasks = current_tasks(state)
    if not tasks and not state.unavailable:
        return NOTHING_TO_DO
    used = {need for task in tasks if task.status == "succeeded" for need in task.needs}
    told = [task for task in tasks if task.status == "succeeded" and _worth_telling(task, used)]
    paragraphs = [_told(task) for task in told]
    paragraphs += [_failed(task) for task in tasks if task.status == "failed"]
    skipped = [task for task in tasks if task.status == "skipped"]
    if skipped:
        paragraphs.append(_skipped(skipped))
    paragraphs += state.unavailable.values()
    return "\n".join(_unique(paragraphs))


def needs_words(state: RunState) -> bool:
    """Whether there is more to tell than that everything was done: a text that was read, or a failure."""
    tasks = current_tasks(state)
    return any(task.fault is not None or (task.untrusted and task.value) for task in tasks)


def verbatim(state: RunState) -> list[str]:
    """Lines that every answer holds word for word, whoever words it: links, what was written, what failed."""
    tasks = current_tasks(state)
    lines = [task.link for task in tasks if task.link]
    lines += [
        task.message for task in tasks if task.status == "succeeded" and task.effect in ("write", "send")
    ]
    lines += [task.fault.message for task in tasks if task.fault is not None]
    if any(task.outcome_unknown for task in tasks):
        lines.append(UNKNOWN)
    return lines


def describe_fault(fault: Fault) -> str:
    """A fault as people read it: the sentence, the choices, what to do."""
    lines = [fault.message]
    lines += [f"  • {candidate}" for candidate in fault.candidates]
    if fault.hint:
        lines.append(fault.hint)
    return "\n".join(lines) if fault.candidates else " ".join(lines)


def _worth_telling(task: TaskState, used: set[int]) -> bool:
    """What was looked up for another call is not news; everything else is."""
    return task.effect in ("write", "send") or task.task not in used


def _told(task: TaskState) -> str:
    """The task's sentence, with what was asked for: the link, or the text that was read."""
    told = task.message
    if task.link and task.link not in told:
        told += f" {task.link}"
    if task.effect == "read" and task.value and task.value not in told:
        told += f"\n{task.value}"
    return told


def _failed(task: TaskState) -> str:
    assert task.fault is not None
    text = describe_fault(task.fault)
    if task.outcome_unknown:
        text += f" {UNKNOWN}"
    return text


def _skipped(tasks: Sequence[TaskState]) -> str:
    names = ", ".join(dict.fromkeys(task.tool.replace("_", " ") for task in tasks))
    return f"Not done because of that: {names}."


def _unique(paragraphs: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(paragraphs))
