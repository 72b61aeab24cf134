"""The answer as OpenAI clients read it: cut by `stop` and `max_tokens`, whole or in chunks."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from tinyagent.api.chat_request import ChatRequest
from tinyagent.api.failures import error_body
from tinyagent.api.schemas import RunBody
from tinyagent.api.sse import frame
from tinyagent.domain.events import EVENT, Event
from tinyagent.domain.run import RunState
from tinyagent.errors import TinyAgentError

FinishReason = Literal["stop", "length"]
DONE = frame("[DONE]")

_TOKEN = re.compile(r"\w{1,4}|[^\w\s]")
"""The answer is composed without a model, so its tokens are counted by the rule of thumb: up to
four letters of a word, or a sign."""


class Answer:
    """The answer as far as the client may see it.

    Text that may be the beginning of a stop string is held back until it is known.
    """

    def __init__(self, stops: Sequence[str], limit: int | None) -> None:
        self._stops = tuple(stops)
        self._limit = limit
        self._held = ""
        self._full = ""
        self._ended = False
        self.text = ""
        self.finish_reason: FinishReason = "stop"

    @property
    def tokens(self) -> int:
        return len(_TOKEN.findall(self.text))

    def feed(self, text: str) -> str:
        """Take the next piece of the answer; the text to send now."""
        self._full += text
        return self._release(text, last=False)

    def close(self, whole: str) -> str:
        """Take the whole answer at its end; the text that is still to be sent."""
        rest = whole[len(self._full) :] if whole.startswith(self._full) else ""
        return self._release(rest, last=True)

    def _release(self, text: str, last: bool) -> str:
        if self._ended:
            return ""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self._held, self._ended = self._held[: min(found)], True
        kept = 0 if found or last else self._beginning_of_stop()
        sent, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        sent = self._cut(sent)
        self.text += sent
        return sent

    def _beginning_of_stop(self) -> int:
        """How many of the last characters may be the beginning of a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0

    def _cut(self, text: str) -> str:
        """`text` as far as the limit allows. Tokens are counted over the whole answer."""
        if self._limit is None:
            return text
        whole = self.text + text
        over = [match.start() for match in _TOKEN.finditer(whole)][self._limit : self._limit + 1]
        if not over:
            return text
        self._ended, self.finish_reason = True, "length"
        return whole[len(self.text) : over[0]]


def answer_of(request: ChatRequest) -> Answer:
    """An answer with the cuts that the request asks for."""
    return Answer(request.stop or (), request.limit)


def completion(state: RunState, request: ChatRequest, answer: Answer) -> dict[str, Any]:
    """The body of a `chat.completion`."""
    message = {
        "role": "assistant",
        "content": answer.text,
        "reasoning_content": state.plan,
        "refusal": None,
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {
        **_head(state, request, "chat.completion"),
        "choices": [choice],
        "usage": _usage(state, answer),
        "tinyagent": run_body(state),
    }


def run_body(state: RunState) -> dict[str, Any]:
    """The whole run, as `GET /v1/runs/{id}` gives it."""
    return RunBody.of(state).model_dump(mode="json")


class Chunks:
    """Writes the frames of a stream. Every frame is a complete chunk."""

    def __init__(self, state: RunState, request: ChatRequest) -> None:
        self._head = _head(state, request, "chat.completion.chunk")
        self._usage_follows = request.include_usage

    def role(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def plan(self, text: str) -> bytes:
        return self._chunk({"reasoning_content": text})

    def content(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def event(self, event: Event) -> bytes:
        """A run event beside an empty delta, so that every client can read the chunk."""
        return self._chunk({}, tinyagent=EVENT.dump_python(event, mode="json"))

    def finish(self, reason: FinishReason) -> bytes:
        return self._chunk({}, reason)

    def failure(self, error: TinyAgentError) -> bytes:
        return self._chunk({}, "error", **error_body(error))

    def usage(self, state: RunState, answer: Answer) -> bytes:
        return frame(json.dumps({**self._head, "choices": [], "usage": _usage(state, answer)}))

    def _chunk(self, delta: dict[str, str], reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        usage = {"usage": None} if self._usage_follows else {}
        return frame(json.dumps({**self._head, "choices": [choice], **usage, **more}))


def _head(state: RunState, request: ChatRequest, kind: str) -> dict[str, Any]:
    created = int(state.created.timestamp())
    return {"id": f"chatcmpl-{state.run}", "object": kind, "created": created, "model": request.model}


def _usage(state: RunState, answer: Answer) -> dict[str, Any]:
    written = state.plan_tokens + answer.tokens
    return {
        "prompt_tokens": state.prompt_tokens,
        "completion_tokens": written,
        "total_tokens": state.prompt_tokens + written,
        "prompt_tokens_details": {"cached_tokens": state.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": state.plan_tokens},
    }
