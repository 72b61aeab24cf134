"""What every ToolSelector does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest

from tinyagent.errors import ModelUnavailable
from tinyagent.ports import ToolSelector
from tinyagent.toolrag.classifier import SequenceClassifier
from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.model import NanoModel
from tinyagent.toolrag.selector import ClassifierSelector
from tinyagent.tools.registry import BUILT_IN

NANO = Path(__file__).parents[2] / "models" / "nano"
SPECS = [tool.spec for tool in BUILT_IN]


def classifier_folder(folder: Path, classes: int = len(CLASSES)) -> Path:
    """A sequence classifier of DeBERTa's shape whose logits are large where a request has many words."""
    helper, kind = onnx.helper, onnx.TensorProto
    weights = helper.make_tensor("weights", kind.FLOAT, [1, classes], [1.0] * classes)
    offset = helper.make_tensor("offset", kind.FLOAT, [classes], [-6.0 - 4 * n for n in range(classes)])
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=kind.FLOAT),
        helper.make_node("ReduceSum", ["mask"], ["length"], keepdims=1),
        helper.make_node("MatMul", ["length", "weights"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["logits"]),
    ]
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [helper.make_tensor_value_info(name, kind.INT64, [1, None]) for name in names]
    outputs = [helper.make_tensor_value_info("logits", kind.FLOAT, [1, classes])]
    graph = helper.make_graph(nodes, "classifier", inputs, outputs, [weights, offset])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir()
    onnx.save(model, str(folder / "model.onnx"))
    shutil.copyfile(NANO / "tokenizer.json", folder / "tokenizer.json")
    return folder


@pytest.fixture(params=["nano", "sequence classifier"])
def selector(request: pytest.FixtureRequest, tmp_path: Path) -> ToolSelector:
    if request.param == "nano":
        return ClassifierSelector(NanoModel.load(NANO))
    return ClassifierSelector(SequenceClassifier.load(classifier_folder(tmp_path / "classifier")))


LONG = (
    "Text Bob that I am late, and create a calendar event for the budget meeting tomorrow at three with Ann"
)


async def test_only_offered_tools_are_selected(selector: ToolSelector) -> None:
    offered = [spec for spec in SPECS if spec.name in ("send_sms", "open_note")]
    selection = await selector.select(LONG, offered)
    assert set(selection.tools) <= {"send_sms", "open_note"}
    assert set(selection.scores) == {"send_sms", "open_note"}


async def test_tools_come_most_probable_first_with_all_scores(selector: ToolSelector) -> None:
    selection = await selector.select(LONG, SPECS)
    assert "create_calendar_event" in selection.tools
    assert set(selection.scores) == set(CLASSES)
    ranks = [selection.scores[name] for name in selection.tools]
    assert ranks == sorted(ranks, reverse=True)


async def test_no_tools_and_no_words_give_an_empty_selection(selector: ToolSelector) -> None:
    assert (await selector.select(LONG, [])).tools == ()
    assert (await selector.select("  ", SPECS)).tools == ()


async def test_an_improbable_request_is_out_of_scope(selector: ToolSelector) -> None:
    assert (await selector.select("hi there", SPECS)).tools == ()


@pytest.mark.parametrize("query", ["word " * 4000, "\ud800", "🦊🦊", "\x00\n\t"])
async def test_odd_text_is_no_error(selector: ToolSelector, query: str) -> None:
    await selector.select(query, SPECS)


def test_a_classifier_of_other_classes_needs_their_labels(tmp_path: Path) -> None:
    folder = classifier_folder(tmp_path / "other", classes=3)
    with pytest.raises(ModelUnavailable, match="3 classes"):
        SequenceClassifier.load(folder)
    (folder / "labels.json").write_text(json.dumps({"labels": ["a", "b", "c"]}))
    assert SequenceClassifier.load(folder).labels == ("a", "b", "c")


def test_a_classifier_without_its_graph_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.onnx is missing"):
        SequenceClassifier.load(tmp_path)
