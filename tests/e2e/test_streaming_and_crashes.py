"""The engine inside the real server: tasks run while the plan is written, and a kill loses nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from httpx_sse import connect_sse

from tests.support.server import Server, free_port, serve, tinyagent
from tests.support.slow_model import SlowModel, slow_model

LINES = [
    '1. create_note("First", "made while the plan was still being written", "")',
    '2. create_note("Second", "x", "")',
    "3. join()<END_OF_PLAN>",
]


@pytest.fixture
def model() -> Iterator[SlowModel]:
    with slow_model(LINES) as model:
        yield model


def configure(home: Path, model: SlowModel) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(
        f'[planners.slow]\nkind = "openai"\nbase_url = "{model.url}"\nmodel = "slow"\n'
    )


def notes(home: Path) -> list[str]:
    return sorted(path.stem for path in (home / "data" / "notes").rglob("*.md"))


def wait_for(server: Server, run: str, event_type: str) -> list[dict[str, object]]:
    """Follow the feed until an event of this type."""
    seen: list[dict[str, object]] = []
    with server.client() as client, connect_sse(client, "GET", f"/v1/runs/{run}/events") as source:
        for event in source.iter_sse():
            seen.append(json.loads(event.data))
            if event.event == event_type:
                return seen
    raise AssertionError(f"no {event_type} in {[event['type'] for event in seen]}")


def start(server: Server) -> str:
    with server.client() as client:
        response = client.post("/v1/runs", json={"query": "make two notes", "planner": "slow"})
    assert response.status_code == 202, response.text
    return response.json()["run"]


def test_the_first_task_ends_before_the_last_line_is_planned(tmp_path: Path, model: SlowModel) -> None:
    configure(tmp_path, model)
    with serve(tmp_path) as server:
        run = start(server)
        wait_for(server, run, "task.succeeded")
        assert notes(tmp_path) == ["First"]  # the model has not been allowed to write its second line
        model.more.release()
        model.more.release()
        events = wait_for(server, run, "run.completed")
    types = [event["type"] for event in events]
    assert types.index("task.succeeded") < types.index("plan.completed")
    assert notes(tmp_path) == ["First", "Second"]


def test_a_killed_server_ends_its_runs_at_the_next_start_and_repeats_nothing(
    tmp_path: Path, model: SlowModel
) -> None:
    configure(tmp_path, model)
    with serve(tmp_path) as server:
        run = start(server)
        wait_for(server, run, "task.succeeded")
        server.kill()
    before = notes(tmp_path)
    with serve(tmp_path) as server:
        events = wait_for(server, run, "run.failed")
        with server.client() as client:
            state = client.get(f"/v1/runs/{run}").json()
    assert before == notes(tmp_path) == ["First"]
    assert state["status"] == "failed"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_a_client_that_leaves_stops_the_planning(tmp_path: Path, model: SlowModel) -> None:
    configure(tmp_path, model)
    with serve(tmp_path) as server:
        body = {
            "model": "tinyagent:slow",
            "stream": True,
            "messages": [{"role": "user", "content": "make two notes"}],
        }
        with server.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
            for line in response.iter_lines():
                if "task.succeeded" in line:
                    break
        deadline = time.monotonic() + 30
        while True:
            with server.client() as client:
                runs = client.get("/v1/runs").json()["data"]
            if runs[0]["status"] != "running":
                break
            assert time.monotonic() < deadline, "the run goes on without its client"
            time.sleep(0.1)
        assert runs[0]["status"] == "cancelled"
        model.more.release()
        model.more.release()
    assert notes(tmp_path) == ["First"]


def test_a_second_server_on_the_same_port_or_home_says_what_to_do(tmp_path: Path) -> None:
    with serve(tmp_path / "one") as server:
        same_port = tinyagent(tmp_path / "two", "serve", "--port", str(server.port))
        same_home = tinyagent(tmp_path / "one", "serve", "--port", str(free_port()))
    assert same_port.returncode == 1
    assert str(server.port) in same_port.stderr
    assert same_home.returncode == 1
    assert "Another tinyagent uses the folder" in " ".join(same_home.stderr.split())
    assert "Traceback" not in same_port.stderr + same_home.stderr


def test_a_corrupt_journal_is_named_and_nothing_is_overwritten(tmp_path: Path) -> None:
    tmp_path.joinpath("journal.sqlite3").write_bytes(b"no database" * 1000)
    result = tinyagent(tmp_path, "serve", "--port", str(free_port()))
    assert result.returncode == 1
    assert "journal.sqlite3" in result.stderr
    assert "damaged" in result.stderr
    assert "Traceback" not in result.stderr
    assert tmp_path.joinpath("journal.sqlite3").read_bytes() == b"no database" * 1000


def test_health_needs_no_token_and_everything_else_does(tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        assert httpx.get(f"{server.url}/v1/runs").status_code == 401
        assert server.stop() == 0
