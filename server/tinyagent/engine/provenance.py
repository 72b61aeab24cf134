"""What planners may see of the tasks so far: text that others wrote stays out of prompts.

A plan made after reading a mail or a note thereby cannot follow orders in it (plan-then-execute,
arXiv:2506.08837); `$n` still stands for the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinyagent.domain.events import Fault
from tinyagent.domain.run import TaskState


def without_foreign_text(tasks: Iterable[TaskState]) -> tuple[TaskState, ...]:
    """The tasks without results that others wrote, and without anything that was made of those.

    Tasks come after those that they need. Candidates are names of files, notes and people: they are
    a question to the user, and no planner's to answer.
    """
    shown: list[TaskState] = []
    foreign: set[int] = set()
    for task in tasks:
        if task.untrusted or foreign.intersection(task.needs):
            foreign.add(task.task)
            shown.append(_hidden(task))
        elif task.fault is not None:
            shown.append(replace(task, fault=task.fault.model_copy(update={"candidates": ()})))
        else:
            shown.append(task)
    return tuple(shown)


def _hidden(task: TaskState) -> TaskState:
    value, fault = task.value, task.fault
    if value is not None:
        value = f"(a text of {len(value)} characters; write ${task.task} to use it)"
    if fault is not None:
        fault = Fault(code=fault.code, message=f"{task.tool} failed ({fault.code}).")
    message = task.message if task.status == "skipped" else ""
    return replace(task, arguments=(), value=value, message=message, link=None, fault=fault)
