"""The loop of one run: select tools, plan, carry out while planning, plan again if that helps, answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.domain import events as ev
from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.run import RunState, TaskState
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.approvals import ApprovalDesk
from tinyagent.engine.executor import Executor
from tinyagent.engine.faults import fault_of, keep_out_of_log
from tinyagent.engine.gate import Gate
from tinyagent.engine.joiner import compose_answer, needs_words, verbatim
from tinyagent.engine.limits import Limits
from tinyagent.engine.plan_reading import PlanReading
from tinyagent.engine.policy import Policy, Ruling
from tinyagent.engine.provenance import without_foreign_text
from tinyagent.engine.recorder import Recorder
from tinyagent.engine.scheduler import Scheduler
from tinyagent.engine.user_words import UserWords
from tinyagent.errors import (
    DeadlineExceeded,
    PlanError,
    TinyAgentError,
    UnknownTool,
    log_unexpected,
)
from tinyagent.ports import (
    VERBATIM,
    AuditLog,
    CallContext,
    Clock,
    Planner,
    PlanRequest,
    ToolHost,
    ToolSelector,
    ToolStatus,
    Writer,
    WritingTask,
)

logger = logging.getLogger(__name__)

MENDABLE = frozenset({"plan_syntax", "plan_reference", "invalid_arguments", "date_unreadable", "tool_failed"})
"""Failures of a call that another plan may avoid. A question (ambiguous, no match) is the user's."""

POLL_S = 0.05
"""Shortest sleep of the run's clock, which stands still while the user is asked."""

WANTED_SCORE = 0.5
"""From this score on, a request is taken to ask for a tool that is switched off."""

UNKNOWN_TO_PLANNER = (
    "The planner {} knows the built-in tools alone, and this asks for another one. Choose a planner that "
    "reads descriptions: one of the kind openai, or of the kind llama with the profile chat."
)

DONE_SO_FAR = "What was done until then is listed with the run."


@dataclass(frozen=True)
class Rules:
    """What holds for every run: who decides, where it is written down, the time, and who words answers."""

    policy: Policy
    audit: AuditLog
    clock: Clock
    writer: Writer


