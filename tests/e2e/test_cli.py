"""The command line as people and scripts use it: real processes, a real server, the bundled model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import STOP_S, Server, free_port, serve, tinyagent
from tests.support.slow_model import slow_model
from tinyagent.domain.events import EVENT
from tinyagent.domain.plan_parser import parse_plan

LOOKUP = "What is Jane's phone number?"
JANE = "+1 415 555 0101"


PLANS = {
    "jane": ['1. get_phone_number("Jane")', "2. join()<END_OF_PLAN>"],
    "maria": ['1. get_email_address("Maria")', "2. join()<END_OF_PLAN>"],
    "slow": ['1. create_note("Waiting", "", "")', "2. join()<END_OF_PLAN>"],
}
"""What the planners write; `slow` never gets beyond its first line."""


@pytest.fixture(scope="module")
def planners() -> Iterator[str]:
    """A config.toml with planners beside the bundled ones whose plans are known."""
    with ExitStack() as models:
        sections: list[str] = []
        for name, lines in PLANS.items():
            model = models.enter_context(slow_model(lines))
            if name != "slow":
                model.more.release(1000)
            sections.append(f'[planners.{name}]\nkind = "openai"\nbase_url = "{model.url}"\nmodel = "m"\n')
        yield "\n".join(sections)


@pytest.fixture(scope="module")
def server(planners: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on demo data."""
    home = tmp_path_factory.mktemp("home")
    prepare(home, planners)
    with serve(home) as server:
        yield server


def prepare(home: Path, planners: str) -> None:
    assert tinyagent(home, "demo").returncode == 0
    (home / "config.toml").write_text(planners)


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return tinyagent(server.home, "--url", server.url, *arguments)


def events(output: str) -> list[Any]:
    return [EVENT.validate_json(line) for line in output.splitlines()]


def test_a_request_is_carried_out_and_told_in_plain_lines(server: Server) -> None:
    result = command(server, "ask", "--planner", "jane", LOOKUP)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("tools: ")
    assert "1. get_phone_number: “Jane”" in lines
    assert JANE.replace(" ", "") in result.stdout.replace(" ", "")


def test_the_events_of_a_run_are_json_lines(server: Server) -> None:
    result = command(server, "ask", "--planner", "jane", "--json", LOOKUP)
    seen = events(result.stdout)
    assert result.returncode == 0
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert (seen[0].type, seen[-1].type) == ("run.created", "run.completed")


def test_a_question_that_stays_open_is_a_failure_with_the_choices(server: Server) -> None:
    result = command(server, "ask", "--planner", "maria", "What is Maria's email address?")
    assert result.returncode == 1
    assert "Maria Santos" in result.stdout
    assert "Maria Kowalska" in result.stdout


def test_runs_are_listed_and_shown(server: Server) -> None:
    run = events(command(server, "ask", "--planner", "jane", "--json", LOOKUP).stdout)[0].run
    listed = command(server, "runs")
    assert (listed.returncode, run in listed.stdout, LOOKUP in listed.stdout) == (0, True, True)
    shown = command(server, "runs", "show", run)
    assert shown.returncode == 0
    assert "✓ 1 get_phone_number" in shown.stdout
    assert json.loads(command(server, "runs", "show", run, "--json").stdout)["query"] == LOOKUP
    unknown = command(server, "runs", "show", "run_none")
    assert (unknown.returncode, unknown.stderr.startswith("error: ")) == (1, True)


def test_ctrl_c_stops_the_run_and_ends_with_130(server: Server) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tinyagent",
            "ask",
            "--json",
            "--planner",
            "slow",
            "make a note called waiting",
        ],
        env={**os.environ, "TINYAGENT_HOME": str(server.home), "TINYAGENT_URL": server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A suite that runs in the background of a shell inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    for line in process.stdout:
        event = EVENT.validate_json(line)
        if event.type == "plan.delta":
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=STOP_S)
    told = f"Stopped; `tinyagent runs show {event.run}` tells what was done.\n"
    assert (process.returncode, errors) == (130, told)
    body = json.loads(command(server, "runs", "show", event.run, "--json").stdout)
    assert body["status"] == "cancelled"


def test_an_unknown_planner_is_a_clear_failure(server: Server) -> None:
    result = command(server, "ask", "--planner", "gpt-9", LOOKUP)
    assert result.returncode == 1
    assert "There is no planner 'gpt-9'." in result.stderr


def test_a_wrong_token_is_a_clear_failure(server: Server, tmp_path: Path) -> None:
    result = tinyagent(tmp_path, "--url", server.url, "ask", LOOKUP, TINYAGENT_TOKEN="x" * 43)
    assert result.returncode == 1
    assert "does not accept this token" in result.stderr


def test_a_second_server_on_the_port_says_that_it_is_taken(server: Server, tmp_path: Path) -> None:
    result = tinyagent(tmp_path, "serve", "--port", str(server.port))
    assert result.returncode == 1
    assert str(server.port) in result.stderr
    assert "Traceback" not in result.stderr


def test_a_second_server_on_the_home_folder_is_refused(server: Server) -> None:
    result = tinyagent(server.home, "serve", "--port", str(free_port()))
    assert result.returncode == 1
    assert str(server.home) in result.stderr


def test_the_banner_tells_where_and_with_what(server: Server) -> None:
    banner = server.log.read_text()
    assert server.url in banner
    assert str(server.home / "token") in banner
    assert "nano" in banner
    assert "get_zoom_meeting_link" in banner
    assert server.token not in banner


def test_the_doctor_finds_the_server_and_the_models(server: Server) -> None:
    result = command(server, "doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(result.stdout)}
    assert result.returncode == 0, result.stdout
    assert found["server"]["detail"] == f"answers at {server.url}"
    assert {check: found[check]["verdict"] for check in ("tool rag", "planner nano", "zoom")} == {
        "tool rag": "ok",
        "planner nano": "ok",
        "zoom": "advice",
    }


def test_a_request_is_carried_out_without_a_server(tmp_path: Path, planners: str) -> None:
    prepare(tmp_path, planners)
    result = tinyagent(tmp_path, "ask", "--local", "--planner", "jane", LOOKUP)
    assert (result.returncode, result.stderr) == (0, "")
    assert "✓ get_phone_number" in result.stdout


def test_a_plan_is_printed_without_a_server(tmp_path: Path, planners: str) -> None:
    prepare(tmp_path, planners)
    result = tinyagent(tmp_path, "plan", "--planner", "jane", LOOKUP)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == '1. get_phone_number("Jane")\n2. join()<END_OF_PLAN>\n'


def test_the_bundled_planner_writes_a_plan(tmp_path: Path) -> None:
    result = tinyagent(tmp_path, "plan", "--now", "2025-03-08 11:20", "remind me to feed the cat tomorrow")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("join()<END_OF_PLAN>\n")
    parse_plan(result.stdout)


def test_the_models_are_listed(tmp_path: Path) -> None:
    planners = json.loads(tinyagent(tmp_path, "models", "list", "--json").stdout)
    assert [planner["name"] for planner in planners if planner["default"]] == ["nano"]
    assert "nano" in tinyagent(tmp_path, "models", "list").stdout


def test_a_pipe_that_closes_early_is_no_failure_to_tell(tmp_path: Path) -> None:
    shell = f"{sys.executable} -m tinyagent --help | true"
    result = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert result.stderr == ""
