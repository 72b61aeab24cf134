"""Figures, traces and the log of a server, from settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tinyagent.engine.feed import Observer
from tinyagent.observability.log_setup import log_lost_failures, set_up_logging
from tinyagent.observability.metrics import Metrics
from tinyagent.observability.run_log import log_event
from tinyagent.settings import Settings


@dataclass(frozen=True)
class Telemetry:
    """What is told about a server's work: `observers` are shown all events of its runs."""

    metrics: Metrics
    observers: Sequence[Observer]


@asynccontextmanager
async def open_telemetry(settings: Settings) -> AsyncGenerator[Telemetry]:
    """Begin to count, to log and, where an address is configured, to trace.

    Raises ConfigurationError when traces are wanted and OpenTelemetry is not installed.
    """
    wanted = settings.telemetry
    set_up_logging(wanted.log, wanted.level)
    log_lost_failures(asyncio.get_running_loop())
    metrics = Metrics()
    if wanted.otlp_endpoint is None:
        yield Telemetry(metrics, (metrics.observe, log_event))
        return
    from tinyagent.observability.tracing import Tracing

    tracing = Tracing.to(wanted.otlp_endpoint)
    try:
        yield Telemetry(metrics, (metrics.observe, log_event, tracing.observe))
    finally:
        await asyncio.to_thread(tracing.close)
