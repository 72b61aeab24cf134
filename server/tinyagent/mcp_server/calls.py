"""The calls under way: each starts a run, follows it, asks what it asks, and outlives a lost connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tinyagent.domain.events import ApprovalRequestedData
from tinyagent.domain.run import Question, RunState, all_asked, open_questions
from tinyagent.engine.runs import RunRequest, RunService
from tinyagent.errors import Conflict, NotFound
from tinyagent.mcp_server.peer import CallKey, Peer
from tinyagent.mcp_server.questions import approved, question
from tinyagent.mcp_server.watch import Watch

T = TypeVar("T")

SETTLE_S = 1.0
"""How long a question waits for further calls, so that one form shows them all."""

CANCELLED = "The client cancelled the call."
DECLINED = "declined"


@dataclass(frozen=True)
class Pause:
    """A run that waits until its client comes back with an answer."""

    state: RunState
    asked: Mapping[Question, ApprovalRequestedData]


@dataclass(frozen=True)
class Answer:
    """What a client that comes back brings: its run, what its user saw, and what the user said.

    `after` is the number of the event up to which it has been told; `approved` is None for no answer.
    """

    run: str
    after: int
    decisions: Mapping[int, str]
    approved: bool | None


class Calls:
    """All calls of one server's clients."""

    def __init__(self, runs: RunService) -> None:
        self._runs = runs
        self._named: dict[CallKey, _Call] = {}
        self._work: set[asyncio.Task[Any]] = set()

    async def begin(self, request: RunRequest, peer: Peer) -> RunState | Pause:
        """Start a run and see it to its end, or to a question that its client has to come back for.

        Raises what `RunService.start` and the journal raise.
        """
        call = _Call(self._runs, peer)
        return await self._attended(call, call.begin(request))

    async def go_on(self, answer: Answer, peer: Peer) -> RunState | Pause:
        """Hand in an answer and follow the run further. Raises NotFound or JournalError."""
        call = _Call(self._runs, peer)
        return await self._attended(call, call.go_on(answer))

    async def cancel(self, key: CallKey) -> None:
        """The client does not want the call any more; one that has ended is left as it is."""
        call = self._named.get(key)
        if call is not None:
            await call.cancel()

    async def _attended(self, call: _Call, work: Coroutine[Any, Any, RunState | Pause]) -> RunState | Pause:
        """The call's outcome. It goes on when nobody waits for it any more, unless leaving cancels it."""
        task = self._spawned(work)
        key = call.peer.key
        if key is not None:
            self._named[key] = call
            task.add_done_callback(lambda _: self._forget(key, call))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if call.peer.leaving_cancels and not task.done():
                self._spawned(call.cancel())
            raise

    def _spawned(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it; the run's record tells

    def _forget(self, key: CallKey, call: _Call) -> None:
        if self._named.get(key) is call:
            del self._named[key]


class _Call:
    """One call: its client and its run."""

    def __init__(self, runs: RunService, peer: Peer) -> None:
        self.peer = peer
        self._runs = runs
        self._run: str | None = None
        self._cancelled = False

    async def begin(self, request: RunRequest) -> RunState | Pause:
        self._run = (await self._runs.start(request)).run
        if self._cancelled:
            await self.cancel()
        return await self._follow(self._run, 0, set())

    async def go_on(self, answer: Answer) -> RunState | Pause:
        self._run = answer.run
        answered: set[Question] = set()
        if answer.approved is not None and await self._decide(answer.decisions, answer.approved):
            answered.update(answer.decisions.items())
        now = await self._runs.get(answer.run)
        return await self._follow(answer.run, answer.after, answered, now.last_seq)

    async def cancel(self) -> None:
        self._cancelled = True
        if self._run is not None:
            with contextlib.suppress(Conflict, NotFound):
                await self._runs.cancel(self._run, CANCELLED)

    async def _follow(self, run: str, told: int, answered: set[Question], now: int = 0) -> RunState | Pause:
        """See the run to its end, or to a question. `told`: news up to this event are known.

        What it asked before the event `now`, and asks no more, is past.
        """

        def waiting() -> dict[Question, ApprovalRequestedData]:
            state = watch.state
            if state is None or state.last_seq < now or state.status != "running" or not self.peer.asks:
                return {}
            return {key: one for key, one in open_questions(state).items() if key not in answered}

        async with Watch(self._runs.events(run), told, self.peer.tell) as watch:
            while True:
                await watch.until(lambda state: state.status != "running" or bool(waiting()))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SETTLE_S):
                        await watch.until(lambda state: state.status != "running" or all_asked(state))
                asked, state = waiting(), watch.reached
                if state.status != "running":
                    return state
                if asked and self.peer.modern:
                    return Pause(state, asked)
                if asked:
                    await self._ask(asked, watch, answered)

    async def _ask(
        self, asked: Mapping[Question, ApprovalRequestedData], watch: Watch, answered: set[Question]
    ) -> None:
        """Ask the user, as long as all that is asked waits for an answer."""
        seen = watch.reached
        form = question(list(asked.values()), parameters(self._runs))
        asking = asyncio.create_task(self.peer.ask(form))
        gone = asyncio.create_task(
            watch.until(lambda state: not asked.keys() <= open_questions(state).keys())
        )
        try:
            await asyncio.wait({asking, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return
            answer = asking.result()
        finally:
            for task in (asking, gone):
                task.cancel()
            await asyncio.wait({asking, gone})
        if answer is None:
            answered.update(asked)  # others may answer; without one it counts as no in time
        elif await self._decide(dict(asked.keys()), approved(answer)):
            answered.update(asked)
        else:
            await watch.until(lambda state: state is not seen)

    async def _decide(self, decisions: Mapping[int, str], approve: bool) -> bool:
        """Hand an answer in; False when something of it does not wait any more."""
        try:
            reason = "" if approve else DECLINED
            await self._runs.decide(self._run or "", decisions, approve, self.peer.name, reason)
        except Conflict:
            return False
        return True


def parameters(runs: RunService) -> dict[str, list[str]]:
    """The names of every tool's parameters, in their order."""
    return {
        status.spec.name: [parameter.name for parameter in status.spec.parameters] for status in runs.tools()
    }
