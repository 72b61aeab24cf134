"""Model cards show the figures that are stored beside them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.limits import files_no_larger_than
from tests.unit.evaluation.scripted import NOTHING, PHONE, outcome
from tinyagent.evaluation.card import BEGIN, END, FIGURES, block, filled, main, read_figures
from tinyagent.evaluation.metrics import figures_of
from tinyagent.evaluation.runner import EMPTY_PLAN
from tinyagent.evaluation.study import (
    RIGHT_TOOLS,
    TOOL_RAG,
    Cases,
    Result,
    RetrievalRow,
    RetrievalTable,
    StudyReport,
)

MODELS = Path(__file__).parents[3] / "models"
CARD = f"# nano\n\nBefore.\n\n{BEGIN}old\n{END}\n\nAfter.\n"


@pytest.mark.parametrize("model", ["nano", "compact"])
def test_the_figures_of_a_card_are_those_that_are_stored(model: str) -> None:
    card = (MODELS / model / "README.md").read_text("utf-8")
    figures = read_figures(MODELS / model / FIGURES)
    assert figures.planner == model
    command = f"python -m tinyagent.evaluation.card --report … --card models/{model}/README.md"
    assert filled(card, figures) == card, f"run: {command}"
    assert figures.rows


@pytest.fixture
def report(tmp_path: Path) -> Path:
    outcomes = [
        outcome(PHONE, '1. get_phone_number("Ben")\n2. join()', ["get_phone_number", "send_sms"]),
        outcome(NOTHING, EMPTY_PLAN),
    ]
    figures = figures_of(outcomes, "nano", "predicted")
    study = StudyReport(
        version="1.2.3",
        made="2026-11-22",
        cases=[Cases("test_part", "test_part.jsonl", "0" * 64, 2, 0)],
        results=[Result("nano", "test_part", figures, [])],
        retrieval=RetrievalTable(
            "nano", "test_part", [RetrievalRow(name, figures, 10.0) for name in (TOOL_RAG, RIGHT_TOOLS)]
        ),
        models=[],
        ablations=[],
        training_ablations=[],
        labelled=None,
    )
    path = tmp_path / "report.json"
    path.write_text(json.dumps(asdict(study)))
    return path


def card_of(folder: Path, model: str = "nano", text: str = CARD) -> Path:
    card = folder / model / "README.md"
    card.parent.mkdir()
    card.write_text(text)
    return card


def test_a_report_fills_the_card_and_leaves_the_rest_alone(report: Path, tmp_path: Path) -> None:
    card = card_of(tmp_path)
    assert main(["--report", str(report), "--card", str(card)]) == 0
    text = card.read_text()
    assert text.startswith("# nano\n\nBefore.\n\n")
    assert text.endswith("\n\nAfter.\n")
    assert (
        "| test part, 2 | found by Tool RAG | **1.000** (1.00 to 1.00) | **0.500** (0.00 to 1.00) |" in text
    )
    assert "| test part, 2 | the right plan's |" in text
    assert "1.000 of 1" in text
    assert "old" not in text
    assert block(read_figures(card.with_name(FIGURES))) in text
    assert main(["--report", str(report), "--card", str(card)]) == 0
    assert card.read_text() == text


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        ("compact", CARD, "no figures of planner compact"),
        ("nano", "# nano\n", "has no lines <!-- figures -->"),
        ("nano", f"# nano\n{END}\n{BEGIN}", "has no lines"),
    ],
)
def test_a_card_that_cannot_be_filled_stays_as_it_is(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str, text: str, message: str
) -> None:
    card = card_of(tmp_path, model, text)
    assert main(["--report", str(report), "--card", str(card)]) == 1
    assert message in capsys.readouterr().err
    assert card.read_text() == text
    assert not card.with_name(FIGURES).exists()


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", '{"version": 3}'])
def test_a_report_that_is_missing_or_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    assert main(["--report", str(path), "--card", str(card_of(tmp_path))]) == 1
    assert str(path) in capsys.readouterr().err


def test_figures_that_a_manifest_holds_fast_are_not_touched(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_of(tmp_path)
    card.with_name("manifest.json").write_text('{"files": {"figures.json": {}}}')
    assert main(["--report", str(report), "--card", str(card)]) == 1
    assert "would not load" in capsys.readouterr().err
    assert card.read_text() == CARD


def test_a_card_that_cannot_be_written_leaves_nothing_half_written(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_of(tmp_path)
    with files_no_larger_than(100):
        assert main(["--report", str(report), "--card", str(card)]) == 1
    assert "cannot be read or written" in capsys.readouterr().err
    assert card.read_text() == CARD
    assert [path.name for path in card.parent.iterdir()] == [card.name]
