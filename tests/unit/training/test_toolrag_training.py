"""A small classifier from a pretrained encoder to ONNX folders that run."""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import pytest
import torch

from tests.support.tiny_corpus import write_corpus
from tests.support.tiny_encoder import save_bert, save_deberta
from tinyagent.errors import Conflict, InvalidRequest, ModelUnavailable, StorageFull, TinyAgentError
from tinyagent.toolrag.classifier import SequenceClassifier
from tinyagent.toolrag.labels import CLASSES
from tinyagent.training import storage
from tinyagent.training.examples import Example
from tinyagent.training.rows import Row
from tinyagent.training.sampling import Batch
from tinyagent.training.toolrag import export as exporting
from tinyagent.training.toolrag.base import load_base
from tinyagent.training.toolrag.examples import ToolEncoder
from tinyagent.training.toolrag.export import export
from tinyagent.training.toolrag.network import tool_loss
from tinyagent.training.toolrag.run import Options, classifier_on, train
from tinyagent.training.toolrag.trainer import Course, Trainer

TEXTS = ["text Ana", "library 7: where is it?", "text Bo that i am at the airport chapel bridge " * 3]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"), train=24, dev=4)


def silent(line: str) -> None:
    del line


def probabilities(folder: Path, text: str) -> Mapping[str, float]:
    return asyncio.run(SequenceClassifier.load(folder).probabilities(text))


# --- the whole way ---------------------------------------------------------------------------


def test_a_trained_classifier_is_exported_twice_and_tells_tools_apart(
    bert: Path, data: Path, tmp_path: Path
) -> None:
    labelled = tmp_path / "labelled.jsonl"
    rows = [{"text": "weather?", "accept": []}, {"text": "my chapel", "accept": ["maps_open_location"]}]
    labelled.write_text("\n".join(json.dumps(row) for row in rows))
    lines: list[str] = []
    out = tmp_path / "out"
    agreement = train(Options(data, out, labelled, bert, epochs=50, rate=3e-3), lines.append)
    assert agreement.full < 1e-3
    assert {path.name for path in out.iterdir()} == {"checkpoint.pt", "fp32", "int8"}
    assert "on requests kept aside" in lines[1]
    for name in ("fp32", "int8"):
        scores = probabilities(out / name, "text Lev 99 i am at castle 98")
        assert tuple(scores) == CLASSES
        assert min(scores["send_sms"], scores["get_phone_number"]) > 0.8
        assert max(scores["maps_open_location"], scores["create_note"]) < 0.2
    sizes = [(out / name / "model.onnx").stat().st_size for name in ("fp32", "int8")]
    assert sizes[1] < sizes[0] / 2


def test_a_deberta_is_exported_for_requests_of_any_length(tmp_path: Path) -> None:
    base = load_base(save_deberta(tmp_path / "deberta"))
    assert base.kind == "deberta-v2"
    torch.manual_seed(1)
    network = classifier_on(base)
    torch.nn.init.normal_(network.head.weight, std=0.5)
    agreement = export(network, base, tmp_path, TEXTS)
    assert agreement.full < 1e-3
    assert agreement.small < exporting.SMALL_TOLERANCE
    one, other = (probabilities(tmp_path / "int8", text) for text in ("text Ana library", "library text Ana"))
    assert max(abs(one[name] - other[name]) for name in CLASSES) > 0.01


