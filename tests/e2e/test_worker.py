"""Servers and workers in processes of their own: each call is done once or never, whatever breaks."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server, tinyagent
from tests.support.slow_model import SlowModel, slow_model
from tests.support.workers import Gate, eventually, serve_workers, work

LEASE_S = 3.0
NOTES = [f'{number}. create_note("Note {number}", "text", "")' for number in range(1, 7)]
MAIL = ['1. compose_new_email(["sid@example.com"], [], "Figs", "ripe", [])']


@pytest.fixture(scope="module")
def model() -> Iterator[SlowModel]:
    with slow_model([]) as model:
        yield model


def configure(home: Path, model: SlowModel) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(
        f"""
        planner = "slow"
        [planners.slow]
        kind = "openai"
        base_url = "{model.url}"
        model = "slow"
        [approvals]
        send = "auto"
        [worker]
        lease_s = {LEASE_S}
        """
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model: SlowModel) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    configure(home, model)
    with serve_workers(home) as server:
        yield server


def start(server: Server, model: SlowModel, lines: list[str]) -> str:
    """Have the server carry out exactly these calls."""
    model.lines = [*lines, f"{len(lines) + 1}. join()<END_OF_PLAN>"]
    model.more.release(len(lines))
    query = "Write a mail to sid@example.com" if lines == MAIL else "Make a note"
    with server.client() as client:
        answer = client.post("/v1/runs", json={"query": query})
    assert answer.status_code == 202, answer.text
    return answer.json()["run"]


def ended(server: Server, run: str) -> dict[str, Any]:
    """The run at its end."""
    with server.client() as client:

        def state() -> dict[str, Any]:
            return client.get(f"/v1/runs/{run}").json()

        eventually(lambda: state()["status"] != "running", f"{run} ends")
        return state()


def notes(server: Server) -> list[str]:
    return sorted(path.stem for path in (server.home / "data" / "notes").rglob("*.md"))


def workers_of(server: Server, tool: str) -> list[str]:
    with server.client() as client:
        tools = {entry["name"]: entry for entry in client.get("/v1/tools").json()["data"]}
    return tools[tool]["workers"]


def test_a_request_is_carried_out_by_the_worker_and_can_be_taken_back(
    server: Server, model: SlowModel
) -> None:
    with work(server.home, server.url):
        assert workers_of(server, "create_note") == ["mac"]
        with server.client() as client:
            assert client.get("/readyz").status_code == 200
            state = ended(server, start(server, model, NOTES[:1]))
            assert (state["status"], notes(server)) == ("completed", ["Note 1"])
            answer = client.post(f"/v1/runs/{state['run']}/undo")
            assert answer.status_code == 200, answer.text
    assert notes(server) == []


def test_a_worker_with_a_home_of_its_own_does_it_there(
    server: Server, model: SlowModel, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text((server.home / "worker-token").read_text())
    own = tmp_path / "own"
    with work(own, server.url, "--token-file", str(token)):
        assert ended(server, start(server, model, NOTES[:1]))["status"] == "completed"
    assert notes(server) == []
    assert [path.stem for path in (own / "data" / "notes").rglob("*.md")] == ["Note 1"]
    assert own.stat().st_mode & 0o777 == 0o700


def test_two_workers_do_each_call_once(server: Server, model: SlowModel, tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    with work(server.home, server.url, gate=gate), work(server.home, server.url, gate=gate, name="imac"):
        eventually(lambda: workers_of(server, "create_note") == ["imac", "mac"], "both are known")
        run = start(server, model, NOTES)
        eventually(lambda: len(gate.begun()) == 6, "all calls are under way, more than one worker takes")
        gate.open()
        assert ended(server, run)["status"] == "completed"
    assert len(set(gate.keys())) == len(gate.keys()) == 6
    assert notes(server) == [f"Note {number}" for number in range(1, 7)]


def test_a_worker_that_is_killed_while_it_sends_leaves_the_outcome_unknown_and_nothing_is_sent_again(
    server: Server, model: SlowModel, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    with work(server.home, server.url, gate=gate) as killed:
        run = start(server, model, MAIL)
        eventually(lambda: gate.begun() == ["compose_new_email"], "it sends")
        killed.kill()
    with work(server.home, server.url, gate=gate):
        state = ended(server, run)
        task = state["tasks"][0]
        assert (task["status"], task["error"]["code"]) == ("failed", "outcome_unknown")
        assert task["outcome_unknown"] is True
        assert "mac stopped answering in the middle" in task["error"]["message"]
        gate.open()
        assert ended(server, start(server, model, NOTES[:1]))["status"] == "completed"
    assert gate.begun() == ["compose_new_email", "create_note"]


def test_a_result_that_comes_too_late_changes_nothing(
    server: Server, model: SlowModel, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    with work(server.home, server.url, gate=gate) as frozen:
        run = start(server, model, MAIL)
        eventually(lambda: gate.begun() == ["compose_new_email"], "it sends")
        frozen.process.send_signal(signal.SIGSTOP)
        state = ended(server, run)
        assert state["tasks"][0]["error"]["code"] == "outcome_unknown"
        gate.open()
        frozen.process.send_signal(signal.SIGCONT)
        eventually(lambda: "did not take the result (conflict)" in frozen.said(), "the result is refused")
        assert ended(server, run)["tasks"] == state["tasks"]


def test_a_worker_that_is_told_to_end_finishes_its_call_first(
    server: Server, model: SlowModel, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    with work(server.home, server.url, gate=gate) as leaving:
        run = start(server, model, MAIL)
        eventually(lambda: gate.begun() == ["compose_new_email"], "it sends")
        leaving.terminate()
        eventually(lambda: "Stops after what it carries out now (1)" in leaving.said(), "it says so")
        assert leaving.process.poll() is None
        gate.open()
        assert leaving.ended() == 0
        assert leaving.said().rstrip().endswith("Stopped.")
    state = ended(server, run)
    assert (state["status"], state["tasks"][0]["status"]) == ("completed", "succeeded")


def test_a_worker_does_only_what_is_on_its_list(server: Server, model: SlowModel) -> None:
    with work(server.home, server.url, "--tool", "get_phone_number", "--tool", "open_note", name="reader"):
        eventually(lambda: workers_of(server, "create_note") == [], "workers of earlier tests have gone")
        assert workers_of(server, "open_note") == ["reader"]
        with server.client() as client:
            tools = {entry["name"]: entry for entry in client.get("/v1/tools").json()["data"]}
        assert not tools["create_note"]["enabled"]
        assert tools["create_note"]["reason"] == "no connected worker carries out create_note"


def test_a_wrong_token_ends_the_worker_with_what_to_do(server: Server, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("not-the-token-of-this-server\n")
    with work(server.home, server.url, "--token-file", str(wrong), name="stranger") as refused:
        assert refused.ended() == 1
        assert "does not accept this worker's token" in refused.said()
        assert "tinyagent token --worker" in refused.said()


def test_a_revoked_token_ends_the_worker_and_a_new_one_lets_it_in_again(server: Server) -> None:
    path = server.home / "worker-token"
    assert path.stat().st_mode & 0o777 == 0o600
    with work(server.home, server.url, name="revoked") as worker:
        assert tinyagent(server.home, "token", "--worker", "--revoke").returncode == 0
        assert worker.ended() == 1
        assert "was revoked" in worker.said()
    fresh = tinyagent(server.home, "token", "--worker").stdout.strip()
    assert fresh == path.read_text().strip()
    with work(server.home, server.url, name="again", TINYAGENT_WORKER_TOKEN=fresh) as again:
        assert again.process.poll() is None


def test_a_worker_finds_its_server_again(tmp_path: Path, model: SlowModel) -> None:
    configure(tmp_path, model)
    with serve_workers(tmp_path) as server, work(tmp_path, server.url) as worker:
        server.kill()
        eventually(lambda: "Tries again" in worker.said(), "it misses the server")
        with serve_workers(tmp_path, server.port) as restarted:
            eventually(lambda: worker.said().count("Connected to") == 2, "it is back")
            assert ended(restarted, start(restarted, model, NOTES[:1]))["status"] == "completed"
            assert notes(restarted) == ["Note 1"]


def test_a_server_that_is_told_to_end_waits_for_what_its_worker_does(
    tmp_path: Path, model: SlowModel
) -> None:
    configure(tmp_path, model)
    gate = Gate(tmp_path / "gate")
    with serve_workers(tmp_path) as server, work(tmp_path, server.url, gate=gate):
        run = start(server, model, MAIL)
        eventually(lambda: gate.begun() == ["compose_new_email"], "it sends")
        server.process.send_signal(signal.SIGTERM)
        with server.client() as client:
            eventually(
                lambda: client.get(f"/v1/runs/{run}").json()["status"] != "completed", "it still answers"
            )
        gate.open()
        assert server.process.wait(20) == 0
    with serve_workers(tmp_path) as restarted:
        task = ended(restarted, run)["tasks"][0]
        assert (task["status"], task["error"]) == ("succeeded", None)
