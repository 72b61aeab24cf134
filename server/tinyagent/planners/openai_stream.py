"""Streamed chat completions of an OpenAI-compatible URL: vLLM, llama-server, Ollama, LM Studio or a cloud."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, cast

import httpx

from tinyagent.errors import PlannerFailed
from tinyagent.loopback import is_local_url
from tinyagent.ports import Usage

_LONGEST_LINE = 1 << 20
_LARGEST_ANSWER = 64 << 20
"""Bytes of a whole answer; a token takes a few hundred."""
_AFTER_END_S = 5.0
"""How long the count of tokens is waited for, when the answer itself has come to its end."""
_DONE = "[DONE]"
_ERROR = "error"
_CONNECT_S = 10.0


@dataclass(frozen=True)
class Chunk:
    """A part of an answer. `finish_reason` is the server's word for how it ended, empty before."""

    text: str = ""
    finish_reason: str = ""
    usage: Usage | None = None


class OpenAIStream:
    """Asks one model at one address."""

    def __init__(self, base_url: str, model: str, api_key: str | None, timeout: float) -> None:
        """`base_url` is for example `http://127.0.0.1:11434/v1`; `timeout` bounds, in seconds, connecting and
        every wait for the next part of the answer."""
        self.url = f"{base_url.rstrip('/')}/chat/completions"
        self.model = model
        self._timeout = timeout
        authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            headers={"Content-Type": "application/json", **authorization},
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_S)),
            follow_redirects=False,
            trust_env=not is_local_url(base_url),
        )

    async def chunks(self, body: Mapping[str, Any]) -> AsyncGenerator[Chunk]:
        """The answer to a request, part by part. Closing the iterator closes the connection.

        Raises PlannerFailed when the server fails, breaks off or makes no sense.
        """
        asked = {"model": self.model, **body, "stream": True, "stream_options": {"include_usage": True}}
        ended = False
        try:
            async with AsyncExitStack() as connection:
                async with asyncio.timeout(self._timeout):
                    response = await connection.enter_async_context(
                        self._client.stream("POST", self.url, content=_json(asked))
                    )
                    await self._check(response)
                parts = await connection.enter_async_context(aclosing(self._parts(response)))
                while True:
                    async with asyncio.timeout(min(self._timeout, _AFTER_END_S) if ended else self._timeout):
                        part = await anext(parts, _DONE)
                    if part == _DONE:
                        return
                    chunk = self._chunk(part)
                    ended = ended or bool(chunk.finish_reason)
                    yield chunk
        except (TimeoutError, httpx.TimeoutException) as error:
            if not ended:
                raise self._too_slow() from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if not ended:
                raise PlannerFailed(
                    f"The model at {self.url} cannot be reached or broke off: {type(error).__name__}.",
                    hint="Start its server, or correct the URL in the configuration.",
                ) from error

    async def _parts(self, response: httpx.Response) -> AsyncGenerator[str]:
        """The data of the answer's events. Only line feeds end lines: texts may hold all else."""
        held, size = bytearray(), 0
        async for piece in response.aiter_bytes():
            held += piece
            size += len(piece)
            *lines, rest = held.split(b"\n") if b"\n" in piece else [held]
            held = rest
            if size > _LARGEST_ANSWER or any(len(line) > _LONGEST_LINE for line in (*lines, held)):
                raise PlannerFailed(
                    f"The model at {self.url} sent far too much.", hint="Look into the log of its server."
                )
            for line in lines:
                if part := _data(line):
                    yield part
        if part := _data(held):
            yield part

    def _too_slow(self) -> PlannerFailed:
        return PlannerFailed(
            f"The model at {self.url} did not answer within {self._timeout:g} seconds.",
            hint="Look whether its server is busy, or raise the timeout in the configuration.",
        )

    async def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        hints = {
            401: "Set the right API key in the configuration.",
            403: "Set an API key that may use this model.",
            404: f"Check the URL, and that the server has the model {self.model}.",
            429: "Wait a moment, or use another model.",
        }
        raise PlannerFailed(
            f"The model at {self.url} answered with HTTP {response.status_code}{await _reason(response)}.",
            hint=hints.get(response.status_code, "Look into the log of its server."),
        )

    def _chunk(self, data: str) -> Chunk:
        try:
            found: Any = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise PlannerFailed(
                f"The model at {self.url} sent something that is no chat completion.",
                hint="Check that the URL is that of an OpenAI-compatible API; it usually ends with /v1.",
            )
        chunk = cast("dict[str, Any]", found)
        choice = _first_choice(chunk)
        if chunk.get("error") or _ERROR in (chunk.get("object"), choice.get("finish_reason")):
            raise PlannerFailed(
                f"The model at {self.url} failed{_message(chunk)}.", hint="Look into the log of its server."
            )
        return Chunk(
            _text(_fields(choice.get("delta")).get("content")),
            _text(choice.get("finish_reason")),
            _usage(chunk),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _json(body: Mapping[str, Any]) -> bytes:
    """The body; halves of characters, which no text can hold, become question marks."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _data(line: bytes | bytearray) -> str:
    """What a line of an event stream carries, empty for a line of another kind."""
    name, _, value = line.partition(b":")
    return value.strip().decode("utf-8", "replace") if name == b"data" else ""


def _first_choice(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = chunk.get("choices")
    return _fields(cast("list[object]", choices)[0]) if isinstance(choices, list) and choices else {}


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    """The tokens that the server counted, and the times that llama-server adds."""
    usage = _fields(chunk.get("usage"))
    if not usage:
        return None
    timings = _fields(chunk.get("timings"))
    return Usage(
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        _count(_fields(usage.get("prompt_tokens_details")).get("cached_tokens")),
        _milliseconds(timings.get("prompt_ms")),
        _milliseconds(timings.get("predicted_ms")),
    )


def _fields(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _milliseconds(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 < value < 1e12 else 0.0


async def _reason(response: httpx.Response) -> str:
    """The server's words for a failure, as far as they stand at the beginning of its answer."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LONGEST_LINE:
            return ""
    try:
        return _message(_fields(json.loads(body)))
    except (ValueError, RecursionError):
        return ""


def _message(body: Mapping[str, Any]) -> str:
    """The server's own words, shortened, in front of a full stop."""
    error = body.get("error")
    text = error if isinstance(error, str) else (_fields(error) or body).get("message")
    return f": {text[:200].rstrip('.')}" if isinstance(text, str) and text else ""
