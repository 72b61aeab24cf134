"""All runs of a server: start, follow, cancel, forget."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState, fold
from tinyagent.engine.agent import Agent, Rules
from tinyagent.engine.catalog import PlannerCatalog, PlannerInfo
from tinyagent.engine.feed import Feed, Observer
from tinyagent.engine.given_plan import NAME as GIVEN
from tinyagent.engine.given_plan import GivenPlan
from tinyagent.engine.limits import Limits
from tinyagent.engine.policy import Mode
from tinyagent.engine.readiness import Check, check_host, check_journal, check_planner, check_selector
from tinyagent.engine.recorder import Recorder
from tinyagent.engine.recovery import recover
from tinyagent.engine.undo import Undone, undo_tasks
from tinyagent.errors import (
    Conflict,
    InvalidRequest,
    JournalError,
    NotConfigured,
    NotFound,
    Overloaded,
    RequestTooLarge,
    TinyAgentError,
    UnknownTool,
    UnreadableRun,
    log_unexpected,
)
from tinyagent.ports import Clock, Journal, ToolHost, ToolSelector, ToolStatus, Writer

logger = logging.getLogger(__name__)

MAX_EARLIER_RUNS = 10
"""How far back a run's history reaches that follows another."""

CLOSE_S = 10.0
"""How long a stopping server waits for its runs."""


@dataclass(frozen=True)
class RunRequest:
    """What a caller asks for. `now` is wall-clock time without zone; the clock's when None.

    `approval` makes the settings' policy stricter; `answerable` says that the caller will answer when
    the run asks. With `plan`, a text of the plan language, nothing is selected or planned: `query` says
    what it is for. `follows` is an earlier run: what was asked and answered there, and before it, comes
    before `history`. `fingerprint` tells a repetition of the request from others.
    `by_program`: words and plan are a program's, not those of the user in person (`Policy.for_program`).
    """

    query: str
    mode: Literal["run", "plan"] = "run"
    planner: str | None = None
    now: datetime | None = None
    instructions: str = ""
    history: tuple[tuple[str, str], ...] = ()
    idempotency_key: str | None = None
    approval: Mode | None = None
    answerable: bool = False
    plan: str = ""
    follows: str | None = None
    fingerprint: str = ""
    by_program: bool = False


@dataclass(frozen=True)
class _Active:
    agent: Agent
    task: asyncio.Task[None]
    stop: asyncio.Future[str]


