"""Which calls start now.

A call starts the moment that its inputs are there or that it is parsed, whichever comes last.
Dependents of a failed call are skipped, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tinyagent.domain import events as ev
from tinyagent.domain.json_tools import typed_arguments
from tinyagent.domain.plan import Call, Value, format_call, substitute
from tinyagent.domain.provenance import Source, result_source
from tinyagent.domain.run import OPEN, TaskState
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.executor import Executor, Outcome
from tinyagent.engine.faults import fault_of, keep_out_of_log
from tinyagent.engine.gate import Gate, Intent
from tinyagent.engine.recorder import Recorder
from tinyagent.errors import (
    Interrupted,
    JournalError,
    PlanError,
    PlanReferenceError,
    Rejected,
    TinyAgentError,
)
from tinyagent.ports import CallContext

MAX_PARALLEL_CALLS = 8
STOP_S = 5.0
"""How long a call may take beyond its deadline to end, before it is left alone."""

Ended = ev.TaskSucceededData | ev.TaskFailedData


@dataclass(frozen=True)
class _Planned:
    call: Call
    spec: ToolSpec
    round: int
    foreign: bool
    """Text that others wrote had been read before it was planned."""


class Scheduler:
    """Runs the calls of one run, over all its rounds of planning.

    `context` is what all calls have in common.
    """

    def __init__(self, recorder: Recorder, gate: Gate, executor: Executor, context: CallContext) -> None:
        self._recorder = recorder
        self._gate = gate
        self._executor = executor
        self._context = context
        self._slots = asyncio.Semaphore(MAX_PARALLEL_CALLS)
        self._known: set[int] = set()
        self._results: dict[int, str] = {}
        self._sources: dict[int, Source] = {}
        self._foreign_round: int | None = None
        """The first round of planning whose calls brought text that others wrote."""
        self._lost: set[int] = set()
        self._waiting: dict[int, _Planned] = {}
        self._tasks: dict[asyncio.Task[None], _Planned] = {}
        self._begun: set[int] = set()
        """Calls that nothing keeps from being carried out any more."""
        self._settled: dict[str, tuple[int, Ended]] = {}
        """What was done, may have been done, or was rejected, with its round: no later plan does it again."""
        self._stop_reason = ""

    async def add(self, call: Call, spec: ToolSpec, round: int, *, run: bool = True) -> None:
        """Take a call as it is parsed; with `run=False` it is only recorded.

        A call that cannot be carried out (wrong arguments, a missing reference) fails at once
        and alone; the others go on.
        """
        if call.index in self._known:
            raise PlanReferenceError(f"The plan uses the number {call.index} twice.")
        self._known.add(call.index)
        await self._recorder.record(_planned(call, spec, round))
        try:
            bound = spec.bind(call)
            _check(bound, spec, self._known)
        except PlanError as error:
            self._lost.add(call.index)
            await self._recorder.record(ev.TaskFailedData(task=call.index, fault=fault_of(error)))
            return
        if run:
            foreign = self._foreign_round is not None and self._foreign_round < round
            self._waiting[call.index] = _Planned(bound, spec, round, foreign)
            await self._advance()

    async def drain(self) -> None:
        """Wait until nothing runs and nothing waits. Raises JournalError."""
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._tasks.pop(task, None)
                task.result()

    def hold(self, reason: str) -> None:
        """Start nothing more; what runs goes on."""
        self._stop_reason = reason
        self._waiting.clear()

    async def stop(self, reason: str) -> None:
        """Start nothing more, stop what only reads or waits, finish what writes, and record every end."""
        self.hold(reason)
        for task, planned in self._tasks.items():
            if planned.call.index not in self._begun or planned.spec.effect in ("read", "open"):
                task.cancel()
        try:
            await self.close_open(reason)
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._executor.call_deadline_s + STOP_S)
            self._tasks.clear()
            await self.close_open(reason)

    async def close_open(self, reason: str) -> None:
        """Record an end for every call that has none and does not run."""
        running = {planned.call.index for planned in self._tasks.values()}
        tasks = (await self._recorder.settled()).tasks.values()
        left = [task for task in tasks if task.status in OPEN and task.task not in running]
        if left:
            await self._recorder.record(*(_ending(task, reason) for task in left))

    async def _advance(self) -> None:
        """Start every waiting call that has its inputs, skip every one that will not get them.

        Calls wait in an order in which each comes after those that it needs.
        """
        for index in list(self._waiting):
            planned = self._waiting.get(index)
            if planned is None:
                continue
            lost = planned.call.references & self._lost
            if lost:
                del self._waiting[index]
                self._lost.add(index)
                because = tuple(sorted(lost))
                await self._recorder.record(
                    ev.TaskSkippedData(task=index, reason=_skip_reason(because), because=because)
                )
            elif planned.call.references <= self._results.keys():
                del self._waiting[index]
                task = asyncio.create_task(self._run(planned), name=f"task {index}")
                keep_out_of_log(task)
                self._tasks[task] = planned

    async def _run(self, planned: _Planned) -> None:
        index, spec = planned.call.index, planned.spec
        try:
            arguments = _resolved(planned, self._results)
        except PlanError as error:
            await self._end(planned, ev.TaskFailedData(task=index, fault=fault_of(error)))
            return
        effect = _fingerprint(spec, arguments)
        earlier = self._settled.get(effect)
        if earlier is not None and earlier[0] != planned.round:
            # A new plan that asks again for what an earlier one did, or was denied, gets the earlier end.
            await self._end(planned, _repeated(earlier[1], index))
            return
        intent = Intent(planned.call, spec, arguments, self._sources, planned.foreign)
        try:
            context = await self._gate.admit(intent, self._context_of(index))
        except JournalError:
            raise
        except TinyAgentError as error:
            if not self._stop_reason:
                failed = ev.TaskFailedData(task=index, fault=fault_of(error))
                if isinstance(error, Rejected):
                    self._settled[effect] = (planned.round, failed)
                await self._end(planned, failed)
            return
        async with self._slots:
            if self._stop_reason:
                return
            self._begun.add(index)
            ended = await self._carry_out(intent, context)
            if spec.effect != "read" and (isinstance(ended, ev.TaskSucceededData) or ended.outcome_unknown):
                self._settled[effect] = (planned.round, ended)
            await self._end(planned, ended)

    async def _carry_out(self, intent: Intent, context: CallContext) -> Ended:
        index, spec = intent.call.index, intent.spec
        await self._recorder.record(
            ev.TaskStartedData(
                task=index, arguments=intent.arguments, sources=intent.sources, sending=context.send
            )
        )
        try:
            outcome = await self._executor.execute(index, spec, intent.arguments, context)
        except JournalError as error:  # known not to have been done, unlike what is left without an end
            await self._recorder.record(ev.TaskFailedData(task=index, fault=fault_of(error)))
            raise
        return _ended(index, outcome, self._gate.ruling(spec.name).note)

    def _context_of(self, index: int) -> CallContext:
        async def tell(message: str) -> None:
            await self._recorder.record(ev.TaskProgressData(task=index, message=message))

        return replace(self._context, key=f"{self._recorder.state.run}/{index}", tell=tell)

    async def _end(self, planned: _Planned, ended: Ended) -> None:
        if isinstance(ended, ev.TaskFailedData):
            self._lost.add(ended.task)
        await self._recorder.record(ended)
        if isinstance(ended, ev.TaskSucceededData):
            needed: list[Source] = [self._sources[need] for need in planned.call.references]
            source: Source = result_source(planned.spec.app, ended.untrusted, needed)
            if source == "untrusted" and self._foreign_round is None:
                self._foreign_round = planned.round
            self._sources[ended.task] = source
            self._results[ended.task] = ended.value
        await self._advance()


def _resolved(planned: _Planned, results: Mapping[int, str]) -> tuple[Value, ...]:
    """The arguments with results in their places. Raises ArgumentError for those that do not fit then."""
    arguments = tuple(substitute(planned.call, results))
    if not planned.spec.described:
        return arguments
    arguments = typed_arguments(planned.spec, planned.call, arguments)
    planned.spec.check(arguments)
    return arguments


def _repeated(ended: Ended, index: int) -> Ended:
    """An earlier call's end as that of this one; what it wrote is taken back with the earlier one only."""
    update: dict[str, object] = {"task": index, "milliseconds": 0.0}
    if isinstance(ended, ev.TaskSucceededData):
        update["undo"] = None
    return ended.model_copy(update=update)


