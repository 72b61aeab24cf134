"""While a run is followed: ask the user about its waiting calls, and hand the answers in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from tinyagent.cli.failures import show_error
from tinyagent.cli.prompt import Answer, Prompt
from tinyagent.cli.terminal import diagnostics
from tinyagent.domain.events import ApprovalRequestedData
from tinyagent.domain.run import Question, RunState, all_asked, open_questions
from tinyagent.errors import Conflict, TinyAgentError

if TYPE_CHECKING:
    from tinyagent.cli.views import View

WITHDRAWN = "It was answered elsewhere, withdrawn, or nobody answered in time."
SETTLE_S = 2.0
"""How long a question waits for further calls, so that one screen shows them all."""


class Answering(Protocol):
    """Who carries the run out, as far as it asks."""

    async def decide(
        self, run: str, decisions: Mapping[int, str], approved: bool, reason: str = ""
    ) -> None: ...

    async def parameters(self) -> dict[str, list[str]]: ...


class Desk:
    """Asks by `prompt` whatever the run asks, while `view` pauses. Use as an async context manager.

    A question that was answered elsewhere, or that expired, is withdrawn.
    """

    def __init__(self, runs: Answering, run: str, view: View, prompt: Prompt) -> None:
        self._runs = runs
        self._run = run
        self._view = view
        self._prompt = prompt
        self._state: RunState | None = None
        self._changed = asyncio.Event()
        self._answered: set[Question] = set()

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self._answer_all(), name=f"questions of {self._run}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._work

    def notice(self, state: RunState) -> None:
        """The run has come so far."""
        self._state = state
        self._changed.set()

    async def _answer_all(self) -> None:
        while True:
            await self._until(lambda: bool(self._open()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await self._until(self._settled)
            await self._answer(self._open())

    async def _answer(self, shown: dict[Question, ApprovalRequestedData]) -> None:
        if not shown:
            return
        seen = self._state
        try:
            with self._view.paused():
                answer = None
                try:
                    answer = await self._asked(shown)
                finally:  # also when the run ended so soon that nothing is followed any more
                    if answer is None and not self._waits(shown):
                        diagnostics().print(f"\n{WITHDRAWN}")
                if answer is None:
                    return
                await self._hand_in(answer)
        except Conflict as error:
            show_error(error)
            await self._until(lambda: self._state is not seen)
        except TinyAgentError as error:
            show_error(error)
            diagnostics().print(
                f"Answer with `tinyagent approve {self._run}` or `tinyagent reject {self._run}`."
            )
            self._answered |= shown.keys()
        else:
            self._answered |= shown.keys()

    async def _asked(self, shown: dict[Question, ApprovalRequestedData]) -> Answer | None:
        """The user's answer; None when one of the calls does not wait any more."""
        parameters = await self._runs.parameters()
        asking = asyncio.create_task(self._prompt.ask(list(shown.values()), parameters))
        gone = asyncio.create_task(self._until(lambda: not self._waits(shown)))
        try:
            await asyncio.wait({asking, gone}, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            for task in (asking, gone):
                task.cancel()
            await asyncio.wait({asking, gone})

    async def _hand_in(self, answer: Answer) -> None:
        for decisions, approved in ((answer.approved, True), (answer.rejected, False)):
            if decisions:
                await self._runs.decide(self._run, decisions, approved)

    def _open(self) -> dict[Question, ApprovalRequestedData]:
        """What waits and was not answered here."""
        waiting = open_questions(self._state) if self._state is not None else {}
        return {key: one for key, one in waiting.items() if key not in self._answered}

    def _waits(self, shown: dict[Question, ApprovalRequestedData]) -> bool:
        """Whether all that was shown still waits for an answer."""
        return shown.keys() <= self._open().keys()

    def _settled(self) -> bool:
        return self._state is None or all_asked(self._state)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()
