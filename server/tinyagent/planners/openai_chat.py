"""Chats with a model behind an OpenAI-compatible URL, in prose or in JSON that fits a schema."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from tinyagent.domain.json_schema import check_schema, problem_with
from tinyagent.errors import PlannerFailed
from tinyagent.planners.openai_stream import OpenAIStream
from tinyagent.planners.stop_texts import StopTexts
from tinyagent.ports import ChatEnd, ChatRequest, Usage

_CUT = "length"


class OpenAIChat:
    """Continues chats with a model behind `base_url`; see `ports.ChatModel`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        name: str = "openai",
        api_key: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        """`timeout` bounds, in seconds, connecting and every wait for the next part of the answer."""
        self._name = name
        self._server = OpenAIStream(base_url, model, api_key, timeout)

    @property
    def name(self) -> str:
        """How people know the model."""
        return self._name

    async def chat(self, request: ChatRequest) -> AsyncGenerator[str | ChatEnd]:
        """Stream the answer; see `ports.ChatModel`.

        Servers may take a schema or a stop text as a mere wish: what fits no schema is a PlannerFailed at the
        end, and nothing is shown from a stop text on. Without the server's own count the usage is empty.
        """
        if request.schema is not None:
            await asyncio.to_thread(check_schema, request.schema, "schema")
        stops, usage, reason, text = StopTexts(request.stop), Usage(), "", ""
        async with aclosing(self._server.chunks(_body(request))) as chunks:
            async for chunk in chunks:
                usage, reason = chunk.usage or usage, chunk.finish_reason or reason
                if shown := stops.feed(chunk.text):
                    text += shown
                    yield shown
                if stops.found and not reason:
                    break
        if not reason and not stops.found:
            raise self._broke_off()
        if held := stops.close():
            text += held
            yield held
        if request.schema is not None and reason != _CUT:
            await asyncio.to_thread(self._check_answer, text, request.schema)
        yield ChatEnd("length" if reason == _CUT and not stops.found else "stop", usage)

    def _broke_off(self) -> PlannerFailed:
        return PlannerFailed(
            f"The model {self._server.model} at {self._server.url} sent no whole chat completion.",
            hint="Check that the URL is that of an OpenAI-compatible API; it usually ends with /v1.",
        )

    def _check_answer(self, text: str, schema: Mapping[str, Any]) -> None:
        try:
            fits = not problem_with(json.loads(text), schema)
        except (ValueError, RecursionError):
            fits = False
        if not fits:
            raise PlannerFailed(
                f"The answer of the model {self._server.model} at {self._server.url} does not fit `schema`.",
                hint="Use a server that holds its models to a schema, or another model.",
            )

    async def close(self) -> None:
        """Close all connections."""
        await self._server.close()


def _body(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "temperature": request.temperature,
        "top_p": request.top_p,
    }
    if request.max_tokens is not None:
        body["max_tokens"] = request.max_tokens
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    if request.schema is not None:
        form = {"name": "answer", "schema": request.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body
