"""Spans of runs."""

from __future__ import annotations

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.observability.conftest import SECRET, Observed
from tinyagent.observability.tracing import Tracing


async def test_a_run_is_a_span_with_its_steps_in_it(observed: Observed) -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    state = await observed(tracing.observe)
    tracing.close()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {"run", "select tools", "plan", "task look", "task keep", "task broken"}
    run = spans.pop("run")
    assert dict(run.attributes or {}) == {
        "tinyagent.run": state.run,
        "tinyagent.planner": "scripted",
        "tinyagent.mode": "run",
        "tinyagent.status": "completed",
    }
    assert all(span.parent and span.parent.span_id == run.context.span_id for span in spans.values())
    assert (spans["plan"].attributes or {})["gen_ai.usage.output_tokens"] == 30
    assert (spans["task broken"].attributes or {})["error.type"] == "app_failed"
    assert not spans["task broken"].status.is_ok


async def test_no_span_holds_a_word_of_the_user(observed: Observed) -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    await observed(tracing.observe)
    tracing.close()
    assert not any(SECRET in span.to_json() for span in exporter.get_finished_spans())
