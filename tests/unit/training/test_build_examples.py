"""The choice of examples for planners, and the command that writes them."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.tiny_corpus import write_corpus
from tinyagent.bootstrap import encoder_digest
from tinyagent.cli.app import app
from tinyagent.errors import ModelUnavailable
from tinyagent.planners.examples import load_index
from tinyagent.toolrag.manifest import check_contents
from tinyagent.training.build_examples import choose_examples, tools_of
from tinyagent.training.corpus import Entry, read_corpus
from tinyagent.training.rows import Request, row_of

NOW = datetime(2026, 3, 4, 9, 30)
OPEN = '1. open_note("{0}", "")\n2. join()<END_OF_PLAN>'
PLACE = '1. maps_open_location("{0}")\n2. join()<END_OF_PLAN>'
BOTH = '1. open_note("{0}", "")\n2. maps_open_location("{0}")\n3. join()<END_OF_PLAN>'
NOTHING = "1. join()<END_OF_PLAN>"


def entry(query: str, plan: str, word: str = "Oslo") -> Entry:
    request = Request(query, NOW, query, plan.format(word), ())
    return Entry(request, row_of(request), "natural")


def queries(entries: list[Entry]) -> list[str]:
    return [item.request.query for item in entries]


def test_every_combination_of_tools_is_covered_before_any_gets_a_second_example() -> None:
    often = [entry(f"Please open my note Oslo, number {number}.", OPEN) for number in range(20)]
    rare = [
        entry("Show me Oslo on the map.", PLACE),
        entry("Open Oslo, both note and place.", BOTH),
        entry("What is the weather in Oslo?", NOTHING),
    ]
    assert len({tools_of(item) for item in choose_examples([*often, *rare], 4)}) == 4
    six = choose_examples([*often, *rare], 6)
    assert sum(tools_of(item) == ("open_note",) for item in six) == 3


def test_more_examples_are_chosen_where_there_are_more_combinations_than_wished() -> None:
    entries = [entry("Open my note Oslo, please.", OPEN), entry("Show me Oslo on a map.", PLACE)]
    assert len(choose_examples(entries, 1)) == 2


def test_clear_language_goes_before_noise() -> None:
    noisy = [
        "open my note oslo pls",
        "Open my note Oslo... or whatever",
        "Open my note Oslo!!",
        "OPEN MY NOTE Oslo",
        "Open my\nnote Oslo",
        "Open my noooote Oslo",
    ]
    clear = "Would you open my note Oslo?"
    assert queries(choose_examples([entry(query, OPEN) for query in [*noisy, clear]], 1)) == [clear]


def test_what_is_too_long_too_short_or_wrong_is_no_example() -> None:
    entries = [
        entry(f"Open my note Oslo, {'and so on ' * 40}", OPEN),
        entry("Oslo note", OPEN),
        entry(
            "Look up the number of somebody, please.", '1. get_phone_number("Ann")\n2. join()<END_OF_PLAN>'
        ),
        entry(
            "Open my note Oslo on Monday.", '1. open_note("Oslo", "")\n2. open_note("Oslo", "")\n3. join()'
        ),
    ]
    assert choose_examples(entries, 5) == []


def test_the_choice_does_not_depend_on_the_order_of_the_requests() -> None:
    entries = [entry(f"Open my note Oslo {number}.", OPEN) for number in range(30)]
    entries += [entry(f"Where is Oslo, question {number}?", PLACE) for number in range(30)]
    chosen = choose_examples(entries, 10)
    random.Random(1).shuffle(entries)
    assert choose_examples(entries, 10) == chosen


# --- the command ------------------------------------------------------------------------------------


def test_the_command_writes_an_index_of_training_requests_that_fits_the_bundled_encoder(
    tmp_path: Path,
) -> None:
    data, out = write_corpus(tmp_path / "data", train=12, dev=4), tmp_path / "made" / "examples"
    result = CliRunner().invoke(
        app, ["data", "examples", "--data", str(data), "--out", str(out), "--count", "7"]
    )
    assert result.exit_code == 0, result.output
    assert "7 examples of 3 combinations" in result.output
    check_contents(out)
    found = load_index(out, encoder_digest()).examples
    train = {request.query for request in read_corpus(data).requests("train")}
    assert len(found) == 7
    assert {example.query for example in found} <= train
    assert sorted(path.name for path in out.iterdir()) == ["examples.jsonl", "manifest.json", "vectors.npy"]
    with pytest.raises(ModelUnavailable, match="another encoder"):
        load_index(out, "0" * 64)


def test_the_same_requests_make_the_same_files(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "data", train=6)
    made: list[bytes] = []
    for name in ("one", "two"):
        out = tmp_path / name
        CliRunner().invoke(app, ["data", "examples", "--data", str(data), "--out", str(out), "--count", "5"])
        made.append(b"".join(path.read_bytes() for path in sorted(out.iterdir())))
    assert made[0] == made[1]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "data", train=6)
    taken = tmp_path / "taken"
    taken.write_text("")
    result = CliRunner().invoke(app, ["data", "examples", "--data", str(data), "--out", str(taken)])
    assert result.exit_code != 0
    assert str(taken) in result.output
