"""Loading and running the bundled network."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tinyagent.errors import ModelUnavailable
from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.manifest import problem_in
from tinyagent.toolrag.model import REMEMBERED, NanoModel

FOLDER = Path(__file__).parents[3] / "models" / "nano"


@pytest.fixture(scope="module")
def model() -> NanoModel:
    return NanoModel.load(FOLDER)


async def test_a_request_is_read_once(model: NanoModel) -> None:
    first = await model.encode("text Bob")
    await model.probabilities("text Bob")
    assert await model.encode("text Bob") is first


async def test_old_requests_are_forgotten(model: NanoModel) -> None:
    first = await model.encode("the oldest request")
    for number in range(REMEMBERED):
        await model.encode(f"request {number}")
    assert await model.encode("the oldest request") is not first


async def test_probabilities_are_told_for_all_classes(model: NanoModel) -> None:
    scores = await model.probabilities("text Bob that I'm late")
    assert tuple(scores) == CLASSES
    assert all(0 <= score <= 1 for score in scores.values())
    assert max(scores, key=lambda name: scores[name]) in ("send_sms", "get_phone_number")


def test_embeddings_have_length_one(model: NanoModel) -> None:
    vectors = model.embed(["A first sentence.", "Another one."])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize("name", ["encoder.onnx", "bridge.onnx", "step.onnx", "tokenizer.json", "nano.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "nano"))
    (folder / name).unlink()
    with pytest.raises(ModelUnavailable, match=name) as caught:
        NanoModel.load(folder)
    assert caught.value.hint


def test_a_file_that_is_cut_short_is_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "nano"))
    path = folder / "step.onnx"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelUnavailable, match=r"step\.onnx is damaged"):
        NanoModel.load(folder)


def test_a_damaged_file_of_the_right_size_is_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "nano"))
    path = folder / "bridge.onnx"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(ModelUnavailable, match=r"bridge\.onnx is damaged"):
        NanoModel.load(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"manifest\.json is missing"):
        NanoModel.load(tmp_path / "none")


def test_changed_bytes_in_the_middle_of_a_network_are_found(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "nano"))
    path = folder / "encoder.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"encoder\.onnx is damaged"):
        NanoModel.load(folder)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"files": []}', '{"files": {"nano.json": {"bytes": 1}}}']
)
def test_a_damaged_manifest_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ModelUnavailable, match=r"manifest\.json is damaged"):
        NanoModel.load(tmp_path)
    assert "manifest.json is damaged" in problem_in(tmp_path)


def test_a_listing_finds_a_file_that_is_cut_short(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "nano"))
    assert problem_in(folder) == ""
    (folder / "step.onnx").write_bytes(b"short")
    assert "step.onnx is damaged" in problem_in(folder)
