"""Answers as OpenAI's chat clients read them: whole or in chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyagent import __version__
from tinyagent.api.cutting import Answer
from tinyagent.api.failures import error_body, error_of
from tinyagent.api.pieces import Gathered
from tinyagent.api.schemas import RunBody
from tinyagent.api.sse import frame
from tinyagent.api.usage_body import timings_of, tokens_of
from tinyagent.domain.events import EVENT
from tinyagent.domain.run import RunState
from tinyagent.engine.completion import Ending, Happening, Piece, Reasoning, Text, ToolCall
from tinyagent.errors import TinyAgentError
from tinyagent.ports import Usage

DONE = frame("[DONE]")


@dataclass(frozen=True)
class Head:
    """What all bodies of one answer begin with; `created` in seconds since 1970."""

    id: str
    created: int
    model: str

    def body(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": f"tinyagent-{__version__}",
            "service_tier": "default",
        }


def completion(head: Head, whole: Gathered, answer: Answer, composed: bool) -> dict[str, Any]:
    """The body of a `chat.completion`. `composed`: the text is no model's."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": whole.text if whole.text or not whole.calls else None,
        "reasoning_content": whole.reasoning or None,
        "refusal": None,
    }
    if whole.calls:
        message["tool_calls"] = [_call(call, call.arguments) for call in whole.calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": whole.ending.finish_reason,
    }
    usage = whole.ending.usage
    return {
        **head.body("chat.completion"),
        "choices": [choice],
        "usage": _usage(usage, answer, bool(whole.reasoning), composed),
        **_timings(usage),
        **({} if whole.ending.state is None else {"tinyagent": run_body(whole.ending.state)}),
    }


def run_body(state: RunState) -> dict[str, Any]:
    """The whole run, as `GET /v1/runs/{id}` gives it."""
    return RunBody.of(state).model_dump(mode="json")


class Chunks:
    """Writes pieces as the frames of a stream. Every frame is a complete chunk.

    `answer` counts the text; `composed` says that it is no model's. With `nullable`, the content may turn out
    to be nothing at all, because the answer is calls.
    """

    def __init__(
        self, head: Head, answer: Answer, *, composed: bool, nullable: bool, include_usage: bool
    ) -> None:
        self._head = head.body("chat.completion.chunk")
        self._answer = answer
        self._composed = composed
        self._nullable = nullable
        self._include_usage = include_usage
        self._reasoned = False
        self._calls = 0

    def begin(self) -> bytes:
        return self._chunk({"role": "assistant", "content": None if self._nullable else ""})

    def write(self, piece: Piece) -> Iterator[bytes]:
        """The frames of a piece. Raises the error of a run that failed."""
        match piece:
            case Happening(event=event):
                yield self._chunk({}, tinyagent=EVENT.dump_python(event, mode="json"))
            case Reasoning(text=text):
                self._reasoned = True
                yield self._chunk({"reasoning_content": text})
            case Text(text=text):
                yield self._chunk({"content": text})
            case ToolCall():
                yield from self._tool_call(piece)
            case Ending():
                yield from self._end(piece)

    def failure(self, error: TinyAgentError) -> bytes:
        return self._chunk({}, "error", **error_body(error))

    def _tool_call(self, call: ToolCall) -> Iterator[bytes]:
        """Id and name once, then the arguments."""
        index, self._calls = self._calls, self._calls + 1
        yield self._chunk({"tool_calls": [{"index": index, **_call(call, "")}]})
        yield self._chunk({"tool_calls": [{"index": index, "function": {"arguments": call.arguments}}]})

    def _end(self, ending: Ending) -> Iterator[bytes]:
        if ending.state is not None and ending.state.fault is not None:
            raise error_of(ending.state.fault)
        timings = _timings(ending.usage)
        yield self._chunk({}, ending.finish_reason, **timings)
        if self._include_usage:
            usage = _usage(ending.usage, self._answer, self._reasoned, self._composed)
            yield frame(json.dumps({**self._head, "choices": [], "usage": usage, **timings}))

    def _chunk(self, delta: dict[str, Any], reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        usage = {"usage": None} if self._include_usage else {}
        return frame(json.dumps({**self._head, "choices": [choice], **usage, **more}))


def _call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _timings(usage: Usage) -> dict[str, Any]:
    timings = timings_of(usage)
    return {} if timings is None else {"timings": timings}


def _usage(usage: Usage, answer: Answer, reasoned: bool, composed: bool) -> dict[str, Any]:
    tokens = tokens_of(usage, answer.tokens, reasoned=reasoned, composed=composed)
    return {
        "prompt_tokens": tokens.read,
        "completion_tokens": tokens.written,
        "total_tokens": tokens.read + tokens.written,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
