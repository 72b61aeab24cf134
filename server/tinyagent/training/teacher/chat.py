"""A chat model behind any OpenAI-compatible URL, asked with bounded patience."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx

from tinyagent.errors import PlannerFailed

_LONGEST_BODY = 4 << 20
_NEVER = -1.0
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504, 529))
_HINTS = {
    401: "Set the right key in TINYAGENT_TEACHER_KEY or OPENAI_API_KEY.",
    403: "Use a key that may use this model.",
    404: "Check --base-url (it usually ends with /v1) and --model.",
}


@dataclass(frozen=True)
class Answer:
    """What the teacher said. `whole` is false when it ran into its limit of tokens."""

    text: str
    whole: bool
    prompt_tokens: int
    completion_tokens: int


class NoAnswer(Exception):
    """One ask failed; `reason` says how in a few words, `wait` when (in seconds, or never) to try again."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


@dataclass(frozen=True)
class Patience:
    """Seconds for a whole answer, tries for one ask, seconds before the second try (then doubled)."""

    timeout: float = 120.0
    tries: int = 4
    backoff: float = 1.0
    longest_wait: float = 60.0


class ChatClient:
    """Asks one model. `max_tokens` 0 leaves the limit to the server."""

    def __init__(
        self, base_url: str, model: str, key: str | None, max_tokens: int, patience: Patience
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model, self._max_tokens, self._patience = model, max_tokens, patience
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(patience.timeout, connect=min(10.0, patience.timeout))
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, follow_redirects=False)
        self._chance = random.Random()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(self, messages: Sequence[dict[str, str]]) -> Answer:
        """One answer. Raises NoAnswer when there is none, PlannerFailed when asking on makes no sense."""
        body: dict[str, Any] = {"model": self._model, "messages": list(messages), "stream": False}
        if self._max_tokens:
            body["max_tokens"] = self._max_tokens
        for attempt in range(1, self._patience.tries + 1):
            try:
                return await self._try(body)
            except NoAnswer as failure:
                if attempt == self._patience.tries or failure.wait == _NEVER:
                    raise
                wait = max(failure.wait, self._patience.backoff * 2 ** (attempt - 1))
                await asyncio.sleep(min(wait * self._chance.uniform(1, 1.25), self._patience.longest_wait))
        raise AssertionError("the last try returns or raises")

    async def _try(self, body: dict[str, Any]) -> Answer:
        try:
            async with (
                asyncio.timeout(self._patience.timeout),
                self._client.stream("POST", self._url, json=body) as response,
            ):
                if not response.is_success:
                    self._refuse(response, await _read(response))
                return _answer(await _read(response))
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer(f"no answer within {self._patience.timeout:g} seconds") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise PlannerFailed(
                f"{self._url} is no URL that can be asked.", hint="Give --base-url as http://HOST:PORT/v1."
            ) from error
        except httpx.HTTPError as error:
            raise NoAnswer(f"connection failed ({type(error).__name__})") from None

    def _refuse(self, response: httpx.Response, body: bytes) -> None:
        """Raise NoAnswer for what may pass, PlannerFailed for what will not."""
        status = response.status_code
        if status in _AGAIN:
            raise NoAnswer(f"HTTP {status}", wait=_seconds(response.headers.get("retry-after", "")))
        raise PlannerFailed(
            f"The teacher at {self._url} answered with HTTP {status}{_message(body)}.",
            hint=_HINTS.get(status, "Check --base-url, --model and --max-tokens."),
        )


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LONGEST_BODY:
            raise NoAnswer("an endless answer", wait=_NEVER)
    return bytes(body)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _answer(body: bytes) -> Answer:
    found = _json(body)
    try:
        choice = found["choices"][0]
        text, reason = choice["message"]["content"], choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise NoAnswer("no chat completion", wait=_NEVER) from None
    usage = found.get("usage")
    counts = cast("dict[str, Any]", usage) if isinstance(usage, dict) else {}
    return Answer(
        text if isinstance(text, str) else "",
        reason != "length",
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 3600 else 0.0


def _message(body: bytes) -> str:
    error = _json(body).get("error")
    text = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else error
    return f": {text[:200].rstrip('.')}" if isinstance(text, str) and text else ""
