"""The planner behind any OpenAI-compatible URL: vLLM, llama-server, Ollama, LM Studio or a cloud.

The answer is streamed. Models like to wrap a plan in code fences and good wishes: text before the
first numbered call is ignored, and so is everything after `join()`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast

import httpx

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import PlannerFailed
from tinyagent.loopback import is_local_url
from tinyagent.planners.examples import FindExamples, no_examples
from tinyagent.planners.prompts import chat_messages
from tinyagent.ports import PlanRequest, Usage

_LONGEST_LINE = 1 << 20


class OpenAIPlanner:
    """Plans with a model behind `base_url` (for example `http://127.0.0.1:11434/v1`)."""

    can_replan = True

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        name: str = "openai",
        api_key: str | None = None,
        timeout: float = 60.0,
        max_tokens: int = 1024,
        examples: FindExamples = no_examples,
    ) -> None:
        """`timeout` bounds, in seconds, connecting and every wait for the next part of the answer."""
        self.name = name
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model, self._max_tokens, self._timeout = model, max_tokens, timeout
        self._find_examples = examples
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            follow_redirects=False,
            trust_env=not is_local_url(base_url),
        )

    def knows(self, tool: ToolSpec) -> bool:
        """Every tool: the model reads its schema."""
        return True

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        """Stream the plan; see `ports.Planner`. Closing the iterator closes the connection."""
        usage: Usage | None = None
        extractor = PlanExtractor()
        request = replace(request, examples=await asyncio.to_thread(self._find_examples, request))
        try:
            async with self._client.stream("POST", self._url, json=self._body(request)) as response:
                await self._check(response)
                async for chunk in self._chunks(response):
                    usage = _usage(chunk) or usage
                    piece = extractor.feed(_text(chunk))
                    if piece:
                        yield piece
        except httpx.TimeoutException as error:
            raise PlannerFailed(
                f"The planner at {self._url} did not answer within {self._timeout:g} seconds.",
                hint="Look whether its server is busy, or raise the timeout in the configuration.",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlannerFailed(
                f"The planner at {self._url} cannot be reached or broke off: {type(error).__name__}.",
                hint="Start its server, or correct the URL in the configuration.",
            ) from error
        if not extractor.found:
            raise PlannerFailed(
                f"The model {self._model} at {self._url} answered without a plan.",
                hint="Choose a model that follows instructions better.",
            )
        yield extractor.close()
        if usage is not None:
            yield usage

    def _body(self, request: PlanRequest) -> dict[str, Any]:
        messages = [{"role": message.role, "content": message.content} for message in chat_messages(request)]
        return {
            "model": self._model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": self._max_tokens,
            "stop": [END_OF_PLAN],
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    async def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        hints = {
            401: "Set the right API key in the configuration.",
            403: "Set an API key that may use this model.",
            404: f"Check the URL, and that the server has the model {self._model}.",
            429: "Wait a moment, or use another planner.",
        }
        await response.aread()
        raise PlannerFailed(
            f"The planner at {self._url} answered with HTTP {response.status_code}{_reason(response)}.",
            hint=hints.get(response.status_code, "Look into the log of its server."),
        )

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[Mapping[str, Any]]:
        """The JSON objects of the event stream."""
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip()
            if not line.startswith("data:") or not data:
                continue
            if data == "[DONE]":
                return
            try:
                chunk = json.loads(data) if len(data) <= _LONGEST_LINE else None
            except ValueError:
                chunk = None
            if not isinstance(chunk, dict):
                raise PlannerFailed(
                    f"The planner at {self._url} sent something that is no chat completion.",
                    hint="Check that the URL is that of an OpenAI-compatible API; it usually ends with /v1.",
                )
            found = cast("dict[str, Any]", chunk)
            if found.get("error"):
                raise PlannerFailed(
                    f"The planner at {self._url} failed{_message(found)}.",
                    hint="Look into the log of its server.",
                )
            yield found

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _text(chunk: Mapping[str, Any]) -> str:
    """The new text of a chunk; empty for chunks of other kinds."""
    try:
        text = chunk["choices"][0]["delta"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return text if isinstance(text, str) else ""


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    usage = chunk.get("usage")
    if not isinstance(usage, dict):
        return None
    found = cast("dict[str, Any]", usage)
    details = found.get("prompt_tokens_details")
    cached = cast("dict[str, Any]", details).get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(found.get("prompt_tokens")), _count(found.get("completion_tokens")), _count(cached))


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    return _message(cast("dict[str, Any]", body)) if isinstance(body, dict) else ""


def _message(body: Mapping[str, Any]) -> str:
    """The server's own words, shortened, in front of a full stop."""
    error = body.get("error")
    text = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else error
    return f": {text[:200].rstrip('.')}" if isinstance(text, str) and text else ""


_FIRST = re.compile(r"^[ \t]*(?=\d+\s*\.\s*[A-Za-z_]\w*\s*\()", re.MULTILINE)
_THINKING = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)


class PlanExtractor:
    """Finds the plan in a model's text, bit by bit: from the first numbered call to `join()`."""

    def __init__(self) -> None:
        self.found = False
        self._text = ""
        self._ended = False

    def feed(self, text: str) -> str:
        """The part of the plan that this text adds."""
        self._text += text
        if not self.found:
            without = _THINKING.sub("", self._text)
            first = _FIRST.search(without)
            if first is None:
                return ""
            self.found = True
            self._text = without[first.end() :]
        return self._whole_lines()

    def _whole_lines(self) -> str:
        *lines, self._text = self._text.split("\n")
        return "".join(f"{line}\n" for line in lines if self._belongs(line))

    def _belongs(self, line: str) -> bool:
        """Whether a line is of the plan; after `join()` and for code fences it is not."""
        if self._ended or line.strip().startswith("```"):
            return False
        self._ended = re.match(r"\s*\d+\s*\.\s*join\s*\(\s*\)", line) is not None
        return bool(line.strip())

    def close(self) -> str:
        """The rest of the plan with the stop string; nothing is invented for a plan that broke off."""
        rest = self._text if self._belongs(self._text) else ""
        return f"{rest.replace(END_OF_PLAN, '')}{END_OF_PLAN}" if self._ended else rest
