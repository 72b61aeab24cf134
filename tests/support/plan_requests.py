"""The built-in tools and requests over them, for the planners' tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tinyagent.ports import PlanRequest
from tinyagent.tools.registry import BUILT_IN

NOW = datetime(2026, 3, 4, 9, 30)
TOOLS = {tool.spec.name: tool.spec for tool in BUILT_IN}


def make_request(
    query: str = "Text Sid that I am late", tools: Sequence[str] = (), **others: Any
) -> PlanRequest:
    """A request over the named tools (all sixteen when none is named)."""
    return PlanRequest(query, NOW, tuple(TOOLS[name] for name in tools or TOOLS), **others)
