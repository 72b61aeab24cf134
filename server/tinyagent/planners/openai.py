"""The planner behind any OpenAI-compatible URL.

The answer is streamed. Models like to wrap a plan in code fences and good wishes: text before the
first numbered call is ignored, and so is everything after `join()`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import PlannerFailed
from tinyagent.planners.examples import FindExamples, no_examples
from tinyagent.planners.openai_stream import OpenAIStream
from tinyagent.planners.prompts import chat_messages
from tinyagent.ports import PlanRequest, Usage


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
        self._server = OpenAIStream(base_url, model, api_key, timeout)
        self._max_tokens = max_tokens
        self._find_examples = examples

    def knows(self, tool: ToolSpec) -> bool:
        """Every tool: the model reads its schema."""
        return True

    async def plan(self, request: PlanRequest) -> AsyncGenerator[str | Usage]:
        """Stream the plan; see `ports.Planner`. Closing the iterator closes the connection."""
        usage: Usage | None = None
        extractor = PlanExtractor()
        request = replace(request, examples=await asyncio.to_thread(self._find_examples, request))
        async with aclosing(self._server.chunks(self._body(request))) as chunks:
            async for chunk in chunks:
                usage = chunk.usage or usage
                if piece := extractor.feed(chunk.text):
                    yield piece
        if not extractor.found:
            raise PlannerFailed(
                f"The model {self._server.model} at {self._server.url} answered without a plan.",
                hint="Choose a model that follows instructions better.",
            )
        yield extractor.close()
        if usage is not None:
            yield usage

    def _body(self, request: PlanRequest) -> dict[str, Any]:
        messages = [{"role": message.role, "content": message.content} for message in chat_messages(request)]
        return {
            "messages": messages,
            "temperature": 0,
            "max_tokens": self._max_tokens,
            "stop": [END_OF_PLAN],
        }

    async def close(self) -> None:
        """Close all connections."""
        await self._server.close()


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
