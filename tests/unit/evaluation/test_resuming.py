"""Finished outcomes are kept and used again, damaged ones are done again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.evaluation.scripted import (
    NOTHING,
    PHONE,
    PLACE,
    TOOLS,
    ScriptedPlanner,
    case,
    case_file,
    silent,
    subject,
)
from tinyagent.errors import InvalidRequest, ModelUnavailable, PlannerFailed
from tinyagent.evaluation.ledger import Ledger
from tinyagent.evaluation.subjects import MOST_FAILURES_IN_A_ROW, outcomes_of

ANSWERS: dict[str, str | Exception] = {
    "request phone": '1. get_phone_number("Ann")\n2. join()<END_OF_PLAN>',
    "request place": '1. maps_open_location("\udce9")\n2. join()<END_OF_PLAN>',
    "request nothing": "1. join()<END_OF_PLAN>",
    "Remind me to water the plants": "1. join()<END_OF_PLAN>",
}
WARM_UP = "Remind me to water the plants"
FILE = case_file(PHONE, PLACE, NOTHING)


async def test_what_was_finished_is_not_planned_again(tmp_path: Path) -> None:
    first, second = ScriptedPlanner(ANSWERS), ScriptedPlanner({})
    before = await outcomes_of(subject(first), FILE, TOOLS, tmp_path, silent)
    again = await outcomes_of(subject(second), FILE, TOOLS, tmp_path, silent)
    assert first.asked == [WARM_UP, "request phone", "request place", "request nothing"]
    assert second.asked == []
    assert again == before
    assert [one.score.success for one in again] == [True, False, True]


async def test_a_stopped_evaluation_goes_on_where_it_was(tmp_path: Path) -> None:
    broken = ScriptedPlanner({**ANSWERS, "request place": ModelUnavailable("The disk is gone.")})
    with pytest.raises(ModelUnavailable):
        await outcomes_of(subject(broken), FILE, TOOLS, tmp_path, silent)
    mended = ScriptedPlanner(ANSWERS)
    outcomes = await outcomes_of(subject(mended), FILE, TOOLS, tmp_path, silent)
    assert mended.asked == [WARM_UP, "request place", "request nothing"]
    assert [one.case.id for one in outcomes] == ["phone", "place", "nothing"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: "not json",
        lambda line: "[1, 2]",
        lambda line: json.dumps({"id": "place"}),
        lambda line: json.dumps(json.loads(line) | {"usage": {"prompt_tokens": "many"}}),
        lambda line: json.dumps(json.loads(line) | {"tools": [1]}),
        lambda line: "\x00\xff",
    ],
)
async def test_a_damaged_row_is_done_again_and_the_rest_is_used(tmp_path: Path, damage) -> None:
    await outcomes_of(subject(ScriptedPlanner(ANSWERS)), FILE, TOOLS, tmp_path, silent)
    (path,) = tmp_path.glob("*.jsonl")
    lines = path.read_text().splitlines()
    lines[2] = damage(lines[2])
    path.write_text("\n".join(lines), encoding="latin-1")
    planner = ScriptedPlanner(ANSWERS)
    outcomes = await outcomes_of(subject(planner), FILE, TOOLS, tmp_path, silent)
    assert planner.asked == [WARM_UP, "request place"]
    assert len(outcomes) == 3
    unused = ScriptedPlanner({})
    assert await outcomes_of(subject(unused), FILE, TOOLS, tmp_path, silent) == outcomes


@pytest.mark.parametrize("change", ["weights", "cases"])
async def test_other_weights_and_other_cases_are_planned_anew(tmp_path: Path, change: str) -> None:
    await outcomes_of(subject(ScriptedPlanner(ANSWERS)), FILE, TOOLS, tmp_path, silent)
    planner = ScriptedPlanner(ANSWERS)
    other = subject(planner, digest="two" if change == "weights" else "one")
    file = case_file(*FILE.cases, sha256="1" * 64) if change == "cases" else FILE
    await outcomes_of(other, file, TOOLS, tmp_path, silent)
    assert len(planner.asked) == 4
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


async def test_a_file_of_another_evaluation_under_this_name_is_not_believed(tmp_path: Path) -> None:
    await outcomes_of(subject(ScriptedPlanner(ANSWERS)), FILE, TOOLS, tmp_path, silent)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text().replace('"digest": "one"', '"digest": "two"'))
    planner = ScriptedPlanner(ANSWERS)
    await outcomes_of(subject(planner), FILE, TOOLS, tmp_path, silent)
    assert len(planner.asked) == 4


async def test_a_part_of_the_cases_leaves_the_other_outcomes_alone(tmp_path: Path) -> None:
    await outcomes_of(subject(ScriptedPlanner(ANSWERS)), FILE, TOOLS, tmp_path, silent)
    part = case_file(PHONE)
    assert len(await outcomes_of(subject(ScriptedPlanner({})), part, TOOLS, tmp_path, silent)) == 1
    unused = ScriptedPlanner({})
    assert len(await outcomes_of(subject(unused), FILE, TOOLS, tmp_path, silent)) == 3


async def test_failures_of_a_server_are_tried_again_and_those_of_a_local_model_are_not(
    tmp_path: Path,
) -> None:
    answers = {**ANSWERS, "request place": PlannerFailed("Broke off.")}
    for remote, asked in ((True, ["request place"]), (False, [])):
        folder = tmp_path / str(remote)
        await outcomes_of(subject(ScriptedPlanner(answers), remote=remote), FILE, TOOLS, folder, silent)
        planner = ScriptedPlanner(answers)
        outcomes = await outcomes_of(subject(planner, remote=remote), FILE, TOOLS, folder, silent)
        assert planner.asked == asked
        assert outcomes[1].fault == "Broke off."


async def test_a_server_that_fails_on_and_on_is_given_up(tmp_path: Path) -> None:
    cases = [case(str(number), "1. join()") for number in range(30)]
    planner = ScriptedPlanner({one.query: PlannerFailed("No answer.") for one in cases})
    with pytest.raises(PlannerFailed, match="10 requests in a row: No answer") as failure:
        await outcomes_of(subject(planner, remote=True), case_file(*cases), TOOLS, tmp_path, silent)
    assert len(planner.asked) == MOST_FAILURES_IN_A_ROW
    assert "kept" in (failure.value.hint or "")


def test_a_folder_in_the_place_of_a_ledger_is_named(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "nano / odd: name", {"digest": "one"})
    ledger.path.mkdir()
    with pytest.raises(InvalidRequest, match="cannot be read"):
        ledger.rows()
    with pytest.raises(InvalidRequest, match="cannot be written"), ledger.appending({}):
        pass
    assert ledger.path.name.startswith("nano-odd-name-")