def _ended(index: int, outcome: Outcome, note: str) -> Ended:
    if outcome.result is None:
        assert outcome.fault is not None
        return ev.TaskFailedData(
            task=index,
            fault=outcome.fault,
            outcome_unknown=outcome.unknown,
            milliseconds=outcome.milliseconds,
        )
    result = outcome.result
    return ev.TaskSucceededData(
        task=index,
        value=result.value,
        message=" ".join(filter(None, (result.message, note))),
        link=result.link,
        untrusted=result.untrusted,
        milliseconds=outcome.milliseconds,
        undo=dict(result.undo) if result.undo else None,
    )


def _ending(task: TaskState, reason: str) -> ev.Data:
    """How a call ends that was not carried to its end."""
    if task.status != "running" or task.effect in ("read", "open"):
        return ev.TaskSkippedData(task=task.task, reason=reason, because=())
    error = Interrupted("How this task ended could not be recorded.")
    return ev.TaskFailedData(task=task.task, fault=fault_of(error), outcome_unknown=True)


def _planned(call: Call, spec: ToolSpec, round: int) -> ev.TaskPlannedData:
    line = format_call(replace(call, thought=""))
    return ev.TaskPlannedData(
        task=call.index,
        tool=call.tool,
        arguments=_written_arguments(call, spec),
        effect=spec.effect,
        needs=tuple(sorted(call.references)),
        line=line,
        thought=call.thought,
        round=round,
    )


def _written_arguments(call: Call, spec: ToolSpec) -> tuple[object, ...]:
    """In their places, as far as the call fits its tool."""
    try:
        return spec.bind(call).written_arguments
    except PlanError:
        return call.written_arguments


def _check(call: Call, spec: ToolSpec, known: set[int]) -> None:
    """Raise PlanError for a call that can never be carried out."""
    missing = sorted(call.references - known)
    if missing:
        raise PlanReferenceError(
            f"Call {call.index} uses ${missing[0]}, but the plan has no call {missing[0]}."
        )
    spec.check(call.arguments)


def _skip_reason(lost: Sequence[int]) -> str:
    numbers = " and ".join(str(index) for index in lost)
    return f"It needs the result of task {numbers}, which was not done."


def _fingerprint(spec: ToolSpec, arguments: tuple[Value, ...]) -> str:
    """The same for calls that differ in letter case and spacing only."""
    return " ".join(f"{spec.name}{arguments!r}".casefold().split())
