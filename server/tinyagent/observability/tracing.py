"""Traces by OpenTelemetry: a span for each run, and in it one for choosing tools, planning and each task.

Only made where an address is configured. Spans hold ids, names, counts, codes and times.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinyagent import __version__
from tinyagent.domain import events as ev
from tinyagent.errors import ConfigurationError
from tinyagent.loopback import is_local_url

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span
    from requests import Session

SEND_S = 5.0
"""The longest time for handing in spans, at the end too."""

_MS = 1_000_000


@dataclass
class _Open:
    """The spans of a run that have not ended."""

    span: Span
    tasks: dict[int, Span] = field(default_factory=dict[int, "Span"])
    tools: dict[int, str] = field(default_factory=dict[int, str])


class Tracing:
    """Turns the events of runs into spans."""

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource({"service.name": "tinyagent", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("tinyagent")
        self._open: dict[str, _Open] = {}

    @classmethod
    def to(cls, endpoint: str) -> Tracing:
        """Traces that are sent to an OTLP address. Raises ConfigurationError without the library."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise ConfigurationError(
                "telemetry.otlp_endpoint is set, but OpenTelemetry is not installed.",
                hint="Install it with `pip install 'tinyagent[otel]'`, or remove the setting.",
            ) from error
        address = f"{endpoint.rstrip('/')}/v1/traces"
        return cls(OTLPSpanExporter(endpoint=address, timeout=SEND_S, session=_session(address)))

    def observe(self, event: ev.Event) -> None:
        """Begin and end the spans of this event."""
        if isinstance(event, ev.RunCreated):
            attributes = {"tinyagent.planner": event.data.planner, "tinyagent.mode": event.data.mode}
            span = self._tracer.start_span("run", attributes={"tinyagent.run": event.run, **attributes})
            self._open[event.run] = _Open(span)
            return
        run = self._open.get(event.run)
        if run is None:
            return
        if isinstance(event, ev.TERMINAL):
            self._end(event, run)
        else:
            self._observe_steps(run, event)

    def close(self) -> None:
        """Hand in what is left, within `SEND_S` seconds: what is not taken by then is lost."""
        ending = threading.Thread(target=self._provider.shutdown, name="last traces", daemon=True)
        ending.start()
        ending.join(SEND_S)

    def _end(self, event: ev.Event, run: _Open) -> None:
        del self._open[event.run]
        for span in run.tasks.values():
            span.end()
        if isinstance(event, ev.RunFailed):
            _fail(run.span, event.data.fault.code)
        run.span.set_attribute("tinyagent.status", event.type.removeprefix("run."))
        run.span.end()

    def _observe_steps(self, run: _Open, event: ev.Event) -> None:
        match event:
            case ev.ToolsSelected(data=data):
                self._past(run, "select tools", data.milliseconds, {"tinyagent.tools": len(data.tools)})
            case ev.PlanCompleted(data=data):
                counts = {
                    "gen_ai.usage.input_tokens": data.prompt_tokens,
                    "gen_ai.usage.output_tokens": data.plan_tokens,
                    "tinyagent.cached_tokens": data.cached_tokens,
                }
                self._past(run, "plan", data.milliseconds, counts)
            case ev.TaskPlanned(data=data):
                run.tools[data.task] = data.tool
            case ev.TaskStarted(data=data):
                run.tasks[data.task] = self._begin_task(run, data.task)
            case ev.TaskSucceeded(data=data):
                self._end_task(run, data.task)
            case ev.TaskFailed(data=data):
                self._end_task(run, data.task, data.fault.code)
            case _:
                pass

    def _begin_task(self, run: _Open, task: int) -> Span:
        tool = run.tools.get(task, "")
        attributes = {"tinyagent.task": task, "gen_ai.tool.name": tool}
        return self._tracer.start_span(f"task {tool}", context=_within(run.span), attributes=attributes)

    def _end_task(self, run: _Open, task: int, code: str = "") -> None:
        span = run.tasks.pop(task, None)
        if span is None:
            return
        if code:
            _fail(span, code)
        span.end()

    def _past(self, run: _Open, name: str, milliseconds: float, attributes: Mapping[str, Any]) -> None:
        """A span that ends now."""
        now = time.time_ns()
        start = now - int(milliseconds * _MS)
        span = self._tracer.start_span(
            name, context=_within(run.span), start_time=start, attributes=dict(attributes)
        )
        span.end(now)


def _session(address: str) -> Session:
    """Connections to this address alone: to no other one that it names, nor by a proxy to this computer."""
    import requests

    class Direct(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:
            return None

    session = Direct()
    session.trust_env = not is_local_url(address)
    return session


def _within(span: Span) -> Any:
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(span)


def _fail(span: Span, code: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR))
