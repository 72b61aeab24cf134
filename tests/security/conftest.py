"""Real servers: one for all attacks that leave it as it was, and one that was used for private things."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.used import fill, use
from tests.support.server import Server, serve


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home: Path = tmp_path_factory.mktemp("served") / "home"
    with serve(home, TINYAGENT_REQUESTS_PER_MINUTE="1000000") as started:
        yield started
        assert "Traceback" not in started.log.read_text()


@pytest.fixture(scope="session")
def collector() -> Iterator[socket.socket]:
    """Where OpenTelemetry would send, if the environment alone could make it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        yield listener


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory, collector: socket.socket) -> Iterator[Server]:
    """With the most talkative log there is, where files are everybody's unless told otherwise."""
    home = tmp_path_factory.mktemp("used") / "home"
    address = f"http://127.0.0.1:{collector.getsockname()[1]}"
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{address}/v1/traces",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_PYTHON_TRACER_PROVIDER": "sdk_tracer_provider",
        "TINYAGENT_TELEMETRY__LOG": "json",
        "TINYAGENT_TELEMETRY__LEVEL": "debug",
        "TINYAGENT_REQUESTS_PER_MINUTE": "1000000",
    }
    earlier = os.umask(0o077)
    try:
        fill(home)
        os.umask(0)
        with serve(home, **environment) as started:
            use(started)
            yield started
    finally:
        os.umask(earlier)
