"""llama.cpp tokenizes as the base's own tokenizer does, or the base is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer, normalizers

from tests.support.tiny_base import sentencepiece_model, write_base
from tinyagent.errors import ModelUnavailable
from tinyagent.training.finetune.base import Base, read_base
from tinyagent.training.finetune.sentencepiece_file import read_pieces
from tinyagent.training.finetune.tokens import read_tokens
from tinyagent.training.finetune.vocabulary import NASTY_TEXTS, open_vocabulary

KINDS = {
    "pieces": {"tokenizer": "pieces"},
    "only the model file": {"tokenizer": "pieces", "only_model_file": True},
    "bytes": {"tokenizer": "bytes"},
}


@pytest.fixture(scope="module", params=list(KINDS))
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    return read_base(write_base(tmp_path_factory.mktemp("base"), **KINDS[request.param]))


def test_nasty_texts_are_tokenized_alike_and_come_back_whole(base: Base) -> None:
    tokens = read_tokens(base)
    vocabulary = open_vocabulary(base, tokens)
    for text in NASTY_TEXTS:
        ids = vocabulary.model.tokenize(text)
        assert ids == tokens.reference.encode(text, add_special_tokens=False).ids
        written = b"".join(vocabulary.model.piece(index) for index in ids).decode()
        assert written.removeprefix(" " if tokens.adds_space else "") == text
    vocabulary.model.close()


def test_a_prompt_begins_once_and_markers_in_a_request_are_text(base: Base) -> None:
    tokens = read_tokens(base)
    vocabulary = open_vocabulary(base, tokens)
    model = vocabulary.model
    assert model.tokenize("a", begin=True)[0] == tokens.begin
    assert tokens.end not in model.tokenize("so </s> then")
    assert model.tokenize("</s>", special=True)[-1] == tokens.end
    assert model.is_end(tokens.end)
    assert model.chat_template() == vocabulary.template
    model.close()


def test_the_padding_of_the_vocabulary_is_unused(base: Base) -> None:
    tokens = read_tokens(base)
    assert len(tokens.pieces) == base.vocabulary
    assert tokens.pieces[-1] == f"<|unused {base.vocabulary - 1}|>"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield write_base(tmp_path / "base")


def test_a_tokenizer_that_changes_texts_first_is_refused(folder: Path) -> None:
    stored = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own = stored.normalizer
    assert own is not None
    stored.normalizer = normalizers.Sequence([normalizers.Lowercase(), own])
    stored.save(str(folder / "tokenizer.json"))
    base = read_base(folder)
    with pytest.raises(ModelUnavailable, match="would tokenize differently"):
        open_vocabulary(base, read_tokens(base))


def test_damaged_and_foreign_tokenizers_are_refused(folder: Path) -> None:
    base = read_base(folder)
    raw = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match="cannot be read as a tokenizer"):
        read_tokens(base)
    unigram = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]]}
    (folder / "tokenizer.json").write_text(json.dumps(raw | {"model": unigram, "added_tokens": []}))
    with pytest.raises(ModelUnavailable, match="of the kind Unigram"):
        read_tokens(base)


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    base = read_base(folder)
    with pytest.raises(ModelUnavailable, match="the model only 900"):
        read_tokens(replace(base, vocabulary=900))


def test_a_model_file_that_ends_early_or_holds_no_bpe_is_refused(folder: Path) -> None:
    path = folder / "tokenizer.model"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    with pytest.raises(ModelUnavailable):
        read_pieces(path)
    path.write_bytes(
        sentencepiece_model(["<unk>", "a"], [0.0, -1.0], [2, 1]).replace(b"\x18\x02", b"\x18\x01")
    )
    with pytest.raises(ModelUnavailable, match="holds no BPE"):
        read_pieces(path)


def test_a_base_without_named_end_is_refused(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": None}))
    with pytest.raises(ModelUnavailable, match="names the eos token"):
        read_tokens(read_base(folder))
