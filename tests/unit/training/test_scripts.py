"""The training scripts as people run them: what is wrong is told in a sentence, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.limits import files_no_larger_than
from tests.support.tiny_corpus import write_corpus
from tests.support.tiny_gguf import make_network, make_tokenizer
from tinyagent.training import authoring, export_nano, gguf_export, gguf_train, holdout, train_nano
from tinyagent.training.gguf_train import Budget, Trainer
from tinyagent.training.network import Shape
from tinyagent.training.script import run

NANO_KEYS = ("network", "optimizer", "symbols", "shape", "elapsed", "step", "seen")
Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a script that must fail with a sentence; gives what it said."""

    def refuse(script: Any, *arguments: object) -> str:
        code = run(lambda: script.main([str(argument) for argument in arguments]))
        told = capsys.readouterr().err
        assert code == 1, told
        assert "error: " in told
        return told

    return refuse


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A finished run of the small GGUF planner, with a tiny network."""
    folder = tmp_path / "work"
    folder.mkdir()
    make_tokenizer().save(folder / "tokenizer.json")
    Trainer(make_network(), Budget(1.0)).save(folder / "checkpoint.pt")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- the requests ----------------------------------------------------------------------------


@pytest.fixture(params=["none", "empty", "faulty"])
def useless(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder without a usable request."""
    folder = tmp_path / "useless"
    if request.param != "none":
        (folder / "natural").mkdir(parents=True)
    if request.param == "faulty":
        (folder / "natural" / "bad.jsonl").write_bytes(b"\xff\n{}\n")
    return folder


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (train_nano, ("--out", "out/nano.pt", "--minutes", 1)),
        (gguf_train, ("--work", "out", "--seconds", 1)),
        (holdout, ("--out", "out/held.jsonl")),
    ],
    ids=["train_nano", "gguf_train", "holdout"],
)
def test_data_without_a_usable_request_are_refused(
    refused: Refused, script: Any, arguments: Sequence[object], useless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(useless.parent)
    told = refused(script, "--data", useless, *arguments)
    assert f"error: {useless} holds no requests that can be used." in told
    assert "Give a folder with natural/*.jsonl" in told
    if (useless / "natural" / "bad.jsonl").exists():
        assert f"  {useless / 'natural' / 'bad.jsonl'}, line 1: not UTF-8\n" in told
        assert 'line 2: "id" is missing' in told


def test_requests_that_are_too_long_for_a_network_are_refused_instead_of_waited_for(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "natural").mkdir()
    plan = '1. create_note("Tea", "", "")\n2. join()<END_OF_PLAN>'
    row = {"id": "a", "now": "2026-03-04 10:00", "query": "note tea " * 500, "plan": plan}
    (tmp_path / "natural" / "long.jsonl").write_text(json.dumps(row))
    given = ("--data", tmp_path, "--threads", 1)
    assert "fits into the network's window" in refused(
        train_nano, *given, "--out", tmp_path / "n.pt", "--minutes", 1
    )
    assert "as short as 420 tokens" in refused(gguf_train, *given, "--work", tmp_path / "w", "--seconds", 1e9)
    assert names(tmp_path / "w") == ["tokenizer.json"]


def test_faulty_lines_are_left_out_and_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(data, tmp_path / "data")
    with (copy / "natural" / "requests.jsonl").open("ab") as file:
        file.write(b"{\n")
    out = tmp_path / "held.jsonl"
    assert run(lambda: holdout.main(["--data", str(copy), "--part", "dev", "--out", str(out)])) == 0
    assert len(out.read_text().splitlines()) == 2
    told = capsys.readouterr()
    assert "1 faulty requests are left out:" in told.err
    assert told.out == f"2 requests in {out}\n"


# --- options and places ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("minutes", "0"), ("minutes", "nan"), ("rate", "-1"), ("threads", "0"), ("minutes", "inf")],
)
def test_numbers_that_make_no_training_are_refused(
    refused: Refused, data: Path, tmp_path: Path, name: str, value: str
) -> None:
    told = refused(train_nano, "--data", data, "--out", tmp_path / "n.pt", f"--{name}", value)
    assert f"--{name} {value} makes no training" in told
    if name == "minutes":
        told = refused(gguf_train, "--data", data, "--work", tmp_path, "--seconds", value)
        assert f"--seconds {value} makes no training" in told
    assert names(tmp_path) == []


def test_a_folder_or_a_file_in_the_wrong_place_is_refused(
    refused: Refused, data: Path, work: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    file, folder = tmp_path / "file", tmp_path
    assert "is a folder" in refused(train_nano, "--data", data, "--out", folder)
    assert "cannot be written" in refused(train_nano, "--data", data, "--out", file / "n.pt")
    assert "cannot be written" in refused(gguf_train, "--data", data, "--work", file)
    assert "is a folder" in refused(gguf_export, "--work", work, "--out", folder)
    assert "Is a directory" in refused(holdout, "--data", data, "--part", "dev", "--out", folder)
    assert "cannot be read" in refused(holdout, "--labelled", folder, "--out", tmp_path / "h.jsonl")
    assert "does not exist" in refused(export_nano, "--checkpoint", tmp_path / "none", "--out", folder)
    assert "is a folder" in refused(export_nano, "--checkpoint", folder, "--out", folder)
    assert "cannot be read" in refused(authoring, folder)
    assert file.read_text() == "mine"
    assert names(tmp_path) == ["file", "work"]


def test_a_disk_without_room_is_refused_before_the_work(
    refused: Refused, data: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 1000

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Full)
    room = "has room for 1 kB"
    assert room in refused(train_nano, "--data", data, "--out", tmp_path / "n.pt")
    assert room in refused(gguf_train, "--data", data, "--work", tmp_path / "w", "--seconds", 1)
    assert room in refused(gguf_export, "--work", work, "--out", tmp_path / "m.gguf")
    assert names(tmp_path) == ["w", "work"]


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        holdout.main(["--labelled", "x.jsonl", "--source", "written", "--out", str(tmp_path / "h.jsonl")])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit) as stopped:
        authoring.main([])
    assert stopped.value.code == 2


