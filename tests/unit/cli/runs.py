"""Runs for tests of views: events as the engine records them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState, fold

START = datetime(2025, 3, 8, 11, 20, tzinfo=UTC)


class Script:
    """Numbers events of one run, ten milliseconds apart."""

    def __init__(self, run: str = "run_1") -> None:
        self.run = run
        self.events: list[ev.Event] = []

    def add(self, kind: Any, data: Any) -> None:
        seq = len(self.events) + 1
        self.events.append(
            kind(seq=seq, run=self.run, time=START + timedelta(milliseconds=10 * seq), data=data)
        )

    def created(self, query: str = "text Ann") -> None:
        self.add(
            ev.RunCreated,
            ev.RunCreatedData(
                query=query, mode="run", planner="nano", now=START.replace(tzinfo=None), deadline_s=60
            ),
        )

    def tools(self, *names: str) -> None:
        scores = dict.fromkeys(names, 0.97)
        self.add(ev.ToolsSelected, ev.ToolsSelectedData(tools=names, scores=scores, milliseconds=4))

    def planned(
        self, task: int, tool: str, *arguments: Any, needs: Sequence[int] = (), round: int = 0
    ) -> None:
        self.add(
            ev.TaskPlanned,
            ev.TaskPlannedData(
                task=task,
                tool=tool,
                arguments=arguments,
                effect="read",
                needs=tuple(needs),
                line="",
                round=round,
            ),
        )

    def started(self, task: int, *arguments: Any) -> None:
        self.add(ev.TaskStarted, ev.TaskStartedData(task=task, arguments=arguments))

    def succeeded(self, task: int, value: str, message: str, link: str | None = None) -> None:
        self.add(ev.TaskSucceeded, ev.TaskSucceededData(task=task, value=value, message=message, link=link))

    def failed(self, task: int, fault: ev.Fault) -> None:
        self.add(ev.TaskFailed, ev.TaskFailedData(task=task, fault=fault))

    def skipped(self, task: int, reason: str, *because: int) -> None:
        self.add(ev.TaskSkipped, ev.TaskSkippedData(task=task, reason=reason, because=because))

    def asked(self, task: int, *arguments: Any) -> None:
        self.add(
            ev.ApprovalRequested,
            ev.ApprovalRequestedData(
                task=task,
                tool=self.state.tasks[task].tool,
                effect="send",
                arguments=arguments,
                digest="0" * 64,
                reason="The settings ask first.",
                expires=START + timedelta(seconds=300),
            ),
        )

    def undone(self, task: int, message: str) -> None:
        self.add(ev.TaskUndone, ev.TaskUndoneData(task=task, by="owner", message=message))

    def completed(self, answer: str) -> None:
        self.add(ev.RunCompleted, ev.RunCompletedData(answer=answer))

    def run_failed(self, fault: ev.Fault) -> None:
        self.add(ev.RunFailed, ev.RunFailedData(fault=fault))

    @property
    def state(self) -> RunState:
        state = fold(self.events)
        assert state is not None
        return state


def good_run() -> Script:
    """A lookup and a message that uses it."""
    script = Script()
    script.created()
    script.tools("get_phone_number", "send_sms")
    script.planned(1, "get_phone_number", "Ann")
    script.started(1, "Ann")
    script.planned(2, "send_sms", ["$1"], "Dinner at seven", needs=(1,))
    script.succeeded(1, "+14155550101", "Ann has the number +14155550101.")
    script.started(2, ["+14155550101"], "Dinner at seven")
    script.succeeded(2, "ok", "The message to Ann is a draft.", link="file:///drafts/1")
    script.completed("The message to Ann is a draft.")
    return script


def ambiguous_run() -> Script:
    """A lookup with two answers, and a message that cannot be written for it."""
    script = Script()
    script.created("text Maria")
    script.tools("get_phone_number", "send_sms")
    script.planned(1, "get_phone_number", "Maria")
    script.planned(2, "send_sms", ["$1"], "Hi", needs=(1,))
    script.started(1, "Maria")
    fault = ev.Fault(
        code="ambiguous",
        message="Two people match.",
        hint="Say which.",
        candidates=("Maria Santos", "Maria K\x1b[2J"),
    )
    script.failed(1, fault)
    script.skipped(2, "It needs call 1.", 1)
    script.completed("Two people match.")
    return script
