"""How well Tool RAG tells which tools a request needs, and that it needs none."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import InvalidRequest
from tinyagent.evaluation.intervals import percentile
from tinyagent.evaluation.jsonl import FaultyLine, read_rows, text_of
from tinyagent.ports import ToolSelector


@dataclass(frozen=True)
class LabelledRequest:
    """A request with the tools of which one must be found; none means that no tool can serve it."""

    text: str
    accept: frozenset[str]


@dataclass(frozen=True)
class Retrieved:
    """What was selected for a request, and how long it took."""

    request: LabelledRequest
    tools: tuple[str, ...]
    milliseconds: float


@dataclass(frozen=True)
class ToolRagReport:
    """Shares from 0 to 1 (None where there was nothing to count), latencies in milliseconds."""

    requests: int
    served: int
    served_found: float | None
    """Share of the served requests for which an accepted tool is retrieved."""
    out_of_scope: int
    out_of_scope_declined: float | None
    """Share of the out-of-scope requests for which no tool is retrieved."""
    mean_tools: float
    mean_tools_served: float | None
    latency_p50_ms: float
    latency_p95_ms: float


def read_requests(path: Path) -> tuple[list[LabelledRequest], list[FaultyLine]]:
    """Read lines of `{"text", "accept"}`; those whose `accept` is null are passed over.

    Raises InvalidRequest when the file cannot be read or holds no usable request.
    """
    requests, faults = read_rows(path, _read_request)
    if not requests:
        reason = f" Line {faults[0].number}: {faults[0].reason}." if faults else ""
        raise InvalidRequest(
            f"{path} holds no usable request.{reason}",
            hint='Each line is a JSON object with "text" and "accept", a list of tools.',
        )
    return requests, faults


def _read_request(row: dict[str, Any]) -> LabelledRequest | None:
    text = text_of(row, "text")
    accept: object = row.get("accept", "")
    if accept is None:
        return None
    if not isinstance(accept, list) or not all(
        isinstance(tool, str) for tool in cast("list[object]", accept)
    ):
        raise ValueError('"accept" is missing or is not a list of tools')
    return LabelledRequest(text, frozenset(cast("list[str]", accept)))


async def retrieve(
    requests: Sequence[LabelledRequest], selector: ToolSelector, tools: Sequence[ToolSpec]
) -> AsyncGenerator[Retrieved]:
    """Select tools for each request in turn."""
    for request in requests:
        started = time.perf_counter()
        selection = await selector.select(request.text, tools)
        yield Retrieved(request, selection.tools, (time.perf_counter() - started) * 1000)


def summarize(results: Sequence[Retrieved]) -> ToolRagReport:
    """The figures of at least one result."""
    served = [result for result in results if result.request.accept]
    outside = [result for result in results if not result.request.accept]
    latencies = [result.milliseconds for result in results]
    return ToolRagReport(
        requests=len(results),
        served=len(served),
        served_found=_share([bool(result.request.accept.intersection(result.tools)) for result in served]),
        out_of_scope=len(outside),
        out_of_scope_declined=_share([not result.tools for result in outside]),
        mean_tools=sum(len(result.tools) for result in results) / len(results),
        mean_tools_served=_share([len(result.tools) for result in served]),
        latency_p50_ms=percentile(latencies, 0.5),
        latency_p95_ms=percentile(latencies, 0.95),
    )


def _share(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
