"""Examples for planners: which are found for a request, and what happens to damaged files."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.plan_requests import TOOLS, make_request
from tinyagent.bootstrap import encoder_digest, load_examples, load_nano, models_folder
from tinyagent.cli.checks import check_examples
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import ModelUnavailable
from tinyagent.planners.examples import ExampleFinder, ExampleIndex, load_index
from tinyagent.planners.examples.index import Floats
from tinyagent.ports import Example
from tinyagent.settings import load_settings

BUNDLED = models_folder() / "examples"
NOW = datetime(2026, 3, 4, 9, 30)
SMS = ("get_phone_number", "send_sms")
NOTE = ("create_note",)
QUERY = np.array([1, 0], dtype=np.float32)


def make_index(*items: tuple[float, tuple[str, ...]]) -> ExampleIndex:
    """Examples with these cosines to `QUERY` and these tools."""
    examples = [Example(number, f"r{number}", NOW, "", tools) for number, (_, tools) in enumerate(items)]
    vectors = [[cosine, (1 - cosine**2) ** 0.5] for cosine, _ in items]
    return ExampleIndex(examples, np.array(vectors, dtype=np.float32))


def numbers(examples: tuple[Example, ...]) -> list[int]:
    return [example.number for example in examples]


# --- the choice -------------------------------------------------------------------------------------


def test_the_nearest_examples_come_first() -> None:
    index = make_index((0.2, NOTE), (0.9, SMS), (0.5, ("open_note",)))
    assert numbers(index.nearest(QUERY, [*SMS, *NOTE, "open_note"], 2)) == [1, 2]


def test_an_example_that_calls_a_tool_that_is_not_offered_is_passed_over() -> None:
    index = make_index((0.9, SMS), (0.5, NOTE), (0.1, ()))
    assert numbers(index.nearest(QUERY, ["send_sms", "create_note"], 3)) == [1, 2]


def test_a_second_example_with_the_same_calls_waits_for_others_that_are_about_as_near() -> None:
    index = make_index((0.90, SMS), (0.89, SMS), (0.86, NOTE), (0.70, ()))
    assert numbers(index.nearest(QUERY, [*SMS, *NOTE], 3)) == [0, 2, 1]


def test_of_two_that_are_equally_near_the_earlier_goes_first() -> None:
    index = make_index((0.5, NOTE), (0.5, ()), (0.5, SMS))
    assert numbers(index.nearest(QUERY, [*SMS, *NOTE], 2)) == [0, 1]


def test_a_small_or_empty_index_gives_what_it_has() -> None:
    assert numbers(make_index((0.5, NOTE)).nearest(QUERY, NOTE, 3)) == [0]
    assert ExampleIndex([], np.zeros((0, 2), dtype=np.float32)).nearest(QUERY, NOTE, 3) == ()


# --- the bundled index ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> ExampleIndex:
    return load_examples()


def test_every_bundled_example_is_a_right_plan_for_the_tools_that_it_names(bundled: ExampleIndex) -> None:
    for example in bundled.examples:
        calls = parse_plan(example.plan).calls
        assert tuple(sorted(call.tool for call in calls)) == example.tools
        for call in calls:
            TOOLS[call.tool].check(call.arguments)


def test_the_bundled_examples_cover_all_tools_and_requests_that_nothing_serves(bundled: ExampleIndex) -> None:
    called = [example.tools for example in bundled.examples]
    assert {tool for tools in called for tool in tools} == set(TOOLS)
    assert () in called
    assert max(len(example.query) for example in bundled.examples) <= 240


def test_the_bundled_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 2_000_000


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("Text Zinaida that my train is late", SMS),
        ("remind me on Friday to feed the tortoise", ("create_reminder",)),
        ("How do I walk from the station to the fish market?", ("maps_show_directions",)),
    ],
)
def test_the_bundled_encoder_finds_examples_with_the_calls_of_a_request(
    bundled: ExampleIndex, query: str, calls: tuple[str, ...]
) -> None:
    found = ExampleFinder(lambda: bundled, load_nano().embed, 3)(make_request(query))
    assert len(found) == 3
    assert found[0].tools == calls


# --- files ------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(BUNDLED, tmp_path / "examples")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lose_a_line(path: Path) -> None:
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")


def forget_the_time(path: Path) -> None:
    first, rest = path.read_text("utf-8").split("\n", 1)
    raw = json.loads(first)
    del raw["now"]
    path.write_text(f"{json.dumps(raw)}\n{rest}", "utf-8")


def hold_no_number(path: Path) -> None:
    vectors = np.load(path)
    vectors[0, 0] = np.nan
    np.save(path, vectors)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("manifest.json", Path.unlink),
        ("examples.jsonl", Path.unlink),
        ("vectors.npy", Path.unlink),
        ("manifest.json", cut),
        ("examples.jsonl", cut),
        ("vectors.npy", cut),
        ("examples.jsonl", lose_a_line),
        ("examples.jsonl", forget_the_time),
        ("vectors.npy", hold_no_number),
        ("vectors.npy", lambda path: path.write_bytes(b"")),
        ("manifest.json", lambda path: path.write_text("[]")),
    ],
)
def test_files_that_are_missing_or_damaged_are_told(copy: Path, name: str, damage: object) -> None:
    assert callable(damage)
    damage(copy / name)
    with pytest.raises(ModelUnavailable, match="missing or damaged"):
        load_index(copy, encoder_digest())


def test_vectors_of_another_encoder_are_refused(copy: Path) -> None:
    with pytest.raises(ModelUnavailable, match="another encoder") as told:
        load_index(copy, "0" * 64)
    assert "tinyagent data examples" in (told.value.hint or "")


@pytest.mark.parametrize(
    ("damaged", "verdict", "words"),
    [(False, "ok", "solved requests"), (True, "advice", "vectors.npy is damaged")],
)
def test_the_doctor_says_whether_examples_can_be_used(
    copy: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool, verdict: str, words: str
) -> None:
    shutil.copytree(models_folder() / "nano", copy.parent / "nano", ignore=shutil.ignore_patterns("*.onnx"))
    if damaged:
        content = (copy / "vectors.npy").read_bytes()
        (copy / "vectors.npy").write_bytes(content[:-1] + b"?")
    monkeypatch.setattr("tinyagent.bootstrap.models.models_folder", lambda: copy.parent)
    finding = check_examples(load_settings(home=copy.parent))
    assert (finding.verdict, words in finding.detail) == (verdict, True)
    off = check_examples(load_settings(home=copy.parent, planner_examples=0))
    assert (off.verdict, off.detail) == ("ok", "switched off")


def test_without_usable_files_requests_get_no_examples_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def embed(texts: list[str]) -> Floats:
        raise AssertionError("nothing is to be embedded")

    finder = ExampleFinder(lambda: load_index(tmp_path, "0" * 64), embed, 3)
    with caplog.at_level(logging.WARNING):
        assert [finder(make_request("Text Sid my secret")) for _ in range(2)] == [(), ()]
    assert [str(tmp_path) in record.getMessage() for record in caplog.records] == [True]
    assert "secret" not in caplog.text
