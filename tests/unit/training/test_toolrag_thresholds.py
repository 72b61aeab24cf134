"""Thresholds: as few tools as a wanted recall allows, without clinging to single requests."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tiny_corpus import write_corpus
from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.model import NanoModel
from tinyagent.toolrag.selector import SelectionRules, choose
from tinyagent.training.corpus import read_corpus
from tinyagent.training.toolrag.fitting import fit_folder, keep_thresholds, score
from tinyagent.training.toolrag.thresholds import STEPS, Scored, cross_fitted, figures, fit_thresholds

NANO = Path(__file__).parents[3] / "models" / "nano"
ALONE = SelectionRules(at_least=1, needs={})


def requests(*, missed: float, others: float, count: int = 200, missed_count: int = 10) -> list[Scored]:
    """Plain reminders, half of them with a note: some notes score `missed`, needless ones `others`."""
    made: list[Scored] = []
    for number in range(count):
        needs_note = number % 2 == 0
        score = (missed if number < 2 * missed_count else 0.9) if needs_note else others
        needed = frozenset({"create_reminder", "create_note"} if needs_note else {"create_reminder"})
        made.append(Scored({"create_reminder": 0.95, "create_note": score, "open_note": 1e-6}, needed))
    return made


# --- the search ------------------------------------------------------------------------------


def test_the_highest_threshold_that_finds_enough_is_taken() -> None:
    fitted = fit_thresholds(requests(missed=0.004, others=0.0001), 1.0, ALONE)
    assert fitted["create_note"] == 0.0032
    assert fitted["create_reminder"] == STEPS[0]


def test_a_threshold_that_is_high_enough_already_is_not_lowered() -> None:
    fitted = fit_thresholds(requests(missed=0.5, others=0.03), 0.998, ALONE)
    assert fitted["create_note"] == STEPS[0]
    assert figures(requests(missed=0.5, others=0.03), replace(ALONE, thresholds=fitted)).tools == 1.5


def test_a_handful_of_missed_requests_does_not_have_a_tool_offered_to_most_others() -> None:
    hard = requests(missed=0.002, others=0.006, missed_count=1)
    assert fit_thresholds(hard, 1.0, ALONE)["create_note"] > 0.006


def test_of_two_tools_the_one_that_costs_fewer_offers_is_lowered() -> None:
    """Each misses one request of 250, but other requests come near the second one's score, too."""
    rows: list[Scored] = []
    for name, other in (("open_note", "reply_to_email"), ("reply_to_email", "open_note")):
        for probability in (0.004, *[0.9] * 249):
            scores = {"send_sms": 0.95, name: probability, other: 1e-5}
            rows.append(Scored(scores, frozenset({"send_sms", name})))
    near = {"send_sms": 0.95, "open_note": 1e-5, "reply_to_email": 0.0045}
    rows += [Scored(near, frozenset({"send_sms"}))] * 30
    fitted = fit_thresholds(rows, 1 - 1.5 / 1030, ALONE)
    assert fitted["open_note"] < 0.004 < fitted["reply_to_email"]
    assert figures(rows, replace(ALONE, thresholds=fitted)).recall == 1029 / 1030


def test_closure_and_filling_up_are_counted_as_found() -> None:
    rows = [
        Scored({"send_sms": 0.9, "get_phone_number": 1e-4}, frozenset({"send_sms", "get_phone_number"}))
    ] * 50
    fitted = fit_thresholds(rows)
    assert figures(rows, SelectionRules(thresholds=fitted)).recall == 1.0


def test_what_is_out_of_scope_by_its_scores_lowers_no_threshold() -> None:
    lost = [Scored({"create_reminder": 0.1, "create_note": 0.001}, frozenset({"create_note"}))] * 5
    rows = requests(missed=0.9, others=1e-4)
    assert fit_thresholds([*rows, *lost], 1.0, ALONE)["create_note"] == STEPS[0]


def test_every_threshold_is_of_the_scale_and_higher_targets_never_find_less() -> None:
    chance = random.Random(4)
    for _ in range(20):
        rows = [
            Scored(
                {name: 10 ** chance.uniform(-5, 0) for name in CLASSES},
                frozenset(name for name in CLASSES if chance.random() < 0.2),
            )
            for _ in range(60)
        ]
        recalls: list[float] = []
        for target in (0.8, 0.95, 1.0):
            fitted = fit_thresholds(rows, target)
            assert set(fitted) == set(CLASSES)
            assert set(fitted.values()) <= set(STEPS)
            recalls.append(figures(rows, SelectionRules(thresholds=fitted)).recall)
        assert recalls == sorted(recalls)


