"""A response as OpenAI clients read it: its items grow piece by piece, and each step is a typed event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyagent.api.failures import error_body
from tinyagent.api.responses_items import Item
from tinyagent.api.usage_body import Tokens, timings_of
from tinyagent.domain.events import EVENT
from tinyagent.engine.completion import Ending, Happening, Piece, Reasoning, Text, ToolCall
from tinyagent.errors import TinyAgentError

Event = dict[str, Any]

_CODES = {429: "rate_limit_exceeded"}
"""Errors of responses have OpenAI's few codes; `tinyagent` beside it has the server's own."""


@dataclass
class Growing:
    """A response under way. `key` is what the ids of its items are made of.

    `head` is the response without output. Its events are numbered in their order.
    """

    head: Mapping[str, Any]
    key: str
    output: list[Item] = field(default_factory=list[Item], init=False)
    status: str = field(default="in_progress", init=False)
    error: TinyAgentError | None = field(default=None, init=False)
    """Why it came to nothing."""
    _open: bool = field(default=False, init=False)
    """Whether the last item still grows."""
    _number: int = field(default=0, init=False)
    _more: dict[str, Any] = field(default_factory=dict[str, Any], init=False)
    """What the end adds to the head."""

    def body(self) -> dict[str, Any]:
        """The response as it stands."""
        return {**self.head, "status": self.status, "output": self.output, **self._more}

    def begin(self) -> list[Event]:
        """The events before everything else."""
        return [self._lifecycle("response.created"), self._lifecycle("response.in_progress")]

    def take(self, piece: Piece) -> list[Event]:
        """The events that tell of a piece; of an Ending nothing."""
        match piece:
            case Reasoning(text=text):
                return list(self._reasoning(text))
            case Text(text=text):
                return list(self._message(text))
            case ToolCall():
                return list(self._call(piece))
            case Happening(event=event):
                told = {"tinyagent": EVENT.dump_python(event, mode="json")}
                return [{**self._lifecycle("response.in_progress"), **told}]
            case Ending():
                return []

    def end(self, ending: Ending, tokens: Tokens, ended_at: float, **more: Any) -> list[Event]:
        """The events at the end of an answer that was given, whole or cut; `more` are further keys."""
        cut = ending.finish_reason == "length"
        status = "incomplete" if cut else "completed"
        spoken = any(item["type"] in ("message", "function_call") for item in self.output)
        events = [] if spoken else list(self._message(""))
        events += self._close(status)
        self.status = status
        self._more = {
            "completed_at": None if cut else int(ended_at),
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "usage": _usage(tokens),
            **more,
        }
        timings = timings_of(ending.usage)
        if timings is not None:
            self._more["timings"] = timings
        return [*events, self._lifecycle(f"response.{status}")]

    def fail(self, error: TinyAgentError, status: str = "failed", **more: Any) -> list[Event]:
        """The events at the end of a response that came to nothing; `more` are further keys."""
        events = list(self._close("incomplete"))
        self.error, self.status = error, status
        told = error_body(error)["error"]
        code = _CODES.get(error.status, "invalid_prompt" if error.status < 500 else "server_error")
        shown = {"code": code, "message": told["message"], "param": told["param"], "tinyagent": told}
        self._more = {"error": shown, **more}
        return [*events, self._lifecycle("response.failed")]

    # --- items -------------------------------------------------------------------------------

    def _reasoning(self, text: str) -> Iterator[Event]:
        if not self._grows("reasoning"):
            yield from self._begin_item({"id": self._id("rs"), "type": "reasoning", "summary": []})
            part = {"type": "summary_text", "text": ""}
            yield self._event("response.reasoning_summary_part.added", summary_index=0, part=dict(part))
            self.output[-1]["summary"] = [part]
        self.output[-1]["summary"][0]["text"] += text
        yield self._event("response.reasoning_summary_text.delta", summary_index=0, delta=text)

    def _message(self, text: str) -> Iterator[Event]:
        if not self._grows("message"):
            message: Item = {"id": self._id("msg"), "type": "message", "role": "assistant", "content": []}
            yield from self._begin_item(message)
            part: Item = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield self._event("response.content_part.added", content_index=0, part=dict(part))
            self.output[-1]["content"] = [part]
        self.output[-1]["content"][0]["text"] += text
        if text:
            yield self._event("response.output_text.delta", content_index=0, delta=text, logprobs=[])

    def _call(self, call: ToolCall) -> Iterator[Event]:
        item = {"id": self._id("fc"), "type": "function_call", "call_id": call.id, "name": call.name}
        yield from self._begin_item({**item, "arguments": ""})
        self.output[-1]["arguments"] = call.arguments
        yield self._event("response.function_call_arguments.delta", delta=call.arguments)
        yield from self._close("completed")

    def _grows(self, kind: str) -> bool:
        return self._open and self.output[-1]["type"] == kind

    def _begin_item(self, item: Item) -> Iterator[Event]:
        yield from self._close("completed")
        item["status"] = "in_progress"
        self.output.append(item)
        self._open = True
        yield self._output_item("response.output_item.added", item)

    def _close(self, status: str) -> Iterator[Event]:
        """End the item that grows, if there is one."""
        if not self._open:
            return
        self._open = False
        item = self.output[-1]
        item["status"] = status
        match item["type"]:
            case "reasoning":
                (part,) = item["summary"]
                yield self._event("response.reasoning_summary_text.done", summary_index=0, text=part["text"])
                yield self._event("response.reasoning_summary_part.done", summary_index=0, part=part)
            case "message":
                (part,) = item["content"]
                text = part["text"]
                yield self._event("response.output_text.done", content_index=0, text=text, logprobs=[])
                yield self._event("response.content_part.done", content_index=0, part=part)
            case _:
                told = {"name": item["name"], "arguments": item["arguments"]}
                yield self._event("response.function_call_arguments.done", **told)
        yield self._output_item("response.output_item.done", item)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self.key}_{len(self.output)}"

    # --- events ------------------------------------------------------------------------------

    def _event(self, kind: str, **fields: Any) -> Event:
        """An event of the last item."""
        place = {"item_id": self.output[-1]["id"], "output_index": len(self.output) - 1}
        return self._numbered({"type": kind, **place, **fields})

    def _output_item(self, kind: str, item: Item) -> Event:
        return self._numbered({"type": kind, "output_index": len(self.output) - 1, "item": dict(item)})

    def _lifecycle(self, kind: str) -> Event:
        response = dict(self.head) if self.status == "in_progress" else self.body()
        return self._numbered({"type": kind, "response": response})

    def _numbered(self, event: Event) -> Event:
        event["sequence_number"] = self._number
        self._number += 1
        return event


def _usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.read,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": 0},
        "output_tokens": tokens.written,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.read + tokens.written,
    }
