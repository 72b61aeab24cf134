"""An answer as it comes, whoever gives it: a run, a plan over a client's tools, or a model.

The OpenAI routes write these pieces as chunks, as one body, or as the typed events of responses.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunService
from tinyagent.ports import Usage

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True)
class Reasoning:
    """The next part of the plan."""

    text: str


@dataclass(frozen=True)
class Text:
    """The next part of the answer."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """A call that the client is to carry out; `arguments` is a JSON object as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Happening:
    """Something that happened in the run, for clients that know more than the OpenAI API."""

    event: ev.Event


@dataclass(frozen=True)
class Ending:
    """The last piece. `state` is the run's, where there was one; a failed run has its fault there."""

    finish_reason: FinishReason
    usage: Usage
    state: RunState | None = None


Piece = Reasoning | Text | ToolCall | Happening | Ending


async def run_pieces(runs: RunService, run: str) -> AsyncGenerator[Piece]:
    """A run's answer as it comes. Raises NotFound or JournalError; a failure of the run is in the Ending."""
    said = ""
    async for event in runs.events(run):
        yield Happening(event)
        match event:
            case ev.PlanDelta(data=data):
                yield Reasoning(data.text)
            case ev.AnswerDelta(data=data):
                said += data.text
                yield Text(data.text)
            case ev.RunCompleted(data=data):
                if data.answer.startswith(said) and len(data.answer) > len(said):
                    yield Text(data.answer[len(said) :])
            case _:
                pass
    state = await runs.get(run)
    yield Ending("stop", usage_of(state), state)


def usage_of(state: RunState) -> Usage:
    """What planning took in this run; the answer's own tokens are not among it."""
    return Usage(state.prompt_tokens, state.plan_tokens, state.cached_tokens, state.prompt_ms, state.plan_ms)
