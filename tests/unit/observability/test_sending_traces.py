"""Where traces go: to the configured address, and nowhere else, whatever it answers or does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tests.unit.observability.conftest import SECRET, Observed
from tinyagent.observability import tracing as tracing_room
from tinyagent.observability.tracing import Tracing


class Collector(ThreadingHTTPServer):
    """Takes traces, or sends whoever brings them elsewhere."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.elsewhere = 200, ""
        self.taken: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        collector = self.server
        assert isinstance(collector, Collector)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        collector.taken.append((self.path, dict(self.headers), body))
        self.send_response(collector.status)
        if collector.elsewhere:
            self.send_header("Location", collector.elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the name that the library looks for

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def collectors() -> Iterator[tuple[Collector, Collector]]:
    both = Collector(), Collector()
    for one in both:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
    yield both
    for one in both:
        one.shutdown()
        one.server_close()


async def test_spans_go_to_the_configured_address_whatever_the_environment_says(
    observed: Observed, collectors: tuple[Collector, Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, other = collectors
    for name in (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "http_proxy",
        "ALL_PROXY",
    ):
        monkeypatch.setenv(name, other.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"user={SECRET}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    tracing = Tracing.to(wanted.url)
    await observed(tracing.observe)
    tracing.close()
    ((path, _, body),) = wanted.taken
    assert path == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(body)
    assert {span.name for span in request.resource_spans[0].scope_spans[0].spans} >= {"run", "plan"}
    assert SECRET.encode() not in body
    assert other.taken == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_collector_cannot_send_them_elsewhere(
    observed: Observed, collectors: tuple[Collector, Collector], status: int
) -> None:
    wanted, other = collectors
    wanted.status, wanted.elsewhere = status, f"{other.url}/v1/traces"
    tracing = Tracing.to(wanted.url)
    await observed(tracing.observe)
    tracing.close()
    assert len(wanted.taken) == 1
    assert other.taken == []


class Stuck(SpanExporter):
    """A collector that never answers."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.released.wait(30)
        return SpanExportResult.FAILURE


async def test_a_dead_collector_neither_holds_up_a_run_nor_the_end(
    observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing_room, "SEND_S", 0.1)
    stuck = Stuck()
    tracing = Tracing(stuck)
    await observed(tracing.observe)
    tracing.close()
    assert stuck.asked.is_set()
    assert not stuck.released.is_set()  # and still, all of this came to its end
    stuck.released.set()
