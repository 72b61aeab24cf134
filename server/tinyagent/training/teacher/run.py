"""A teaching run: asks on several lines at once until there are rows enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from tinyagent.errors import PlannerFailed
from tinyagent.training.teacher.answers import CUT, FORM, Offered, Refused, accepted, offered
from tinyagent.training.teacher.asks import Ask, ask_of
from tinyagent.training.teacher.chat import Answer, ChatClient, NoAnswer
from tinyagent.training.teacher.ledger import Ledger, Note
from tinyagent.training.teacher.prompt import messages

REQUESTS_PER_ASK = 4
MAX_FAILURES = 8
"""Asks without an answer, one after the other, after which a run gives up."""
MAX_BARREN = 30
"""Answers without a usable request, one after the other, after which a run gives up."""


@dataclass(frozen=True)
class Task:
    """How many rows the file shall hold, by which sequence of asks, on how many lines at once."""

    rows: int
    seed: int
    concurrency: int
    examples: Sequence[tuple[frozenset[str], str]]


class TeachingRun:
    """Carries out a task. What is accepted is on disk at once, so a run can stop anywhere."""

    def __init__(
        self, task: Task, client: ChatClient, ledger: Ledger, advance: Callable[[], None] = lambda: None
    ) -> None:
        self._task, self._client, self._ledger, self._advance = task, client, ledger, advance
        self._indices = self._unasked()
        self._failures = 0
        self._barren = 0

    async def run(self) -> None:
        """Ask until the file is full. Raises PlannerFailed when the teacher is of no use."""
        lines = [asyncio.create_task(self._line()) for _ in range(self._task.concurrency)]
        try:
            finished, _ = await asyncio.wait(lines, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)
        for line in finished:
            line.result()

    @property
    def _is_full(self) -> bool:
        return self._ledger.rows >= self._task.rows

    def _unasked(self) -> Iterator[int]:
        answered = self._ledger.answered(self._task.seed)
        return (index for index in count() if index not in answered)

    async def _line(self) -> None:
        while not self._is_full:
            index = next(self._indices)
            ask = ask_of(self._task.seed, index, self._task.examples, REQUESTS_PER_ASK)
            note = Note(self._task.seed, index)
            try:
                answer = await self._client.ask(messages(ask))
            except NoAnswer as failure:
                note.failure = failure.reason
            else:
                self._take(ask, answer, note)
            self._ledger.note(note)
            self._judge(note)

    def _take(self, ask: Ask, answer: Answer, note: Note) -> None:
        """Keep what is good of an answer and note the rest with its reasons."""
        note.prompt_tokens, note.completion_tokens = answer.prompt_tokens, answer.completion_tokens
        blocks = offered(answer.text)
        if not blocks:
            reason = FORM if answer.whole else CUT
            note.rejected.append((reason, _shortened(answer.text) or "an empty answer"))
        for number, block in enumerate(blocks, 1):
            if self._is_full:
                return
            try:
                self._keep(ask, block, note)
            except Refused as refused:
                is_half = number == len(blocks) and not answer.whole
                reason = CUT if is_half else refused.reason
                note.rejected.append((reason, f"{refused.detail} | {_shortened(block.query)}"))

    def _keep(self, ask: Ask, block: Offered, note: Note) -> None:
        request = accepted(block, ask.now)
        if repeated := self._ledger.repeats(request.query):
            raise Refused(repeated, "it repeats another request")
        self._ledger.keep(request, ask.tools)
        note.accepted += 1
        self._advance()

    def _judge(self, note: Note) -> None:
        """Give up after too many failures, or too many answers of no use, one after the other."""
        self._failures = self._failures + 1 if note.failure else 0
        self._barren = 0 if note.accepted else self._barren + (not note.failure)
        if self._failures >= MAX_FAILURES:
            raise PlannerFailed(
                f"The teacher gave no answer {self._failures} times one after the other: {note.failure}.",
                hint="See to its server, then give the same command again: it goes on where it stopped.",
            )
        if self._barren >= MAX_BARREN:
            reasons = Counter(
                reason for note in self._ledger.notes[-MAX_BARREN:] for reason, _ in note.rejected
            )
            most = ", ".join(f"{reason} ({times})" for reason, times in reasons.most_common(2))
            raise PlannerFailed(
                f"The last {self._barren} answers of the teacher held no usable request: {most or 'empty'}.",
                hint="Look into the report beside the file; another --model may follow the form better.",
            )


def _shortened(text: str) -> str:
    return " ".join(text.split())[:160]
