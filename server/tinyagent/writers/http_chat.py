"""A chat model behind any OpenAI-compatible URL: vLLM, llama-server, Ollama, LM Studio or a cloud."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tinyagent.loopback import is_local_url
from tinyagent.writers.model import Messages, NotWritten

_LARGEST_ANSWER = 1 << 20
"""Bytes of a server's answer that are read."""

_CONNECT_S = 10.0


class HttpChat:
    """Implements `ChatModel` for `base_url`, for example `http://127.0.0.1:11434/v1`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        room: int = 12_000,
    ) -> None:
        """`timeout_s` bounds every wait for the server; see `ChatModel.room`."""
        self._name, self._room = model, room
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
            follow_redirects=False,
            trust_env=not is_local_url(base_url),
        )

    @property
    def name(self) -> str:
        return self._name

    @property
    def room(self) -> int:
        return self._room

    async def complete(self, messages: Messages, max_tokens: int) -> str:
        """The answer. Raises NotWritten when the server fails, or breaks off, or makes no sense."""
        body = {
            "model": self._name,
            "messages": messages,
            "temperature": 0,
            "max_tokens": max_tokens,
            "stream": False,
        }
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                if not response.is_success:
                    raise NotWritten(f"its server answered with HTTP {response.status_code}")
                return _answer(await _content(response))
        except httpx.TimeoutException:
            raise NotWritten("it did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise NotWritten("its server cannot be reached or broke off") from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _content(response: httpx.Response) -> bytes:
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > _LARGEST_ANSWER:
            raise NotWritten("its server sent far too much")
    return content


def _answer(content: bytes) -> str:
    """The text of a chat completion that came to its end."""
    try:
        choice: Any = json.loads(content)["choices"][0]
        text, reason = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise NotWritten("its server sent something that is no chat completion") from None
    if reason == "length":
        raise NotWritten("it did not come to an end")
    if not isinstance(text, str):
        raise NotWritten("it answered nothing")
    return text