class Agent:
    """Carries out one run. Make one for each. `desk` is where its user is asked."""

    def __init__(
        self,
        recorder: Recorder,
        planner: Planner,
        selector: ToolSelector,
        host: ToolHost,
        rules: Rules,
        limits: Limits,
        request: ev.RunCreatedData,
    ) -> None:
        self._recorder = recorder
        self._planner = planner
        self._selector = selector
        self._limits = limits
        self._request = request
        self._host = host
        self._policy = rules.policy
        self._writer = rules.writer
        self._tools: tuple[ToolStatus, ...] = ()
        self._rulings: dict[str, Ruling] = {}
        self._enabled: tuple[ToolSpec, ...] = ()
        run = recorder.state.run
        self.desk = ApprovalDesk(recorder, rules.audit, rules.clock, rules.policy.wait_s, request.answerable)
        gate = Gate(run, host, self._rulings, self.desk, rules.audit, _user_words(request))
        executor = Executor(run, host, rules.audit, limits.call_deadline_s)
        context = CallContext(
            now=request.now,
            instructions=request.instructions,
            query=request.query,
            seconds=limits.call_deadline_s,
        )
        self._scheduler = Scheduler(recorder, gate, executor, context)
        self._scores: dict[str, float] = {}
        self._plan_text = f"1. join(){END_OF_PLAN}"

    async def run(self, stop: asyncio.Future[str]) -> None:
        """Carry the run to its terminal event. `stop` is resolved with a reason to cancel it."""
        work = asyncio.create_task(self._work(), name=f"run {self._recorder.state.run}")
        keep_out_of_log(work)
        await self._wait(work, stop)
        if work.done():
            await self._conclude(work)
            return
        reason = stop.result() if stop.done() else "The run's time was over."
        work.cancel()
        self._hold(reason)
        await asyncio.wait({work}, timeout=self._limits.planner_stop_s)
        await self._scheduler.stop(reason)
        if stop.done():
            await self._recorder.record(ev.RunCancelledData(reason=reason))
            return
        late = DeadlineExceeded(
            f"The run did not finish within {self._request.deadline_s:g} seconds and was stopped.",
            hint=DONE_SO_FAR,
        )
        await self._recorder.record(ev.RunFailedData(fault=fault_of(late)))

    async def _wait(self, work: asyncio.Task[None], stop: asyncio.Future[str]) -> None:
        """Until the work ends, is to stop, or its time is over; waiting for the user does not count."""
        started = time.monotonic()
        while True:
            left = started + self._request.deadline_s + self.desk.waited_s - time.monotonic()
            if left <= 0 or work.done() or stop.done():
                return
            await asyncio.wait({work, stop}, timeout=max(left, POLL_S), return_when=asyncio.FIRST_COMPLETED)

    def _hold(self, reason: str) -> None:
        """Start nothing more, and ask nothing more."""
        self._scheduler.hold(reason)
        self.desk.close(reason)

    async def _conclude(self, work: asyncio.Task[None]) -> None:
        try:
            work.result()
        except TinyAgentError as error:
            fault = fault_of(error)
        except (Exception, asyncio.CancelledError) as error:  # nobody cancelled it: a part did so itself
            log_unexpected(logger, f"run {self._recorder.state.run}", error)
            fault = ev.Fault(
                code="internal", message="The run failed unexpectedly.", hint="The server's log says why."
            )
        else:
            return
        self._hold("The run failed.")
        await self._scheduler.stop("The run failed.")
        if any(_took_effect(task) for task in self._recorder.state.tasks.values()):
            fault = fault.model_copy(update={"hint": " ".join(filter(None, (DONE_SO_FAR, fault.hint)))})
        await self._recorder.record(ev.RunFailedData(fault=fault))

    async def _work(self) -> None:
        await self._select()
        if self._recorder.state.tools:
            await self._plan_and_run()
        else:
            await self._recorder.record(ev.PlanDeltaData(text=self._plan_text))
        state = self._recorder.state
        answer = self._plan_text if state.mode == "plan" else await self._answer(state)
        await self._recorder.record(ev.AnswerDeltaData(text=answer), ev.RunCompletedData(answer=answer))

    async def _answer(self, state: RunState) -> str:
        """The answer, in a model's words where there is something to tell and a model to tell it."""
        composed = compose_answer(state)
        if not needs_words(state):
            return composed
        facts = {VERBATIM: "\n".join(verbatim(state))}
        written = await self._writer.write(
            WritingTask("answer", composed, self._request.query, self._request.instructions, facts)
        )
        return written.text or composed

    async def _select(self) -> None:
        started = time.monotonic()
        self._list_tools()
        selection = await self._selector.select(self._request.query, self._enabled)
        self._scores = selection.scores
        await self._recorder.record(
            ev.ToolsSelectedData(
                tools=selection.tools,
                scores=selection.scores,
                milliseconds=(time.monotonic() - started) * 1000,
                unavailable=await self._unavailable(),
            )
        )

    def _list_tools(self) -> None:
        """The tools as they are now, and how each may be used in this run."""
        self._tools = tuple(self._host.tools())
        wish = self._request.approval
        self._rulings.update({one.spec.name: self._policy.ruling(one, wish) for one in self._tools})
        known = [one for one in self._tools if one.enabled and self._planner.knows(one.spec)]
        self._enabled = tuple(self._rulings[status.spec.name].spec for status in known)

    async def _unavailable(self) -> dict[str, str]:
        """The tools that the request most probably asks for but that cannot be used, with the reason.

        A tool that others describe is one only where nothing that can be used is more probable.
        """
        usable = {spec.name for spec in self._enabled}
        missing = [status for status in self._tools if status.spec.name not in usable]
        if not missing:
            return {}
        everything = await self._selector.select(self._request.query, [status.spec for status in self._tools])
        scores = everything.scores
        best = max((scores.get(name, 0.0) for name in usable), default=0.0)
        unknown = UNKNOWN_TO_PLANNER.format(self._planner.name)
        return {
            status.spec.name: unknown if status.enabled else status.reason
            for status in missing
            if scores.get(status.spec.name, 0.0) >= max(WANTED_SCORE, best * status.spec.described)
        }

    async def _plan_and_run(self) -> None:
        offered = self._ordered(self._recorder.state.tools)
        complete = False
        for round in range(self._limits.max_replans + 1):
            error = await self._plan(offered, round)
            if self._request.mode == "run":
                await self._scheduler.drain()
            reason = self._reason_to_replan(error, round, len(offered))
            complete = complete or error is None
            if not reason:
                if error is not None and not complete:
                    raise error
                return
            if self._lacked_tools(error):
                offered = self._enabled
            await self._scheduler.close_open("A new plan took its place.")
            await self._recorder.record(
                ev.PlanDeltaData(text="\n"), ev.RunReplannedData(round=round + 1, reason=reason)
            )

    def _ordered(self, names: Sequence[str]) -> tuple[ToolSpec, ...]:
        return tuple(spec for spec in self._enabled if spec.name in names)

    def _reason_to_replan(self, error: PlanError | None, round: int, offered: int) -> str:
        """Why another plan may do better, or an empty string."""
        if round == self._limits.max_replans:
            return ""
        narrowed = offered < len(self._enabled)
        if narrowed and isinstance(error, UnknownTool):
            return "" if self._has_acted(round) else error.message
        if not self._planner.can_replan:
            return ""
        if error is not None:
            return error.message
        if narrowed and self._lacked_tools(error):
            return "The planner found nothing to do with the tools that were selected."
        for task in self._recorder.state.tasks.values():
            if task.round == round and task.fault is not None and task.fault.code in MENDABLE:
                return task.fault.message
        return ""

    def _lacked_tools(self, error: PlanError | None) -> bool:
        """Whether the plan named a tool that was not offered, or nothing at all could be planned."""
        return isinstance(error, UnknownTool) or (error is None and not self._recorder.state.tasks)

    def _has_acted(self, round: int) -> bool:
        """Whether a call of this plan was started that does more than read."""
        tasks = self._recorder.state.tasks.values()
        return any(task.round == round and task.effect != "read" and task.started for task in tasks)

    async def _plan(self, offered: tuple[ToolSpec, ...], round: int) -> PlanError | None:
        """One round of planning, calls handed on as they are read; the error that ended it early."""
        started = time.monotonic()
        state = self._recorder.state
        request = PlanRequest(
            query=self._request.query,
            now=self._request.now,
            tools=offered,
            scores=self._scores,
            instructions=self._request.instructions,
            history=self._request.history,
            tasks=without_foreign_text(state.tasks.values()),
            first_index=1 + max(state.tasks, default=0),
        )
        reading = PlanReading(self._recorder, self._scheduler, offered, round, self._request.mode == "run")
        error: PlanError | None = None
        stream = self._planner.plan(request)
        try:
            await reading.read(stream)
        except PlanError as raised:
            error = raised
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                with contextlib.suppress(Exception):
                    await close()
        elapsed = (time.monotonic() - started) * 1000
        await reading.complete(elapsed)
        if error is None:
            self._plan_text = reading.text
        return error


def _took_effect(task: TaskState) -> bool:
    """Whether a person should look at what was done before asking again."""
    return task.outcome_unknown or (task.effect != "read" and task.status == "succeeded")


def _user_words(request: ev.RunCreatedData) -> UserWords:
    said = [text for role, text in request.history if role == "user"]
    return UserWords("\n".join([*said, request.query]), foreign=len(said) < len(request.history))
