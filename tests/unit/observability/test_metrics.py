"""Figures for Prometheus."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.observability.conftest import SECRET, Observed
from tinyagent.observability.metrics import Metrics
from tinyagent.ports import Usage


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Values by name and the sorted values of their labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    found = [sample for family in families for sample in family.samples]
    return {(sample.name, *sorted(sample.labels.values())): sample.value for sample in found}


async def test_a_run_is_counted_with_its_tasks_tokens_and_times(observed: Observed) -> None:
    metrics = Metrics()
    await observed(metrics.observe)
    found = samples(metrics)
    assert found["tinyagent_runs_total", "completed", "run", "scripted"] == 1
    assert found["tinyagent_runs_active",] == 0
    assert found["tinyagent_tasks_total", "look", "succeeded"] == 1
    assert found["tinyagent_tasks_total", "keep", "succeeded"] == 1
    assert found["tinyagent_tasks_total", "keep", "skipped"] == 1
    assert found["tinyagent_tasks_total", "broken", "failed"] == 1
    assert found["tinyagent_planner_tokens_total", "prompt", "scripted"] == 100
    assert found["tinyagent_planner_tokens_total", "cached", "scripted"] == 40
    assert found["tinyagent_planner_tokens_total", "scripted", "written"] == 30
    for name in ("run_seconds_count", "plan_seconds_count"):
        assert found[f"tinyagent_{name}", "scripted"] == 1
    assert found["tinyagent_first_task_seconds_count",] == 1
    assert found["tinyagent_task_seconds_count", "look"] == 1
    assert found["tinyagent_peak_memory_bytes",] > 1_000_000


async def test_each_figure_comes_once(observed: Observed) -> None:
    metrics = Metrics()
    await observed(metrics.observe)
    assert not [name for name, *_ in samples(metrics) if name.endswith("_created")]


async def test_times_are_measured_from_the_request_on(observed: Observed) -> None:
    ticks = iter(range(1_000))
    metrics = Metrics(clock=lambda: float(next(ticks)))
    await observed(metrics.observe)
    found = samples(metrics)
    assert 0 < found["tinyagent_first_task_seconds_sum",] < found["tinyagent_run_seconds_sum", "scripted"]


async def test_no_figure_holds_a_word_of_the_user(observed: Observed) -> None:
    metrics = Metrics()
    await observed(metrics.observe)
    assert SECRET not in metrics.text().decode()


def test_requests_and_tokens_outside_of_runs_are_counted() -> None:
    metrics = Metrics()
    metrics.answered("GET", "/v1/runs/{run}", 404, 0.2)
    metrics.used("tiny", Usage(5, 2, 1))
    found = samples(metrics)
    assert found["tinyagent_http_requests_total", "/v1/runs/{run}", "404", "GET"] == 1
    assert found["tinyagent_http_request_seconds_sum", "/v1/runs/{run}"] == 0.2
    assert found["tinyagent_planner_tokens_total", "tiny", "written"] == 2
