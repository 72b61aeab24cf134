"""Where a run asks its user: one question for each call, bound to exactly what the call would do.

An answer holds for the digest that it names, once. A question that nobody can answer, or that
nobody answers in time, is a refusal.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tinyagent.domain import events as ev
from tinyagent.domain.provenance import Source
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.recorder import Recorder
from tinyagent.errors import ApprovalUnavailable, Cancelled, Conflict, Rejected
from tinyagent.ports import AuditAction, AuditEntry, AuditLog, Clock

NOBODY = "server"
"""Who decided when no person did."""


@dataclass(frozen=True)
class Question:
    """What the user is asked: may this call be carried out, exactly so?"""

    task: int
    spec: ToolSpec
    arguments: tuple[Any, ...]
    details: dict[str, str]
    sources: tuple[Source, ...]
    reason: str

    @property
    def digest(self) -> str:
        return digest_of(self.spec.name, self.arguments, self.details)


@dataclass(frozen=True)
class _Answer:
    approved: bool
    by: str
    reason: str


@dataclass(frozen=True)
class _Open:
    digest: str
    answer: asyncio.Future[_Answer]


class ApprovalDesk:
    """The open questions of one run. `answerable`: somebody is there who can answer them."""

    def __init__(
        self, recorder: Recorder, audit: AuditLog, clock: Clock, wait_s: float, answerable: bool
    ) -> None:
        self._recorder = recorder
        self._audit = audit
        self._clock = clock
        self._wait_s = wait_s
        self.answerable = answerable
        self._open: dict[int, _Open] = {}
        self._asking_since: float | None = None
        self._waited_s = 0.0
        self._closed = ""

    @property
    def waited_s(self) -> float:
        """For how long this run has waited for its user, which does not count as its own time."""
        since = self._asking_since
        return self._waited_s + (time.monotonic() - since if since is not None else 0.0)

    async def ask(self, question: Question) -> None:
        """Return when the user approves. Raises Rejected, ApprovalUnavailable, or Cancelled when closed."""
        name = question.spec.name
        if not self.answerable:
            await self._note(question, "refused", NOBODY)
            raise ApprovalUnavailable(
                f"{name} needs your approval, and nobody can give it here. {question.reason}",
                hint="Ask with `tinyagent ask`, or start the run by POST /v1/runs and approve it there.",
            )
        if self._closed:
            raise Cancelled(self._closed)
        entry = _Open(question.digest, asyncio.get_running_loop().create_future())
        self._open[question.task] = entry
        if self._asking_since is None:
            self._asking_since = time.monotonic()
        try:
            await self._request(question)
            answer = await self._answered(entry)
        finally:
            self._close(question.task)
        await asyncio.shield(self._record_answer(question, answer))
        if not answer.approved:
            because = f": {answer.reason.rstrip('.')}" if answer.reason else ""
            raise Rejected(f"{name} was not approved{because}.", hint="Nothing was done.")

    def decide(self, decisions: Mapping[int, str], approved: bool, by: str, reason: str) -> None:
        """Answer the questions of these tasks, each named with its digest: all of them, or none.

        Raises Conflict when one is not open, or not as the digest says.
        """
        for task, digest in decisions.items():
            entry = self._open.get(task)
            if entry is None or entry.answer.done():
                raise Conflict(
                    f"Task {task} does not wait for an approval.", hint="Look at the run as it stands now."
                )
            if entry.digest != digest:
                raise Conflict(
                    f"Task {task} waits for the approval of something else than this digest names.",
                    hint="Look at its arguments again, and send the digest that stands with them.",
                )
        for task in decisions:
            self._open[task].answer.set_result(_Answer(approved, by, reason))

    def close(self, reason: str) -> None:
        """The run ends: no question is answered any more."""
        self._closed = reason
        for entry in self._open.values():
            entry.answer.cancel()

    async def _request(self, question: Question) -> None:
        await self._note(question, "requested", NOBODY)
        await self._recorder.record(
            ev.ApprovalRequestedData(
                task=question.task,
                tool=question.spec.name,
                effect=question.spec.effect,
                arguments=question.arguments,
                digest=question.digest,
                details=question.details,
                sources=question.sources,
                reason=question.reason,
                expires=self._clock.now() + timedelta(seconds=self._wait_s),
            )
        )

    async def _record_answer(self, question: Question, answer: _Answer) -> None:
        """Not to be cancelled half-way: journal and audit log tell the same."""
        await self._recorder.record(
            ev.ApprovalDecidedData(
                task=question.task,
                digest=question.digest,
                approved=answer.approved,
                by=answer.by,
                reason=answer.reason,
            )
        )
        await self._note(question, "approved" if answer.approved else "rejected", answer.by)

    async def _answered(self, entry: _Open) -> _Answer:
        done, _ = await asyncio.wait({entry.answer}, timeout=self._wait_s)
        if entry.answer.cancelled():
            raise Cancelled(self._closed)
        if not done:
            return _Answer(False, NOBODY, f"nobody answered within {self._wait_s:g} seconds")
        return entry.answer.result()

    def _close(self, task: int) -> None:
        del self._open[task]
        if not self._open and self._asking_since is not None:
            self._waited_s += time.monotonic() - self._asking_since
            self._asking_since = None

    async def _note(self, question: Question, action: AuditAction, by: str) -> None:
        await self._audit.append(
            AuditEntry(
                run=self._recorder.state.run,
                task=question.task,
                tool=question.spec.name,
                effect=question.spec.effect,
                action=action,
                arguments=question.digest,
                by=by,
            )
        )


def digest_of(tool: str, arguments: Sequence[Any], details: Mapping[str, str] | None) -> str:
    """SHA-256 over a call as it would be carried out: the same for the same text, byte for byte."""
    whole = json.dumps([tool, list(arguments), dict(details or {})], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
