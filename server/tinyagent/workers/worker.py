"""The worker: takes jobs from a server and carries them out by a tool host of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, TypeVar

from tinyagent import __version__
from tinyagent.errors import ServerUnreachable, Unauthorized
from tinyagent.ports import ToolHost
from tinyagent.workers.backoff import Backoff
from tinyagent.workers.errand import Errands
from tinyagent.workers.link import Link
from tinyagent.workers.wire import Job, Offer

T = TypeVar("T")

SLOTS = 4
POLL_S = 20.0


class Worker:
    """Carries out the jobs of one server, several at once.

    `allowed` are the tools that it carries out whatever the server says. `say` takes sentences for
    whoever watches it; they hold names of tools and no text of the user's.
    """

    def __init__(
        self, host: ToolHost, link: Link, allowed: Collection[str], say: Callable[[str], None]
    ) -> None:
        self._host = host
        self._link = link
        self._allowed = frozenset(allowed)
        self._say = say
        self._stop = asyncio.Event()
        self._errands = Errands(host, link, self._allowed, say, self._stop)
        self._running: set[asyncio.Task[None]] = set()
        self._connected = False

    def stop(self) -> None:
        """Take no further job; what is under way is finished and handed in."""
        if not self._stop.is_set() and self._running:
            self._say(f"Stops after what it carries out now ({len(self._running)}).")
        self._stop.set()

    async def run(self) -> None:
        """Work until it is stopped. Raises the error with which the server refuses the worker for good."""
        try:
            while not self._stop.is_set():
                if len(self._running) >= SLOTS:
                    await self._unless_stopped(self._room())
                    continue
                job = await self._unless_stopped(self._next())
                if job is not None:
                    task = asyncio.create_task(self._errands.run(job), name=job.id)
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
        finally:
            self._stop.set()
            if self._running:
                await asyncio.wait(self._running)

    async def _room(self) -> None:
        """Wait until one of the jobs under way has ended."""
        if self._running:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _next(self) -> Job | None:
        """The next job; waits longer and longer while the server does not answer."""
        backoff = Backoff()
        while True:
            try:
                # Without a wait at first, so that a new connection is known, and told, at once.
                job = await self._link.claim(self.offers(), POLL_S if self._connected else 0.0)
            except ServerUnreachable as error:
                if self._connected or backoff.fresh:
                    self._say(f"{error} Tries again.")
                self._connected = False
                await asyncio.sleep(backoff.next())
                continue
            except Unauthorized as error:
                raise Unauthorized(
                    f"{self._link.url} does not accept this worker's token: it is wrong, or was revoked.",
                    hint="Use what `tinyagent token --worker` prints on the server.",
                ) from error
            self._note_connection()
            if job is not None:
                return job

    def _note_connection(self) -> None:
        if self._connected:
            return
        self._connected = True
        theirs = self._link.server_version
        self._say(f"Connected to {self._link.url} as {self._link.who.worker}.")
        if theirs and theirs != __version__:
            self._say(f"The server is tinyagent {theirs}, this is {__version__}: install the same version.")

    def offers(self) -> dict[str, Offer]:
        """What this worker carries out, as the server is told."""
        return {
            status.spec.name: Offer(
                enabled=status.enabled,
                reason=status.reason,
                drafts_only=status.drafts_only,
                invites=status.invites,
            )
            for status in self._host.tools()
            if status.spec.name in self._allowed
        }

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None when the worker is stopped before."""
        task, stopped = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stopped.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)
