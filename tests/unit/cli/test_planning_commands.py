"""`plan`, `eval` and `eval-toolrag` with scripted tool selection and planning."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tinyagent.cli.app import app
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import ModelUnavailable, PlannerFailed
from tinyagent.ports import PlanRequest, Selection, Usage
from tinyagent.tools.registry import BUILT_IN

PLANS = {
    "text ann": '1. get_phone_number("Ann")\n2. send_sms(["$1"], "Hi")\n3. join()<END_OF_PLAN>',
    "open tea": '1. open_note("Tee", "")\n2. join()<END_OF_PLAN>',
    "order food": "1. join()<END_OF_PLAN>",
}
TOOLS = {"text ann": ("get_phone_number", "send_sms"), "open tea": ("open_note",), "break": ("open_note",)}


class ScriptedSelector:
    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        chosen = TOOLS.get(query, ())
        return Selection(chosen, dict.fromkeys(chosen, 0.9))


class ScriptedPlanner:
    name = "nano"
    can_replan = False

    def knows(self, tool: ToolSpec) -> bool:
        return True

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        if request.query == "break":
            raise PlannerFailed("The planner stopped.")
        yield PLANS[request.query]
        yield Usage(prompt_tokens=50)

    async def close(self) -> None:
        return None


class ScriptedToolkit:
    selector = ScriptedSelector()
    tools = tuple(tool.spec for tool in BUILT_IN)

    async def planner(self, name: str | None = None) -> ScriptedPlanner:
        return ScriptedPlanner()


@pytest.fixture
def toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that plan get scripted parts from the composition root."""
    monkeypatch.setattr("tinyagent.bootstrap.build_toolkit", lambda settings: ScriptedToolkit())


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=input)


def write_lines(path: Path, *rows: dict[str, Any] | str) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(path)


@pytest.mark.usefixtures("toolkit")
def test_a_plan_is_all_that_is_printed() -> None:
    result = run("plan", "--now", "2025-03-08 11:20", "text ann")
    assert (result.exit_code, result.stdout) == (0, PLANS["text ann"] + "\n")


@pytest.mark.usefixtures("toolkit")
def test_a_request_may_come_as_words_or_from_standard_input() -> None:
    assert run("plan", "text", "ann").stdout == PLANS["text ann"] + "\n"
    assert run("plan", "-", input="text ann\n").stdout == PLANS["text ann"] + "\n"
    assert run("plan", "-", input="\n").exit_code == 2


@pytest.mark.usefixtures("toolkit")
def test_a_plan_as_json_holds_tools_scores_and_latency() -> None:
    shown = json.loads(run("plan", "--json", "text ann").stdout)
    assert shown["tools"] == ["get_phone_number", "send_sms"]
    assert shown["scores"] == {"get_phone_number": 0.9, "send_sms": 0.9}
    assert shown["plan"] == PLANS["text ann"]
    assert shown["prompt_tokens"] == 50
    assert shown["milliseconds"] >= 0


@pytest.mark.usefixtures("toolkit")
def test_a_failing_planner_is_a_failed_command() -> None:
    result = run("plan", "break")
    assert result.exit_code == 1
    assert "The planner stopped." in result.stderr


def case(name: str, query: str, plan: str) -> dict[str, str]:
    return {"id": name, "now": "2025-03-08 11:20", "query": query, "plan": plan}


@pytest.mark.usefixtures("toolkit")
@pytest.mark.parametrize("retrieval", ["reference", "predicted"])
def test_an_evaluation_writes_a_plan_for_every_case_and_its_figures(tmp_path: Path, retrieval: str) -> None:
    cases = write_lines(
        tmp_path / "cases.jsonl",
        case("a", "text ann", PLANS["text ann"]),
        case("b", "open tea", '1. open_note("Tea", "")\n2. join()'),
        case("c", "break", '1. open_note("Tea", "")\n2. join()'),
        case("d", "order food", PLANS["order food"]),
        "not json",
    )
    out = tmp_path / "out.jsonl"
    arguments = ("eval", "--cases", cases, "--predictions", str(out), "--retrieval", retrieval)
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    assert f"{cases}:5: not JSON" in result.stderr
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {"id": "a", "plan": PLANS["text ann"]},
        {"id": "b", "plan": PLANS["open tea"]},
        {"id": "c", "plan": ""},
        {"id": "d", "plan": PLANS["order food"]},
    ]
    figures = json.loads(result.stdout)
    assert (figures["cases"], figures["faulty_lines"], figures["planner_failures"]) == (4, 1, 1)
    assert (figures["success_rate"], figures["arguments_exact"]) == (0.75, 0.5)
    assert figures["success_rate_interval"][0] < 0.75 < figures["success_rate_interval"][1]
    assert figures["retrieval"] == retrieval
    assert figures["by_calls"]["1"] == {"cases": 2, "success_rate": 0.5, "arguments_exact": 0.0}
    table = run(*arguments).stdout
    assert all(name in table for name in ("success rate", "0.7500", "tool recall", "p95", "open_note.name"))


@pytest.mark.usefixtures("toolkit")
def test_an_evaluation_of_a_missing_file_or_into_a_missing_folder_is_a_clear_failure(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    missing = run("eval", "--cases", str(tmp_path / "none.jsonl"), "--predictions", str(out))
    assert (missing.exit_code, "cannot be read: No such file" in missing.stderr) == (1, True)
    cases = write_lines(tmp_path / "cases.jsonl", case("a", "text ann", PLANS["text ann"]))
    nowhere = run("eval", "--cases", cases, "--predictions", str(tmp_path / "no" / "out.jsonl"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)
    assert not out.exists()


@pytest.mark.usefixtures("toolkit")
def test_earlier_predictions_stay_until_new_ones_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_model(self: ScriptedToolkit, name: str | None = None) -> ScriptedPlanner:
        raise ModelUnavailable("The model's file is damaged.")

    monkeypatch.setattr(ScriptedToolkit, "planner", no_model)
    cases = write_lines(tmp_path / "cases.jsonl", case("a", "text ann", PLANS["text ann"]))
    out = tmp_path / "out.jsonl"
    out.write_text("earlier\n")
    result = run("eval", "--cases", cases, "--predictions", str(out))
    assert (result.exit_code, "is damaged" in result.stderr) == (1, True)
    assert out.read_text() == "earlier\n"


@pytest.mark.usefixtures("toolkit")
def test_tool_rag_is_evaluated_on_labelled_requests(tmp_path: Path) -> None:
    requests = write_lines(
        tmp_path / "requests.jsonl",
        {"text": "text ann", "accept": ["send_sms"]},
        {"text": "open tea", "accept": ["create_note"]},
        {"text": "order food", "accept": []},
        {"text": "unread mail", "accept": None},
    )
    figures = json.loads(run("eval-toolrag", "--requests", requests, "--json").stdout)
    assert (figures["requests"], figures["served_found"], figures["out_of_scope_declined"]) == (3, 0.5, 1)
    assert figures["mean_tools"] == 1
    assert "0.5000 of 2 get an accepted tool" in run("eval-toolrag", "--requests", requests).stdout
