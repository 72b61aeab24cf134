"""Figures for Prometheus, counted from the events of runs and the answers of the API."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

from tinyagent import __version__
from tinyagent.domain import events as ev
from tinyagent.ports import Usage

try:
    import resource
except ImportError:  # Windows has no such thing
    resource = None

SHORT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LONG_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


@dataclass
class _Run:
    """What is remembered of a run under way."""

    planner: str
    mode: str
    began: float
    acted: bool
    tools: dict[int, str]
    started: dict[int, float]


class Metrics:
    """All figures of one server. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        disable_created_metrics()  # or every figure would come twice, with the time of its first use
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        _memory(self._registry)
        make = _Maker(self._registry)
        make.gauge("info", "The version that runs.", "version").labels(__version__).set(1)
        self._requests = make.counter("http_requests", "Answered requests.", "method", "route", "status")
        self._request_s = make.seconds(
            "http_request", "From a request to its whole answer.", SHORT_S, "route"
        )
        self._ended = make.counter("runs", "Runs that ended.", "status", "planner", "mode")
        self._active = make.gauge("runs_active", "Runs under way.")
        self._run_s = make.seconds("run", "From a request to its answer.", LONG_S, "planner")
        self._first_s = make.seconds("first_task", "From a request to the start of its first task.", SHORT_S)
        self._select_s = make.seconds("tool_selection", "Tool RAG's choice of tools.", SHORT_S)
        self._plan_s = make.seconds("plan", "Writing one plan.", LONG_S, "planner")
        self._replans = make.counter("replans", "Plans that took another one's place.", "planner")
        self._tokens = make.counter(
            "planner_tokens", "Tokens that planners read, found cached and wrote.", "planner", "kind"
        )
        self._tasks = make.counter("tasks", "Tasks that ended.", "tool", "outcome")
        self._task_s = make.seconds("task", "Carrying out one task.", SHORT_S, "tool")
        self._approvals = make.counter("approvals", "Questions to the user, by their answer.", "answer")

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is the template of its path, not the path."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_s.labels(route).observe(seconds)

    def used(self, planner: str, usage: Usage) -> None:
        """A model read and wrote outside of a run."""
        self._count_tokens(planner, usage.prompt_tokens, usage.cached_tokens, usage.plan_tokens)

    def observe(self, event: ev.Event) -> None:
        """Count what happened in a run."""
        if isinstance(event, ev.RunCreated):
            run = _Run(event.data.planner, event.data.mode, self._clock(), False, {}, {})
            self._runs[event.run] = run
            self._active.set(len(self._runs))
            return
        run = self._runs.get(event.run)
        if run is None:  # of an earlier server, or taken back after its end
            return
        if isinstance(event, ev.TERMINAL):
            self._end(event.run, run, event.type.removeprefix("run."))
        else:
            self._observe_planning(run, event)
            self._observe_task(run, event)

    def _end(self, name: str, run: _Run, status: str) -> None:
        del self._runs[name]
        self._active.set(len(self._runs))
        self._ended.labels(status, run.planner, run.mode).inc()
        self._run_s.labels(run.planner).observe(self._clock() - run.began)

    def _observe_planning(self, run: _Run, event: ev.Event) -> None:
        match event:
            case ev.ToolsSelected(data=data):
                self._select_s.observe(data.milliseconds / 1000)
            case ev.PlanCompleted(data=data):
                self._plan_s.labels(run.planner).observe(data.milliseconds / 1000)
                self._count_tokens(run.planner, data.prompt_tokens, data.cached_tokens, data.plan_tokens)
            case ev.RunReplanned():
                self._replans.labels(run.planner).inc()
            case ev.ApprovalDecided(data=data):
                self._approvals.labels("approved" if data.approved else "rejected").inc()
            case _:
                pass

    def _count_tokens(self, planner: str, prompt: int, cached: int, written: int) -> None:
        for kind, count in (("prompt", prompt), ("cached", cached), ("written", written)):
            self._tokens.labels(planner, kind).inc(count)

    def _observe_task(self, run: _Run, event: ev.Event) -> None:
        match event:
            case ev.TaskPlanned(data=data):
                run.tools[data.task] = data.tool
            case ev.TaskStarted(data=data):
                run.started[data.task] = self._clock()
                if not run.acted:
                    run.acted = True
                    self._first_s.observe(self._clock() - run.began)
            case ev.TaskSucceeded(data=data):
                self._count(run, data.task, "succeeded")
            case ev.TaskFailed(data=data):
                self._count(run, data.task, "unknown" if data.outcome_unknown else "failed")
            case ev.TaskSkipped(data=data):
                self._count(run, data.task, "skipped")
            case _:
                pass

    def _count(self, run: _Run, task: int, outcome: str) -> None:
        tool = run.tools.get(task, "")
        self._tasks.labels(tool, outcome).inc()
        began = run.started.pop(task, None)
        if began is not None:
            self._task_s.labels(tool).observe(self._clock() - began)


class _Maker:
    """Makes figures with the project's prefix."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"tinyagent_{name}", meaning, labels, registry=self._registry)

    def gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"tinyagent_{name}", meaning, labels, registry=self._registry)

    def seconds(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(
            f"tinyagent_{name}_seconds", meaning, labels, buckets=buckets, registry=self._registry
        )


def _memory(registry: CollectorRegistry) -> None:
    """The most memory that the process has used, also where the system does not tell what it uses now."""
    if resource is None:
        return
    unit = 1 if sys.platform == "darwin" else 1024
    gauge = Gauge("tinyagent_peak_memory_bytes", "The most memory used so far.", registry=registry)
    usage = resource.getrusage
    who = resource.RUSAGE_SELF
    gauge.set_function(lambda: usage(who).ru_maxrss * unit)
