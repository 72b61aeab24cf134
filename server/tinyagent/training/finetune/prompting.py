"""Training rows: the tokens of a prompt, as the serving planner builds it, and of the right plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.tools import ToolSpec
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.profiles import InstructedProfile
from tinyagent.ports import Example, PlanRequest
from tinyagent.training.finetune.examples import ExampleIndex
from tinyagent.training.gguf_rows import TokenRow
from tinyagent.training.rows import Request

_ANCHOR = "\n"
"""A plan follows other text: tokenized behind this it begins with no space of its own."""


@dataclass(frozen=True)
class RowMaker:
    """Makes rows; the same request, epoch and seed give the same row.

    `end` is the token behind a plan; `negative_tools` and `examples` are at most so many.
    """

    model: LlamaModel
    profile: InstructedProfile
    index: ExampleIndex
    tools: Sequence[ToolSpec]
    end: int
    max_tokens: int
    negative_tools: int
    examples: int
    seed: int = 0

    def row(self, request: Request, epoch: int) -> TokenRow | None:
        """The row, with fewer examples and then fewer needless tools where it is too long otherwise.

        None when it does not fit even so.
        """
        source = random.Random(f"{self.seed} {epoch} {request.identifier}")
        needed = sorted({call.tool for call in parse_plan(request.plan).calls})
        needless = self._needless(needed, source)
        least = 0 if needed else 1
        plan = self.plan_tokens(request.plan)
        examples = list(self.index.nearest(request.query, [*needed, *needless], self.examples))
        while True:
            prompt = self.prompt(request, [*needed, *needless], examples)
            if len(prompt) + len(plan) <= self.max_tokens:
                return TokenRow(prompt, plan)
            if examples:
                examples.pop()
            elif len(needless) > least:
                needless.pop()
            else:
                return None

    def _needless(self, needed: Sequence[str], source: random.Random) -> list[str]:
        """Tools that the request does not need; at least one where it needs none at all."""
        others = [tool.name for tool in self.tools if tool.name not in needed]
        count = source.randint(0, self.negative_tools)
        return source.sample(others, min(len(others), max(count, 0 if needed else 1)))

    def prompt(self, request: Request, offered: Sequence[str], examples: Sequence[Example]) -> list[int]:
        """The tokens before the plan, by the serving planner's own function."""
        tools = tuple(tool for tool in self.tools if tool.name in offered)
        asked = PlanRequest(request.query, request.now, tools, examples=tuple(examples))
        return self.profile.prompt(asked, self.model)

    def plan_tokens(self, plan: str) -> list[int]:
        """The plan as it continues a prompt, and the end."""
        anchor = self.model.tokenize(_ANCHOR)
        whole = self.model.tokenize(_ANCHOR + plan)
        joined = whole[: len(anchor)] == anchor
        return [*(whole[len(anchor) :] if joined else self.model.tokenize(plan)), self.end]


def steps_of(requests: Sequence[Request], epoch: int, seed: int, size: int) -> list[list[Request]]:
    """The requests of an epoch in its own order, `size` for each step."""
    order = list(requests)
    random.Random(f"{seed} {epoch}").shuffle(order)
    return [order[start : start + size] for start in range(0, len(order), size)]
