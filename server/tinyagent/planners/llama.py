"""The planner that runs a GGUF file by llama.cpp, in this process, under a grammar.

One thread owns the model; requests wait for their turn. What a prompt has in common with the one
before is not read again. Closing the iterator stops the work at the next token or, while the prompt
is read, after at most 128 tokens.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import Overloaded, PlannerFailed
from tinyagent.planners.examples import FindExamples, no_examples
from tinyagent.planners.gguf_header import read_header
from tinyagent.planners.grammar import ROOT, Limits
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_sampler import GrammarSampler
from tinyagent.planners.profiles import PROFILES, Profile, ProfileName, choose_profile
from tinyagent.ports import PlanRequest, Usage

_JOINED = re.compile(r"(?:^|\n)\d+\. join\(\)$")


class LlamaPlanner:
    """Plans with a GGUF file. The file is loaded by the first plan."""

    def __init__(
        self,
        path: Path,
        *,
        name: str = "llama",
        profile: ProfileName | None = None,
        context: int = 4096,
        threads: int | None = None,
        max_tokens: int = 1024,
        max_waiting: int = 16,
        limits: Limits | None = None,
        examples: FindExamples = no_examples,
    ) -> None:
        """`profile` None chooses by the file's metadata; `threads` None by its size.

        `max_tokens` bounds a plan, `max_waiting` the plans that wait for their turn.
        """
        self.name = name
        self._path = path
        self._profile_name: ProfileName | None = profile
        self._context, self._threads = context, threads
        self._max_tokens, self._max_waiting = max_tokens, max_waiting
        self._limits = limits or Limits()
        self._find_examples = examples
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"planner-{name}")
        self._model: LlamaModel | None = None
        self._waiting = 0
        self._closing = threading.Event()

    @cached_property
    def profile(self) -> Profile:
        """How the model is asked. Raises ModelUnavailable for a missing or damaged file."""
        header = read_header(self._path)
        return choose_profile(header) if self._profile_name is None else PROFILES[self._profile_name]

    @property
    def can_replan(self) -> bool:
        """Whether the model was made to read earlier tasks."""
        return self.profile.can_replan

    def knows(self, tool: ToolSpec) -> bool:
        """Whether the model can plan calls of this tool."""
        return self.profile.knows(tool)

    @property
    def tokens_in_memory(self) -> int:
        """Tokens of prompt and plan that the model has read and keeps."""
        return self._model.tokens_in_memory if self._model else 0

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        """Stream the plan; see `ports.Planner`. Raises Overloaded when too many plans wait."""
        if self._waiting > self._max_waiting:
            raise Overloaded("Too many requests wait for the planner.", hint="Try again in a moment.")
        pieces: asyncio.Queue[str | Usage | None] = asyncio.Queue()
        cancelled = threading.Event()
        loop = asyncio.get_running_loop()

        def stopped() -> bool:
            return cancelled.is_set() or self._closing.is_set()

        def work() -> None:
            try:
                for piece in self._generate(request, stopped):
                    loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(pieces.put_nowait, None)

        self._waiting += 1
        done = loop.run_in_executor(self._worker, work)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await done
            if self._closing.is_set():
                raise PlannerFailed(f"The planner {self.name} was closed.", hint="Start the server again.")
        finally:
            cancelled.set()
            self._waiting -= 1
            await asyncio.wait([done])
            if not done.cancelled():
                done.exception()  # a failure after cancellation concerns nobody

    def _generate(self, request: PlanRequest, cancelled: Callable[[], bool]) -> Iterator[str | Usage]:
        """The plan's pieces, then the usage; stops early when cancelled. Runs in the worker thread."""
        if cancelled():
            return
        profile, model = self.profile, self._loaded()
        prompt = self._prompt(request, model)
        limit = min(self._max_tokens, model.context - len(prompt) - 1)
        if limit < 1:
            raise PlannerFailed(
                f"Planner {self.name} reads at most {model.context} tokens, the request has {len(prompt)}.",
                hint="Shorten the request, or choose a planner with a longer context.",
            )
        known = model.read(prompt, cancelled)
        if known is None:
            return
        grammar = profile.grammar(request, self._limits)
        sampler = GrammarSampler(model, grammar, ROOT, lambda text: profile.makes_sense(text, request))
        text, count = "", 0
        try:
            for piece in self._write(model, sampler, limit, cancelled):
                count += 1
                text += piece
                if profile.translate is None and piece:
                    yield piece
        finally:
            sampler.close()
        if not cancelled():
            yield profile.translate(text, request) if profile.translate else END_OF_PLAN
            yield Usage(len(prompt), count, known)

    def _prompt(self, request: PlanRequest, model: LlamaModel) -> list[int]:
        """The prompt with as many examples as leave room for a plan.

        Examples are in the public plan language; a model that writes another one gets none.
        """
        if self.profile.translate is not None:
            return self.profile.prompt(request, model)
        found = self._find_examples(request)
        room = model.context - min(self._max_tokens, model.context // 4)
        while True:
            prompt = self.profile.prompt(replace(request, examples=found), model)
            if not found or len(prompt) <= room:
                return prompt
            found = found[:-1]

    def _write(
        self, model: LlamaModel, sampler: GrammarSampler, limit: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        """The text, token by token, until the plan is whole."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        text = ""
        for _ in range(limit):
            if cancelled():
                return
            token = sampler.choose(model.logits())
            if model.is_end(token):
                return
            piece = decoder.decode(model.piece(token))
            text += piece
            yield piece
            if self.profile.translate is None and _JOINED.search(text):
                return
            model.extend([token])
        raise PlannerFailed(
            f"The planner {self.name} wrote {limit} tokens without coming to an end.",
            hint="Shorten the request, or choose another planner.",
        )

    def _loaded(self) -> LlamaModel:
        if self._model is None:
            self._model = LlamaModel(self._path, context=self._context, threads=self._threads)
        return self._model

    async def close(self) -> None:
        """Free model and thread; plans under way fail at their next token."""
        self._closing.set()
        await asyncio.get_running_loop().run_in_executor(None, self._shut)

    def _shut(self) -> None:
        self._worker.shutdown(wait=True)
        if self._model is not None:
            self._model.close()
            self._model = None