def test_an_interrupted_training_goes_on_and_a_finished_one_is_only_exported(
    bert: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    train(Options(data, out, base=bert, epochs=2), silent)
    first = torch.load(out / "checkpoint.pt", weights_only=True)
    train(Options(data, out, base=bert, epochs=4, resume=True), silent)
    second = torch.load(out / "checkpoint.pt", weights_only=True)
    assert second["step"] > first["step"]
    assert second["seen"] >= 4 * 24 > first["seen"]
    (out / "int8" / "model.onnx").unlink()
    train(Options(data, out, base=bert, epochs=4, resume=True), silent)
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == second["step"]
    assert probabilities(out / "int8", "text Ana")


def test_what_was_learnt_until_an_interruption_is_kept(bert: Path, tmp_path: Path) -> None:
    base = load_base(bert)
    trainer = Trainer(classifier_on(base), base.digest, tmp_path / "c.pt", Course(3600, None), 1e-3)
    example = ToolEncoder(base.tokenizer, base.window).example(Row("text Ana", ()))
    assert example is not None

    def batches() -> Iterator[list[Example]]:
        yield [example]
        signal.raise_signal(signal.SIGINT)  # the step that follows is finished first
        yield [example]
        raise AssertionError("no further step is begun")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            trainer.run(batches(), [], silent)
    finally:
        signal.signal(signal.SIGINT, before)
    again = Trainer(classifier_on(base), base.digest, tmp_path / "c.pt", Course(3600, None), 1e-3)
    again.resume()
    assert (again.step, again.seen) == (2, 2)
    assert again.elapsed == trainer.elapsed


# --- loss and examples -----------------------------------------------------------------------


def test_one_of_several_tools_is_enough_for_a_request_of_which_no_more_is_known() -> None:
    counts = torch.full((1, len(CLASSES)), -1)
    counts[0, 2:] = 0
    one_of = counts < 0
    sure = torch.full((1, len(CLASSES)), -10.0)
    sure[0, 1] = 10.0
    neither = torch.full((1, len(CLASSES)), -10.0)
    assert float(tool_loss(sure, counts, one_of)) < 0.01
    assert float(tool_loss(neither, counts, one_of)) > 5


def test_an_unknown_tool_adds_nothing_to_the_loss() -> None:
    counts = torch.zeros(1, len(CLASSES), dtype=torch.long)
    counts[0, 3] = -1
    logits = torch.full((1, len(CLASSES)), -10.0)
    logits[0, 3] = 10.0
    assert float(tool_loss(logits, counts, counts > 9)) < 0.01


def test_padding_changes_no_score(bert: Path) -> None:
    base = load_base(bert)
    encoder = ToolEncoder(base.tokenizer, base.window)
    network = classifier_on(base).eval()
    short, long = (encoder.bare(text, [0] * len(CLASSES), ()) for text in TEXTS[:2])
    assert short is not None
    assert long is not None
    alone, together = Batch.of([short]), Batch.of([short, long])
    with torch.inference_mode():
        wanted = network(alone.pieces, alone.mask)[0]
        assert torch.allclose(network(together.pieces, together.mask)[0], wanted, atol=1e-5)


def test_a_request_beyond_the_window_is_left_out(bert: Path) -> None:
    base = load_base(bert)
    assert ToolEncoder(base.tokenizer, base.window).example(Row("where is it " * 40, ())) is None


# --- what is refused -------------------------------------------------------------------------


def refused(error: type[TinyAgentError], says: str, options: Options) -> None:
    """The training stops before it starts, with a reason and a way out."""
    with pytest.raises(error, match=says) as caught:
        train(options, silent)
    assert caught.value.hint


def test_a_folder_without_requests_is_refused(bert: Path, tmp_path: Path) -> None:
    refused(InvalidRequest, "holds no requests", Options(tmp_path, tmp_path / "out", base=bert))


def test_a_bad_line_of_the_requests_is_named(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "natural").mkdir()
    (tmp_path / "natural" / "bad.jsonl").write_text('{"id": 1}\n')
    told: list[str] = []
    with pytest.raises(InvalidRequest, match="holds no requests that can be used"):
        train(Options(tmp_path, tmp_path / "out", base=bert), told.append)
    assert "bad.jsonl, line 1: " in told[1]


def test_bad_lines_are_named_and_the_others_are_learnt_from(bert: Path, data: Path, tmp_path: Path) -> None:
    copy, told = shutil.copytree(data, tmp_path / "data"), list[str]()
    with (copy / "natural" / "requests.jsonl").open("ab") as file:
        file.write(b"\xff\n")
    train(Options(copy, tmp_path / "out", base=bert, epochs=0.1), told.append)
    assert told[0] == "1 faulty requests are left out:"
    assert told[1].endswith(": not UTF-8")
    assert (tmp_path / "out" / "int8" / "model.onnx").is_file()


def test_requests_that_no_window_holds_are_refused(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "natural").mkdir()
    plan = '1. create_note("Tea", "", "")\n2. join()<END_OF_PLAN>'
    row = {"id": "a", "now": "2026-03-04 10:00", "query": "note tea " * 50, "plan": plan}
    (tmp_path / "natural" / "long.jsonl").write_text(json.dumps(row))
    refused(InvalidRequest, "fits into the encoder's window", Options(tmp_path, tmp_path / "out", base=bert))


@pytest.mark.parametrize("content", ["{", '{"text": "a"}', "[]"])
def test_labelled_requests_of_another_form_are_refused(
    bert: Path, data: Path, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(content)
    refused(InvalidRequest, r"labelled\.jsonl", Options(data, tmp_path / "out", path, bert))


def test_an_earlier_training_is_not_overwritten(bert: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"an hour of work")
    refused(Conflict, "holds a training already", Options(data, tmp_path, base=bert))
    assert (tmp_path / "checkpoint.pt").read_bytes() == b"an hour of work"


def test_there_must_be_a_training_to_go_on_with(bert: Path, data: Path, tmp_path: Path) -> None:
    refused(InvalidRequest, "no training in", Options(data, tmp_path, base=bert, resume=True))


def test_a_damaged_checkpoint_is_named(bert: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"half of it")
    refused(ModelUnavailable, r"checkpoint\.pt is damaged", Options(data, tmp_path, base=bert, resume=True))


def test_a_training_goes_on_from_its_own_encoder_only(bert: Path, tmp_path: Path) -> None:
    base = load_base(bert)
    course = Course(None, 1)
    Trainer(classifier_on(base), base.digest, tmp_path / "c.pt", course, 1e-3).save()
    other = Trainer(classifier_on(base), "another", tmp_path / "c.pt", course, 1e-3)
    with pytest.raises(ModelUnavailable, match="another encoder"):
        other.resume()


def test_minutes_and_epochs_exclude_each_other(bert: Path, data: Path, tmp_path: Path) -> None:
    options = Options(data, tmp_path / "out", base=bert, minutes=1, epochs=1)
    refused(InvalidRequest, "minutes or epochs", options)


def test_a_disk_without_room_is_refused_before_the_training(
    bert: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 1000

    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: Full)
    refused(
        StorageFull, "room for 1 kB; the training needs about", Options(data, tmp_path / "out", base=bert)
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_disk_that_is_full_in_the_middle_of_a_checkpoint_leaves_the_one_before(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(state: object, file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    base = load_base(bert)
    path = tmp_path / "c.pt"
    path.write_bytes(b"before")
    monkeypatch.setattr(torch, "save", write_half)
    with pytest.raises(StorageFull, match="is kept"):
        Trainer(classifier_on(base), base.digest, path, Course(None, 1), 1e-3).save()
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"before"]


@pytest.mark.parametrize(("name", "says"), [("FULL_TOLERANCE", "in a logit"), ("SMALL_TOLERANCE", "8-bit")])
def test_a_graph_that_does_not_agree_is_not_put_in_the_place_of_one_that_does(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    base = load_base(bert)
    (tmp_path / "int8").mkdir()
    (tmp_path / "int8" / "model.onnx").write_bytes(b"a good one")
    monkeypatch.setattr(exporting, name, -1.0)
    with pytest.raises(ModelUnavailable, match=says):
        export(classifier_on(base), base, tmp_path, TEXTS)
    assert (tmp_path / "int8" / "model.onnx").read_bytes() == b"a good one"
    assert [path.name for path in tmp_path.iterdir()] == ["int8"]