@pytest.mark.parametrize("name", ["english.txt", "english.txt.xz"])
def test_english_that_is_none_is_refused(refused: Refused, data: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    given = ("--data", data, "--work", tmp_path / "w", "--seconds", 1, "--english", path)
    assert "No such file" in refused(gguf_train, *given)
    path.write_bytes(b"\xff\xfe\x00")
    assert "no UTF-8 text, or damaged" in refused(gguf_train, *given)
    if path.suffix == ".txt":
        path.write_text("\n\n \n")
        assert "holds no sentence" in refused(gguf_train, *given)


# --- checkpoints -----------------------------------------------------------------------------


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "text":
        path.write_text("dear diary\n")
    elif how == "pickle":  # of something that must not be run
        import pickle

        path.write_bytes(pickle.dumps(os.system))
    elif how == "list":
        torch.save([1, 2], path)
    elif how == "another program":
        torch.save({"recipe": {}, "adapter": {}}, path)


@pytest.mark.parametrize("how", ["empty", "cut", "text", "pickle", "list", "another program"])
def test_a_checkpoint_that_is_none_is_refused_and_left_alone(
    refused: Refused, data: Path, work: Path, tmp_path: Path, how: str
) -> None:
    path = work / "checkpoint.pt"
    damage(path, how)
    before = path.read_bytes()
    says = "is not one of this training" if how in ("list", "another program") else "is damaged, or no check"
    assert says in refused(gguf_export, "--work", work, "--out", tmp_path / "m.gguf")
    assert says in refused(gguf_train, "--data", data, "--work", work, "--seconds", 1)
    assert says in refused(export_nano, "--checkpoint", path, "--out", tmp_path / "nano")
    assert says in refused(train_nano, "--data", data, "--out", path)
    assert says in refused(train_nano, "--data", data, "--out", tmp_path / "n.pt", "--start", path)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["work"]


def test_a_checkpoint_of_another_shape_is_refused(
    refused: Refused, data: Path, work: Path, tmp_path: Path
) -> None:
    assert "its weights do not fit" in refused(gguf_train, "--data", data, "--work", work, "--seconds", 9)
    state: dict[str, Any] = dict.fromkeys(NANO_KEYS, 0)
    path = tmp_path / "nano.pt"
    torch.save(state | {"symbols": ["a"], "shape": vars(Shape(1)) | {"width": 8}}, path)
    assert "another shape (width)" in refused(train_nano, "--data", data, "--out", path)
    assert "another shape (width)" in refused(export_nano, "--checkpoint", path, "--out", tmp_path / "nano")
    torch.save(state | {"symbols": ["a"], "shape": vars(Shape(1)), "network": {}}, path)
    assert "weights do not fit" in refused(export_nano, "--checkpoint", path, "--out", tmp_path / "nano")
    torch.save(state | {"symbols": 7, "shape": []}, path)
    assert "of another form" in refused(train_nano, "--data", data, "--out", path)


def test_a_tokenizer_that_does_not_belong_to_the_network_is_refused(
    refused: Refused, data: Path, work: Path, tmp_path: Path
) -> None:
    path, out = work / "tokenizer.json", tmp_path / "m.gguf"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"tags": [f"⟨{number}⟩" for number in range(900)]}))
    assert "the network only 512" in refused(gguf_export, "--work", work, "--out", out)
    path.write_text("{}")
    assert "tokenizer.json is damaged" in refused(gguf_export, "--work", work, "--out", out)
    path.unlink()
    assert "tokenizer.json does not exist" in refused(gguf_export, "--work", work, "--out", out)
    assert not out.exists()


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(work: Path) -> None:
    before = (work / "checkpoint.pt").read_bytes()
    told: list[int] = []
    with files_no_larger_than(50_000):
        told.append(run(lambda: Trainer(make_network(), Budget(1.0)).save(work / "checkpoint.pt")))
    assert told == [1]
    assert (work / "checkpoint.pt").read_bytes() == before
    assert names(work) == ["checkpoint.pt", "tokenizer.json"]


def test_an_export_that_cannot_be_written_leaves_the_one_before(
    refused: Refused, work: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m.gguf"
    out.write_text("the one before")
    with files_no_larger_than(50_000):
        assert "m.gguf cannot be written: the disk is full" in refused(
            gguf_export, "--work", work, "--out", out
        )
    assert out.read_text() == "the one before"
    assert names(tmp_path) == ["m.gguf", "work"]
