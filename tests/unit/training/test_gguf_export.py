"""The exported file is the network: same tokens, same logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.tiny_gguf import TEXTS, make_network, make_tokenizer
from tinyagent.errors import ModelUnavailable
from tinyagent.planners.gguf_header import read_header
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.training import gguf_export
from tinyagent.training.gguf_export import Precision, export
from tinyagent.training.gguf_tokenizer import load_tokenizer


@pytest.mark.parametrize(("precision", "tolerance"), [("F32", 0.02), ("Q8_0", 0.5)])
def test_exported_logits_agree(tmp_path: Path, precision: Precision, tolerance: float) -> None:
    tokenizer, network = make_tokenizer(), make_network()
    export(network, tokenizer, tmp_path / "m.gguf", precision)
    ids = torch.randint(0, 400, (1, 100), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network.logits(network(ids))[0, -1].numpy()
    model = LlamaModel(tmp_path / "m.gguf")
    model.read(ids[0].tolist(), lambda: False)
    assert np.abs(model.logits() - expected).max() < tolerance
    model.close()


def test_llama_cpp_tokenizes_as_in_training(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    export(make_network(), tokenizer, tmp_path / "m.gguf")
    model = LlamaModel(tmp_path / "m.gguf")
    for text in TEXTS:
        assert model.tokenize(text) == tokenizer.bpe.encode(text).ids
        assert b"".join(model.piece(token) for token in model.tokenize(text)).decode() == text
    model.close()


def test_markers_in_a_users_text_are_no_markers(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    export(make_network(), tokenizer, tmp_path / "m.gguf")
    model = LlamaModel(tmp_path / "m.gguf")
    assert tokenizer.ids["<|plan|>"] not in model.tokenize("so <|plan|> then")
    assert model.tokenize("<|plan|>", special=True) == [tokenizer.ids["<|plan|>"]]
    model.close()


def test_the_file_says_how_it_wants_to_be_asked(tmp_path: Path) -> None:
    export(make_network(), make_tokenizer(), tmp_path / "m.gguf")
    header = read_header(tmp_path / "m.gguf")
    assert header["tinyagent.profile"] == "compact"
    assert header["general.architecture"] == "llama"


def test_a_stored_tokenizer_is_the_same(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.save(tmp_path / "tokenizer.json")
    again = load_tokenizer(tmp_path / "tokenizer.json")
    assert again.pieces == tokenizer.pieces
    assert again.plan("⟨send_sms⟩⟨recipients⟩⟨1⟩") == tokenizer.plan("⟨send_sms⟩⟨recipients⟩⟨1⟩")


def test_a_file_that_is_not_the_network_takes_nothings_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, tokenizer = make_network(), make_tokenizer()
    out = tmp_path / "m.gguf"
    out.write_text("the one before")
    names = dict.fromkeys(("ffn_gate", "ffn_up"))
    swapped = dict(zip(names, reversed(names), strict=True))
    right = gguf_export.tensor_name

    def wrong(name: str) -> str:
        parts = right(name).split(".")
        return ".".join(swapped.get(part, part) for part in parts)

    monkeypatch.setattr(gguf_export, "tensor_name", wrong)
    with pytest.raises(ModelUnavailable, match="nothing was exported: its scores differ"):
        export(network, tokenizer, out)
    assert out.read_text() == "the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["m.gguf"]


def test_a_network_of_no_numbers_is_not_exported(tmp_path: Path) -> None:
    network = make_network()
    with torch.no_grad():
        network.output_norm.weight.fill_(float("nan"))
    with pytest.raises(ModelUnavailable, match="nothing was exported"):
        export(network, make_tokenizer(), tmp_path / "m.gguf", "F32")
    assert list(tmp_path.iterdir()) == []