class RunService:
    """The engine as the API, the command line and tests use it."""

    def __init__(
        self,
        journal: Journal,
        planners: PlannerCatalog,
        selector: ToolSelector,
        host: ToolHost,
        rules: Rules,
        limits: Limits,
        instructions: str = "",
        observers: Sequence[Observer] = (),
    ) -> None:
        self._instructions = instructions
        self._rules = rules
        self._journal = journal
        self._planners = planners
        self._selector = selector
        self._host = host
        self._clock = rules.clock
        self._limits = limits
        self._feed = Feed(journal, observers)
        self._undoing = asyncio.Lock()
        self._being_undone = ""
        """The run that is being taken back now."""
        self._active: dict[str, _Active] = {}
        self._starting = asyncio.Lock()

    async def recover(self) -> int:
        """End the runs that an earlier server left unfinished. Call once, before `start`."""
        return await recover(self._journal, self._feed, self._clock, self._rules.audit)

    async def start(self, request: RunRequest) -> RunState:
        """Begin a run, or return the one that the idempotency key already began.

        The run is durable on return. Raises InvalidRequest, RequestTooLarge, ModelNotFound,
        ModelUnavailable, Overloaded or JournalError.
        """
        query = self._checked(request)
        given = self._given(request)
        name = GIVEN if given else self._planners.resolve(request.planner)
        history = await self._history(request)
        return await asyncio.shield(self._start(replace(request, history=history), query, name, given))

    def _given(self, request: RunRequest) -> GivenPlan | None:
        """The caller's plan. Raises UnknownTool or NotConfigured for a tool that cannot be used."""
        if not request.plan:
            return None
        given = GivenPlan(request.plan)
        known = {status.spec.name: status for status in self._host.tools()}
        for name in given.tools:
            if name not in known:
                raise UnknownTool(f"There is no tool called {name}.", hint="`GET /v1/tools` lists them.")
            if not known[name].enabled:
                raise NotConfigured(known[name].reason)
        return given

    async def _history(self, request: RunRequest) -> tuple[tuple[str, str], ...]:
        """Earlier messages, those of the runs that this one follows first. Raises NotFound."""
        earlier: list[tuple[str, str]] = []
        follows, count = request.follows, 0
        while follows and count < MAX_EARLIER_RUNS:
            state = await self.get(follows)
            earlier = [("user", state.query), ("assistant", state.answer), *earlier]
            follows, count = state.follows, count + 1
        return (*earlier, *request.history)

    async def _start(self, request: RunRequest, query: str, name: str, given: GivenPlan | None) -> RunState:
        """Not to be cancelled half-way: a run in the journal has an agent that ends it."""
        async with self._starting:
            run = _new_id()
            if request.idempotency_key is not None:
                run = await self._journal.remember_key(request.idempotency_key, run)
                known = fold(await self._journal.read(run))
                if known is not None:
                    return known
            if len(self._active) >= self._limits.max_active_runs:
                raise Overloaded(
                    "Too many runs are under way.", hint="Wait until one has ended, then try again."
                )
            planner = given or await self._planners.get(name)
            created = ev.RunCreatedData(
                query=query,
                mode=request.mode,
                planner=name,
                now=request.now or self._clock.now().replace(tzinfo=None, microsecond=0),
                instructions="\n".join(filter(None, (self._instructions, request.instructions))),
                deadline_s=self._limits.run_deadline_s,
                history=request.history,
                approval=request.approval,
                answerable=request.answerable,
                plan=request.plan,
                follows=request.follows,
                fingerprint=request.fingerprint,
            )
            stored = await self._feed.append(ev.RunCreated(run=run, time=self._clock.now(), data=created))
            state = fold(stored)
            assert state is not None
            recorder = Recorder(self._feed, self._clock, state)
            selector = given or self._selector
            rules = self._rules
            if request.by_program:
                rules = replace(rules, policy=rules.policy.for_program())
            agent = Agent(recorder, planner, selector, self._host, rules, self._limits, created)
            self._launch(run, agent)
            return state

    def _checked(self, request: RunRequest) -> str:
        query = request.query.strip()
        if not query:
            raise InvalidRequest("The request is empty.", hint="Say what is to be done.", param="query")
        if len(query) > self._limits.max_query_characters:
            raise RequestTooLarge(
                f"The request has {len(query)} characters; the limit is {self._limits.max_query_characters}.",
                hint="Put long texts into a note or a file and name it.",
                param="query",
            )
        return query

    def _launch(self, run: str, agent: Agent) -> None:
        stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._guarded(run, agent, stop), name=f"agent {run}")
        self._active[run] = _Active(agent, task, stop)
        task.add_done_callback(lambda _: self._active.pop(run, None))

    async def events(self, run: str, after: int = 0) -> AsyncGenerator[ev.Event]:
        """The run's events above `after`, those to come included. Raises NotFound or JournalError."""
        state = await self.get(run)
        async for event in self._feed.follow(run, min(after, state.last_seq)):
            yield event

    async def get(self, run: str) -> RunState:
        """The run as it stands. Raises NotFound."""
        state = fold(await self._journal.read(run))
        if state is None:
            raise NotFound(f"There is no run {run!r}.", hint="`GET /v1/runs` lists the known ones.")
        return state

    async def runs(self, limit: int, before: str | None = None) -> list[RunState]:
        """Runs, newest first, without those that cannot be read."""
        states: list[RunState] = []
        for run in await self._journal.runs(limit, before):
            with contextlib.suppress(NotFound, UnreadableRun):
                states.append(await self.get(run))
        return states

    async def cancel(self, run: str, reason: str) -> RunState:
        """Stop planning and what has not started; finish what writes. Raises NotFound, Conflict."""
        state = await self.get(run)
        active = self._active.get(run)
        if active is None and state.status == "running":
            raise Conflict(f"Run {run} stopped when its end could not be recorded.", hint="Delete it.")
        if active is None or state.status != "running":
            raise Conflict(f"Run {run} has ended ({state.status}); there is nothing to cancel.")
        if not active.stop.done():
            active.stop.set_result(reason)
        await asyncio.wait({active.task}, timeout=self._limits.call_deadline_s + self._limits.planner_stop_s)
        return await self.get(run)

    async def decide(
        self, run: str, decisions: Mapping[int, str], approved: bool, by: str, reason: str = ""
    ) -> RunState:
        """Answer what a run asks: `decisions` maps tasks to the digests that the user saw, all or none.

        Raises NotFound, or Conflict when a task does not wait for exactly that.
        """
        state = await self.get(run)
        active = self._active.get(run)
        if active is None:
            raise Conflict(f"Run {run} is not under way ({state.status}); nothing waits for an approval.")
        active.agent.desk.decide(decisions, approved, by, reason)
        return await self.get(run)

    async def undo(self, run: str, task: int | None, by: str) -> list[Undone]:
        """Take back one call of a run that has ended, or all that can be, the last one first.

        Raises NotFound, or Conflict when the run goes on or there is nothing to take back.
        """
        async with self._undoing:
            self._being_undone = run
            try:
                state = await self.get(run)
                if state.status == "running":
                    raise Conflict(f"Run {run} is under way.", hint="Cancel it or wait for its end first.")
                return await undo_tasks(state, task, by, self._host, self._feed, self._rules)
            finally:
                self._being_undone = ""

    async def delete(self, run: str) -> None:
        """Forget a run. Raises NotFound, Conflict while it runs or is taken back."""
        if run in self._active:
            raise Conflict(f"Run {run} is under way.", hint="Cancel it first.")
        if run == self._being_undone:
            raise Conflict(f"Run {run} is being taken back.", hint="Wait until that has ended.")
        if not await self._journal.delete(run):
            raise NotFound(f"There is no run {run!r}.")
        self._feed.forget(run)

    @property
    def limits(self) -> Limits:
        """How long things may take."""
        return self._limits

    @property
    def writer(self) -> Writer:
        """Who words answers."""
        return self._rules.writer

    @property
    def clock(self) -> Clock:
        """The user's time of day."""
        return self._clock

    @property
    def catalog(self) -> PlannerCatalog:
        """The planners, and the chat models among them."""
        return self._planners

    def planners(self) -> Sequence[PlannerInfo]:
        """All configured planners, the default one marked."""
        return self._planners.infos()

    def tools(self) -> Sequence[ToolStatus]:
        """All tools, the disabled ones with the reason."""
        return self._host.tools()

    async def ready(self) -> dict[str, Check]:
        """Whether each part can work now."""
        return {
            "planner": await check_planner(self._planners),
            "toolrag": await check_selector(self._selector, self._host),
            "journal": await check_journal(self._journal),
            "executor": check_host(self._host, self._rules.policy.tools),
        }

    def stop_runs(self) -> None:
        """Cancel all runs, without waiting for them."""
        for run in self._active.values():
            if not run.stop.done():
                run.stop.set_result("The server was stopped.")

    async def close(self) -> None:
        """Cancel all runs, wait for what writes, and release planners and journal."""
        self.stop_runs()
        tasks = {run.task for run in self._active.values()}
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        try:
            await self._planners.close()
        finally:
            try:
                await self._rules.writer.close()
            finally:
                await self._rules.audit.close()
                await self._journal.close()

    async def _guarded(self, run: str, agent: Agent, stop: asyncio.Future[str]) -> None:
        """A run whose journal breaks can record nothing more: followers hear of it from the feed."""
        try:
            await agent.run(stop)
        except TinyAgentError as error:
            logger.error("run %s was given up: %s", run, error)
            self._feed.give_up(run, error)
        except Exception as error:
            log_unexpected(logger, f"run {run}", error)
            lost = JournalError(
                "The end of the run could not be recorded.", hint="The server's log says why."
            )
            self._feed.give_up(run, lost)


def _new_id() -> str:
    """Sorts by time of creation, and cannot be guessed."""
    return f"run_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"
