"""What a sequence classifier's folder says of itself: window, thresholds, sums of its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.contracts.test_tool_selector import SPECS, classifier_folder
from tinyagent.errors import ModelUnavailable
from tinyagent.toolrag.classifier import SequenceClassifier
from tinyagent.toolrag.selector import ClassifierSelector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return classifier_folder(tmp_path / "classifier")


async def test_no_more_is_read_than_the_window(folder: Path) -> None:
    whole = await SequenceClassifier.load(folder).probabilities("word " * 9)
    (folder / "toolrag.json").write_text('{"pieces": 5}')
    cut = await SequenceClassifier.load(folder).probabilities("word " * 9)
    assert cut["create_calendar_event"] < whole["create_calendar_event"]


async def test_a_selector_goes_by_the_thresholds_of_the_folder(folder: Path) -> None:
    query = "word " * 9
    before = await ClassifierSelector(SequenceClassifier.load(folder)).select(query, SPECS)
    assert len(before.tools) == 3
    (folder / "toolrag.json").write_text(json.dumps({"thresholds": dict.fromkeys(before.scores, 0.0)}))
    after = await ClassifierSelector(SequenceClassifier.load(folder)).select(query, SPECS)
    assert len(after.tools) == 16


@pytest.mark.parametrize(
    "settings", ["[]", '{"pieces": 0}', '{"pieces": "many"}', '{"thresholds": {"a": NaN}}']
)
def test_wrong_settings_are_named(folder: Path, settings: str) -> None:
    (folder / "toolrag.json").write_text(settings)
    with pytest.raises(ModelUnavailable, match=r"toolrag\.json") as caught:
        SequenceClassifier.load(folder)
    assert caught.value.hint


def test_a_graph_that_is_not_the_one_in_the_manifest_is_named(folder: Path) -> None:
    path = folder / "model.onnx"
    facts = {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": {"model.onnx": facts}}))
    assert SequenceClassifier.load(folder).labels
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"model\.onnx is damaged"):
        SequenceClassifier.load(folder)
