"""What a server writes: files for its owner alone, a log that programs can read, figures without words."""

from __future__ import annotations

import json
import socket
import stat

import pytest

from tests.security.wire import exchange, request
from tests.support.server import Server


def test_every_file_is_for_its_owner_alone(used: Server) -> None:
    loose = {
        str(path.relative_to(used.home)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in used.home.rglob("*")
        if path != used.log and stat.S_IMODE(path.stat().st_mode) & 0o077
    }
    assert loose == {}
    assert [path for path in (used.home / "data").rglob("*") if path.is_file() and "Drafts" in path.parts]


def test_every_line_of_the_log_is_json_where_that_is_wanted(used: Server) -> None:
    banner, _, log = used.log.read_text().partition("Ctrl-C stops the server.\n")
    assert "serves at" in banner
    records = [json.loads(line) for line in log.splitlines()]
    assert {"run.created", "task.succeeded"} <= {record.get("event") for record in records}
    errors = [record["message"] for record in records if record["level"] == "ERROR"]
    assert ["is damaged" in message for message in errors] == [True]


def test_the_environment_alone_makes_nobody_send_traces(used: Server, collector: socket.socket) -> None:
    assert used.process.poll() is None
    with pytest.raises(TimeoutError):
        collector.accept()


def test_figures_name_routes_and_never_what_was_asked_for(used: Server) -> None:
    for line in (
        "GET /v1/runs/%61%62%63-private HTTP/1.1",
        "BREW /private HTTP/1.1",
        "GET /private HTTP/1.1",
    ):
        exchange(used, request(used, line))
    figures = exchange(used, request(used, "GET /metrics HTTP/1.1")).body.decode()
    assert "private" not in figures
    for labels in (
        'method="GET",route="/v1/runs/{run}",status="404"',
        'method="other",route="none",status="404"',
        'method="POST",route="/mcp"',
    ):
        assert labels in figures
    assert "_created" not in figures
