"""What text that others wrote may do: be passed on as data, and nothing else.

Planners do not see it, so that a plan made after reading a mail or a note cannot follow orders in it
(plan-then-execute, arXiv:2506.08837); `$n` still stands for the text. And it never names a recipient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tinyagent.domain.events import Fault
from tinyagent.domain.plan import Call, Template, Value, references_in
from tinyagent.domain.provenance import Source, argument_source
from tinyagent.domain.run import TaskState
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.user_words import UserWords
from tinyagent.errors import UntrustedRecipient

_TRUSTED: frozenset[Source] = frozenset({"user", "contacts"})
_OWN_FAULTS = frozenset(
    {
        "plan_syntax",
        "plan_reference",
        "invalid_arguments",
        "date_unreadable",
        "tool_failed",
        "no_match",
        "ambiguous",
    }
)
"""Faults that speak of the plan and its arguments; others may name what was found, such as a file."""


def argument_sources(call: Call, results: Mapping[int, Source]) -> tuple[Source, ...]:
    """Where each argument of a call comes from."""
    return tuple(argument_source(references_in(value), results) for value in call.arguments)


def check_recipients(
    call: Call, spec: ToolSpec, results: Mapping[int, Source], words: UserWords, foreign: bool
) -> None:
    """Raise UntrustedRecipient unless every recipient is the user's own or of the contacts.

    `foreign`: text that others wrote had been read before the call was planned.
    """
    for parameter, value in zip(spec.parameters, call.arguments, strict=True):
        if not parameter.recipient or not isinstance(value, list):
            continue
        for item in value:
            fault = _fault_in(item, results, words, foreign)
            if fault:
                raise UntrustedRecipient(
                    f"{spec.name}: {fault}",
                    hint="Name the person, or give the address yourself.",
                    param=parameter.name,
                )


def _fault_in(item: Value, results: Mapping[int, Source], words: UserWords, foreign: bool) -> str:
    """Why nothing may go to this recipient, or an empty string."""
    if isinstance(item, Template):
        first = item.references[0]
        if argument_source(item.references, results) not in _TRUSTED:
            return (
                f"a recipient would come from the result of task {first}, "
                "which is neither your words nor your contacts."
            )
        if len(item.parts) > 1:  # the address of a contact with more around it is another address
            return f"a recipient would be put together with the result of task {first}."
    elif (foreign or words.foreign) and isinstance(item, str) and item.strip() and not words.hold(item):
        return "a recipient of the plan is not in your request."
    return ""


def without_foreign_text(tasks: Iterable[TaskState]) -> tuple[TaskState, ...]:
    """The tasks without results that others wrote, and without anything that was made of those.

    Tasks come after those that they need. Sentences for people, questions and records of what was done
    are left out, too: they name files, subjects and senders. So are candidates, which are a question to
    the user, and no planner's to answer.
    """
    shown: list[TaskState] = []
    foreign: set[int] = set()
    for task in tasks:
        if task.untrusted or foreign.intersection(task.needs):
            foreign.add(task.task)
            task = _hidden(task)
        shown.append(_bare(task))
    return tuple(shown)


def _bare(task: TaskState) -> TaskState:
    fault = task.fault
    if fault is not None:
        own = fault.code in _OWN_FAULTS
        fault = Fault(code=fault.code, message=fault.message if own else _failed(task.tool, fault.code))
    message = task.message if task.status == "skipped" else ""
    return replace(task, message=message, fault=fault, approval=None, progress="", undo=None)


def _hidden(task: TaskState) -> TaskState:
    value, fault = task.value, task.fault
    if value is not None:
        value = f"(a text of {len(value)} characters; write ${task.task} to use it)"
    if fault is not None:
        fault = Fault(code=fault.code, message=_failed(task.tool, fault.code))
    return replace(task, arguments=(), value=value, link=None, fault=fault)


def _failed(tool: str, code: str) -> str:
    return f"{tool} failed ({code})."
