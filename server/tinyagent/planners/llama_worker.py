"""One thread that owns one GGUF model, for all who use the file: its planner, its chats, the writer.

Requests wait for their turn. Whoever stops listening stops the work at its next look at `stopped`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from tinyagent.errors import Overloaded, PlannerFailed
from tinyagent.planners.gguf_header import Scalar, read_header
from tinyagent.planners.llama_model import LlamaModel

T = TypeVar("T")

Stopped = Callable[[], bool]
"""Whether nobody waits for the work any more."""


class LlamaWorker:
    """A GGUF file that is loaded by its first use and then answers one request after the other."""

    def __init__(
        self, path: Path, *, context: int = 4096, threads: int | None = None, max_waiting: int = 16
    ) -> None:
        """`context` is in tokens, `threads` None goes by the file's size, `max_waiting` bounds the requests
        that wait for their turn."""
        self.path = path
        self.context = context
        self._threads, self._max_waiting = threads, max_waiting
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"llama-{path.stem}")
        self._model: LlamaModel | None = None
        self._waiting = 0
        self._closing = threading.Event()
        self._shutting = threading.Lock()

    @cached_property
    def header(self) -> Mapping[str, Scalar]:
        """The file's metadata. Raises ModelUnavailable for a missing or damaged file."""
        return read_header(self.path)

    @property
    def tokens_in_memory(self) -> int:
        """Tokens of the last prompt and its answer that the model has read and keeps."""
        return self._model.tokens_in_memory if self._model else 0

    async def stream(self, work: Callable[[LlamaModel, Stopped], Iterator[T]]) -> AsyncGenerator[T]:
        """What `work` yields in the model's thread, when its turn has come.

        Closing the iterator stops the work: it ends itself when `stopped()`, and is given up when it has
        not begun. Raises ModelUnavailable, Overloaded when too many wait, PlannerFailed after `close`, and
        whatever `work` raises.
        """
        self._check_open()
        pieces: asyncio.Queue[T | _End] = asyncio.Queue()
        cancelled = threading.Event()
        loop = asyncio.get_running_loop()

        def stopped() -> bool:
            return cancelled.is_set() or self._closing.is_set()

        def run() -> None:
            try:
                if not stopped():
                    for piece in work(self._loaded(stopped), stopped):
                        loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(pieces.put_nowait, _END)

        self._waiting += 1
        job = self._thread.submit(run)
        done = asyncio.wrap_future(job)
        try:
            while not isinstance(piece := await pieces.get(), _End):
                yield piece
            if self._closing.is_set():
                raise self._closed()
            await done
        finally:
            cancelled.set()
            self._waiting -= 1
            if not job.cancel():
                await asyncio.wait([done])
                _ = done.cancelled() or done.exception()  # a failure after cancellation concerns nobody

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise self._closed()
        if self._waiting > self._max_waiting:
            raise Overloaded(
                f"Too many requests wait for the model {self.path.name}.", hint="Try again in a moment."
            )

    def _loaded(self, stopped: Stopped) -> LlamaModel:
        if self._model is None:
            _ = self.header  # tells a missing or damaged file in better words than llama.cpp
            self._model = LlamaModel(
                self.path, context=self.context, threads=self._threads, cancelled=stopped
            )
        return self._model

    def _closed(self) -> PlannerFailed:
        return PlannerFailed(f"The model {self.path.name} was closed.", hint="Start the server again.")

    async def close(self) -> None:
        """Free model and thread; work under way fails at its next token. Closing twice is harmless."""
        self._closing.set()
        await asyncio.get_running_loop().run_in_executor(None, self._shut)

    def _shut(self) -> None:
        self._thread.shutdown(wait=True)
        with self._shutting:
            if self._model is not None:
                self._model.close()
                self._model = None


class _End:
    """Stands for the end of the work among its pieces."""


_END = _End()


def worker_of(model: Path | LlamaWorker, context: int, threads: int | None, max_waiting: int) -> LlamaWorker:
    """The worker itself, or a new one of a file."""
    if isinstance(model, LlamaWorker):
        return model
    return LlamaWorker(model, context=context, threads=threads, max_waiting=max_waiting)
