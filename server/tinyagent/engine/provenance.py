"""What text that others wrote may do: be passed on as data, and nothing else.

Planners do not see it, so that a plan made after reading a mail or a note cannot follow orders in it
(plan-then-execute, arXiv:2506.08837); `$n` still stands for the text. And it never names a recipient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tinyagent.domain.events import Fault
from tinyagent.domain.plan import Call, Template, Value, references_in
from tinyagent.domain.provenance import Source, argument_source
from tinyagent.domain.run import TaskState
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import UntrustedRecipient

_TRUSTED: frozenset[Source] = frozenset({"user", "contacts"})
_ENDING = 7
"""Digits at the end of a phone number that are the same however it is written."""


@dataclass(frozen=True)
class UserWords:
    """What the user said, to tell an address of the user's own from one that a planner read elsewhere.

    `foreign`: the planner was shown earlier answers too, which may quote what others wrote.
    """

    text: str
    foreign: bool = False

    def hold(self, recipient: str) -> bool:
        """Whether the user gave this address or number."""
        if recipient.strip().casefold() in self.text.casefold():
            return True
        digits = _digits(recipient)
        return "@" not in recipient and len(digits) >= _ENDING and digits[-_ENDING:] in _digits(self.text)


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
            if argument_source(references_in(item), results) not in _TRUSTED:
                raise UntrustedRecipient(
                    f"{spec.name}: a recipient would come from the result of task {_first(item)}, "
                    "which is neither your words nor your contacts.",
                    hint="Name the person, or give the address yourself.",
                    param=parameter.name,
                )
            if (foreign or words.foreign) and isinstance(item, str) and not words.hold(item):
                raise UntrustedRecipient(
                    f"{spec.name}: a recipient of the plan is not in your request.",
                    hint="Name the person, or give the address yourself.",
                    param=parameter.name,
                )


def _first(value: Value) -> int:
    return value.references[0] if isinstance(value, Template) else 0


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


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
