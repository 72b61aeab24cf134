"""Pretrained encoders: which are read, and what is said of the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models

from tests.support.tiny_encoder import save_bert, save_deberta
from tinyagent.errors import ModelUnavailable
from tinyagent.training.toolrag.base import load_base


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(saved, tmp_path / "bert"))


def refused(folder: Path, says: str) -> None:
    with pytest.raises(ModelUnavailable, match=says) as caught:
        load_base(folder)
    assert caught.value.hint


def test_the_window_leaves_room_for_the_encoders_positions_and_nothing_is_padded(folder: Path) -> None:
    base = load_base(folder)
    assert (base.kind, base.width, base.heads, base.window) == ("bert", 32, 4, 62)
    assert len(base.tokenizer.encode("text Ana").ids) == 4
    assert len(base.tokenizer.encode("text " * 100).ids) == 62


def test_an_encoder_that_is_stored_in_half_precision_is_read_in_single(tmp_path: Path) -> None:
    folder = save_deberta(tmp_path / "deberta")
    transformers.AutoModel.from_pretrained(folder).half().save_pretrained(folder)
    base = load_base(folder)
    assert {item.dtype for item in base.encoder.parameters()} == {torch.float32}


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, r"config\.json is missing")


def test_a_damaged_configuration_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    refused(folder, "damaged")


def test_weights_that_broke_off_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-500])
    refused(folder, "damaged")


def test_missing_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    refused(folder, "damaged")


def test_weights_without_a_layer_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    refused(folder, r"encoder\.layer\.1\.output\.dense\.weight is missing")


def test_weights_of_another_size_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 40}))
    refused(folder, "damaged|sizes differ")


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = {name: torch.full_like(item, torch.nan) for name, item in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})
    refused(folder, "no usable numbers")


def test_a_missing_tokenizer_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    refused(folder, r"tokenizer\.json is missing")


def test_a_damaged_tokenizer_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    refused(folder, r"tokenizer\.json is damaged")


def test_the_tokenizer_of_another_encoder_is_refused(folder: Path) -> None:
    vocabulary = {f"word{number}": number for number in range(1000)} | {"[UNK]": 1000}
    Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]")).save(str(folder / "tokenizer.json"))
    refused(folder, "1001 pieces, the encoder 300")


def test_an_encoder_with_a_decoder_is_refused(folder: Path) -> None:
    config = transformers.T5Config(
        vocab_size=300, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    transformers.T5Model(config).save_pretrained(folder)
    refused(folder, "does not read a text as an encoder does|is damaged, or of a kind")
