"""Answers of chat models as pieces, and any answer gathered into one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from tinyagent.api.modes import Mode
from tinyagent.api.serving import Serving
from tinyagent.engine.catalog import PlannerCatalog
from tinyagent.engine.completion import Ending, Piece, Reasoning, Text, ToolCall
from tinyagent.errors import PlannerFailed
from tinyagent.ports import ChatEnd, ChatRequest, Usage


async def plain_pieces(catalog: PlannerCatalog, model: str, request: ChatRequest) -> AsyncGenerator[Piece]:
    """A chat model's own answer; the model is loaded when the first piece is asked for.

    Closing the generator stops the model. Raises what `PlannerCatalog.chat` and `ChatModel.chat` do.
    """
    chat = await catalog.chat(model)
    async with aclosing(cast("AsyncGenerator[str | ChatEnd]", chat.chat(request))) as parts:
        async for part in parts:
            if isinstance(part, ChatEnd):
                yield Ending(part.finish_reason, part.usage)
            else:
                yield Text(part)


def count(serving: Serving, model: str, usage: Usage) -> None:
    """Add what a model read and wrote outside of a run to the server's figures."""
    if serving.figures is not None:
        serving.figures.used(model, usage)


async def counted(pieces: AsyncGenerator[Piece], serving: Serving, mode: Mode) -> AsyncGenerator[Piece]:
    """The pieces of an answer without a run; what it took is counted among the server's figures."""
    model = mode.model or serving.runs.catalog.resolve(None)
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Ending):
                count(serving, model, piece.usage)
            yield piece


@dataclass
class Gathered:
    """An answer in one piece."""

    ending: Ending
    reasoning: str = ""
    text: str = ""
    calls: list[ToolCall] = field(default_factory=list[ToolCall])


async def gathered(pieces: AsyncGenerator[Piece]) -> Gathered:
    """All pieces of an answer. Raises what the generator does, and PlannerFailed when it has no end."""
    reasoning: list[str] = []
    text: list[str] = []
    calls: list[ToolCall] = []
    async with aclosing(pieces):
        async for piece in pieces:
            match piece:
                case Reasoning(text=part):
                    reasoning.append(part)
                case Text(text=part):
                    text.append(part)
                case ToolCall():
                    calls.append(piece)
                case Ending():
                    return Gathered(piece, "".join(reasoning), "".join(text), calls)
                case _:
                    pass
    raise broken_off()


def broken_off() -> PlannerFailed:
    """What to say of an answer that has no end."""
    return PlannerFailed("The answer broke off.", hint="Try again; the server's log may say more.")