def test_figures_count_needed_tools_whole_requests_and_refusals() -> None:
    rows = [
        Scored(
            {"send_sms": 0.9, "open_note": 0.001, "create_note": 0.3}, frozenset({"send_sms", "open_note"})
        ),
        Scored({"send_sms": 0.9, "open_note": 0.001, "create_note": 0.001}, frozenset({"send_sms"})),
        Scored({"send_sms": 0.1, "open_note": 0.001, "create_note": 0.001}, frozenset()),
        Scored({"send_sms": 0.5, "open_note": 0.001, "create_note": 0.001}, frozenset()),
    ]
    found = figures(rows, ALONE)
    assert (found.recall, found.whole, found.tools, found.declined) == (2 / 3, 0.5, 1.5, 0.5)


def test_cross_fitting_judges_every_request_by_thresholds_of_the_others() -> None:
    rows = requests(missed=0.004, others=1e-4, count=10, missed_count=1)
    fitted = fit_thresholds(rows, 1.0, ALONE)
    assert figures(rows, replace(ALONE, thresholds=fitted)).recall == 1.0
    assert cross_fitted(rows, 1.0, ALONE).recall == 14 / 15


# --- the folder ------------------------------------------------------------------------------


@pytest.fixture
def nano(tmp_path: Path) -> Path:
    return Path(shutil.copytree(NANO, tmp_path / "nano"))


def test_fitted_thresholds_stay_with_the_model_and_its_manifest_still_holds(
    nano: Path, tmp_path: Path
) -> None:
    data = write_corpus(tmp_path / "data", train=4, dev=6)
    fit = fit_folder(nano, data)
    assert fit.requests == 6
    model = NanoModel.load(nano)
    assert dict(model.thresholds) == dict(fit.thresholds)
    assert set(fit.thresholds) == set(CLASSES)
    raw = [json.loads((folder / "nano.json").read_text("utf-8")) for folder in (NANO, nano)]
    assert {**raw[0], "thresholds": dict(fit.thresholds)} == raw[1]
    assert sorted(path.name for path in nano.iterdir()) == sorted(path.name for path in NANO.iterdir())
    again = fit_folder(nano, data)
    assert (again.thresholds, again.common) == (fit.thresholds, fit.common)


def test_the_figures_are_those_of_the_selection_at_run_time(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "data", train=4, dev=6)
    wanted = read_corpus(data).requests("dev")
    scored = asyncio.run(score(NanoModel.load(NANO), wanted))
    offered = [len(choose(request.scores, SelectionRules())) for request in scored if request.needed]
    assert figures(scored, SelectionRules()).tools == sum(offered) / len(offered)


def test_a_model_without_thresholds_has_none() -> None:
    raw = json.loads((NANO / "nano.json").read_text("utf-8"))
    assert dict(NanoModel.load(NANO).thresholds) == raw.get("thresholds", {})


@pytest.mark.parametrize("thresholds", [[], {"send_sms": "low"}, {"send_sms": 2}, {"send_sms": True}])
def test_thresholds_that_are_no_probabilities_are_refused(nano: Path, thresholds: object) -> None:
    keep_thresholds(nano / "nano.json", thresholds if isinstance(thresholds, dict) else {})
    if not isinstance(thresholds, dict):
        (nano / "manifest.json").write_text('{"files": {}}')
        raw = json.loads((nano / "nano.json").read_text("utf-8"))
        (nano / "nano.json").write_text(json.dumps({**raw, "thresholds": thresholds}))
    with pytest.raises(ModelUnavailable, match=r"thresholds in .*nano\.json"):
        NanoModel.load(nano)


def test_requests_without_any_that_is_kept_aside_are_refused(nano: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no held-out requests"):
        fit_folder(nano, write_corpus(tmp_path / "data", train=4, dev=0))
    assert (nano / "nano.json").read_bytes() == (NANO / "nano.json").read_bytes()
    assert (nano / "manifest.json").read_bytes() == (NANO / "manifest.json").read_bytes()


def test_a_folder_without_a_classifier_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.onnx is missing"):
        fit_folder(tmp_path, tmp_path)


def test_a_single_request_that_needs_tools_is_enough() -> None:
    lone = [*requests(missed=0.9, others=0.1, count=1), Scored({"create_reminder": 0.1}, frozenset())]
    assert cross_fitted(lone, 1.0, ALONE).recall == 1.0
    assert fit_thresholds(lone[1:], 1.0, ALONE) == {}
