"""The planner that runs a GGUF file by llama.cpp, in this process, under a grammar.

What a prompt has in common with the one before is not read again. Closing the iterator stops the work at
the next token or, while the prompt is read, after at most 128 tokens.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import PlannerFailed
from tinyagent.planners.examples import FindExamples, no_examples
from tinyagent.planners.grammar import ROOT, Limits
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_sampler import GrammarSampler
from tinyagent.planners.llama_text import LlamaText
from tinyagent.planners.llama_worker import LlamaWorker, Stopped, worker_of
from tinyagent.planners.profiles import PROFILES, Profile, ProfileName, choose_profile
from tinyagent.ports import PlanRequest, Usage

_JOIN = re.compile(r"\d+\. join\(\)")


class LlamaPlanner:
    """Plans with a GGUF file. The file is loaded by the first plan."""

    def __init__(
        self,
        model: Path | LlamaWorker,
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
        """`model` is a file, or the worker of one that others use too, which then decides about context,
        threads and waiting; see `LlamaWorker`.

        `profile` None chooses by the file's metadata; `max_tokens` bounds a plan.
        """
        self.name = name
        self._worker = worker_of(model, context, threads, max_waiting)
        self._profile_name: ProfileName | None = profile
        self._max_tokens = max_tokens
        self._limits = limits or Limits()
        self._find_examples = examples

    @cached_property
    def profile(self) -> Profile:
        """How the model is asked. Raises ModelUnavailable for a missing or damaged file."""
        header = self._worker.header
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
        return self._worker.tokens_in_memory

    async def plan(self, request: PlanRequest) -> AsyncGenerator[str | Usage]:
        """Stream the plan; see `ports.Planner`. Raises Overloaded when too many requests wait."""
        async with aclosing(self._worker.stream(partial(self._generate, request))) as pieces:
            async for piece in pieces:
                yield piece

    def _generate(self, request: PlanRequest, model: LlamaModel, stopped: Stopped) -> Iterator[str | Usage]:
        """The plan's pieces, then the usage; stops early when stopped. Runs in the worker's thread."""
        profile = self.profile
        prompt = self._prompt(request, model)
        written = LlamaText(model, prompt, stopped)
        if written.room < 1:
            raise PlannerFailed(
                f"Planner {self.name} reads at most {model.context} tokens, the request has {len(prompt)}.",
                hint="Shorten the request, or choose a planner with a longer context.",
            )
        text = ""
        for piece in self._write(request, model, written):
            text += piece
            if profile.translate is None and piece:
                yield piece
        if not stopped():
            yield profile.translate(text, request) if profile.translate else END_OF_PLAN
            yield written.usage()

    def _write(self, request: PlanRequest, model: LlamaModel, written: LlamaText) -> Iterator[str]:
        """The text in pieces, until the plan is whole."""
        profile = self.profile
        grammar = profile.grammar(request, self._limits)
        limit = min(self._max_tokens, written.room)
        sensible = partial(profile.makes_sense, request=request)
        with closing(GrammarSampler(model, grammar, ROOT, sensible)) as sampler:
            line = ""
            for piece in written.write(sampler.choose, limit):
                yield piece
                line = (line + piece).rpartition("\n")[2]
                if profile.translate is None and _JOIN.fullmatch(line):
                    return
        if written.tokens >= limit and not written.ended:
            raise PlannerFailed(
                f"The planner {self.name} wrote {limit} tokens without coming to an end.",
                hint="Shorten the request, or choose another planner.",
            )

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

    async def close(self) -> None:
        """Free model and thread; plans under way fail at their next token."""
        await self._worker.close()
