"""One turn of function calling: the next wave of a plan over the client's tools, or the final message."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from tinyagent.engine.calling import CallingRequest, Turn
from tinyagent.engine.completion import Piece
from tinyagent.engine.runs import RunService
from tinyagent.ports import ChatTurn


class FunctionCalling:
    """Plans over clients' tools by the server's planners."""

    def __init__(self, runs: RunService) -> None:
        self._runs = runs

    def check(self, request: CallingRequest) -> None:
        """Raise InvalidRequest or ModelNotFound for what cannot be planned, before anything is loaded."""

    async def answer(self, request: CallingRequest) -> AsyncGenerator[Piece]:
        """The next wave of calls (one ToolCall each), or the final message, then one Ending.

        Raises InvalidRequest, ModelNotFound, ModelUnavailable, Overloaded or a PlanError.
        """
        raise NotImplementedError
        yield


def chat_of(turns: Sequence[Turn]) -> tuple[ChatTurn, ...]:
    """A conversation with calls and results as plain messages, for models that continue a chat."""
    raise NotImplementedError
