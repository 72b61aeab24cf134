"""Selectors to compare Tool RAG with: every tool, and the tools that read most like the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import Selection

Embed = Callable[[list[str]], NDArray[np.float32]]
"""One vector of length 1 for each text, row by row."""


class EveryTool:
    """No retrieval: all tools are offered for every request."""

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """All of `tools` in their order."""
        names = tuple(tool.name for tool in tools)
        return Selection(names, dict.fromkeys(names, 1.0))


class CosineSelector:
    """Basic RAG: the `top` tools whose descriptions are nearest to the request in an embedding."""

    def __init__(self, embed: Embed, top: int) -> None:
        self._embed = embed
        self._top = top
        self._known: dict[str, NDArray[np.float32]] = {}

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """The nearest tools, nearest first. It cannot tell that none can serve the request."""
        if not query.strip() or not tools:
            return Selection((), {})
        return await asyncio.to_thread(self._select, query, tools)

    def _select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        new = [tool.description for tool in tools if tool.description not in self._known]
        if new:
            self._known.update(zip(new, self._embed(new), strict=True))
        asked = self._embed([query])[0]
        scores = {tool.name: float(self._known[tool.description] @ asked) for tool in tools}
        ranked = sorted(scores, key=lambda name: -scores[name])
        return Selection(tuple(ranked[: self._top]), scores)
