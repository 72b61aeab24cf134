"""The pretrained encoder that a classifier starts from, read from a folder as transformers writes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from tinyagent.errors import ModelUnavailable
from tinyagent.training.examples import MAX_PIECES
from tinyagent.training.pretrained import pretrained_folder

_PROBE = "Text Ann that I am late"
_SPARE_POSITIONS = 2
"""Some encoders number their positions from two on."""


@dataclass(frozen=True)
class Base:
    """An encoder with its tokenizer, which reads at most `window` wordpieces and adds no padding."""

    encoder: nn.Module
    tokenizer: Tokenizer
    window: int
    width: int
    heads: int
    kind: str
    """What transformers calls the architecture: `bert`, `deberta-v2` …"""
    digest: str
    """Stands for configuration and tokenizer, so that a training goes on from its own base only."""


def load_base(folder: Path | None = None) -> Base:
    """The encoder in a folder, MiniLM as its Python package carries it when none is given.

    Raises ModelUnavailable that names what is missing or wrong.
    """
    folder = folder or pretrained_folder()
    if not (folder / "config.json").is_file():
        raise ModelUnavailable(
            f"{folder} holds no pretrained encoder: config.json is missing.",
            hint="Give the folder of a model as transformers saves it, such as that of DeBERTa-v3-small.",
        )
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    encoder = _load_encoder(folder)
    config: Any = encoder.config
    positions = int(getattr(config, "max_position_embeddings", 0)) or MAX_PIECES + _SPARE_POSITIONS
    window = min(MAX_PIECES, positions - _SPARE_POSITIONS)
    tokenizer = _load_tokenizer(folder, int(config.vocab_size))
    tokenizer.no_padding()
    tokenizer.enable_truncation(window)
    _check_forward(folder, encoder, tokenizer, int(config.hidden_size))
    described = (folder / "config.json").read_bytes() + tokenizer.to_str().encode()
    return Base(
        encoder, tokenizer, window, int(config.hidden_size), int(config.num_attention_heads),
        str(config.model_type), hashlib.sha256(described).hexdigest(),
    )  # fmt: skip


def _load_encoder(folder: Path) -> nn.Module:
    """The encoder in single precision: some models are stored in half of it, which does not train."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        encoder, report = AutoModel.from_pretrained(
            folder, config=config, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # every format of weights has errors of its own
        raise ModelUnavailable(
            f"The encoder in {folder} is damaged, or of a kind that cannot be read ({type(error).__name__}).",
            hint="Fetch it again; model.safetensors or pytorch_model.bin must lie there whole.",
        ) from error
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing or report["mismatched_keys"]:
        raise ModelUnavailable(
            f"The weights in {folder} are not those of its config.json"
            f" ({f'{missing[0]} is missing' if missing else 'sizes differ'}).",
            hint="Fetch config.json and weights of one and the same model.",
        )
    return encoder.float()


def _load_tokenizer(folder: Path, vocabulary: int) -> Tokenizer:
    """`tokenizer.json`, or what transformers makes of a SentencePiece model or a word list beside it."""
    path = folder / "tokenizer.json"
    given = path.is_file()
    try:
        tokenizer = Tokenizer.from_file(str(path)) if given else _converted(folder, vocabulary)
    except Exception as error:  # the library raises bare Exception
        raise ModelUnavailable(
            f"{path} is {'damaged' if given else 'missing, and nothing there can be made into it'}.",
            hint="Put the model's tokenizer.json there; "
            "`pip install sentencepiece` lets an spm.model be turned into one.",
        ) from error
    size = tokenizer.get_vocab_size()
    if not 0 < size <= vocabulary:
        raise ModelUnavailable(
            f"The tokenizer in {folder} has {size} pieces, the encoder {vocabulary}.",
            hint="Put tokenizer and weights of one and the same model there.",
        )
    return tokenizer


def _converted(folder: Path, vocabulary: int) -> Tokenizer:
    """Raises ValueError when nothing was there to convert: transformers makes an empty tokenizer then."""
    converted: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer = Tokenizer.from_str(converted.backend_tokenizer.to_str())
    if tokenizer.get_vocab_size() < vocabulary / 2:
        raise ValueError("a tokenizer without its pieces")
    return tokenizer


def _check_forward(folder: Path, encoder: nn.Module, tokenizer: Tokenizer, width: int) -> None:
    """Read one sentence, which an encoder-decoder or broken weights cannot."""
    pieces = torch.tensor([tokenizer.encode(_PROBE).ids])
    try:
        with torch.inference_mode():
            states: Tensor = encoder.eval()(
                input_ids=pieces, attention_mask=torch.ones_like(pieces)
            ).last_hidden_state
    except Exception as error:
        raise ModelUnavailable(
            f"The model in {folder} does not read a text as an encoder does ({type(error).__name__}).",
            hint="Give an encoder of the BERT or DeBERTa family.",
        ) from error
    if states.shape[-1] != width or not bool(torch.isfinite(states).all()):
        raise ModelUnavailable(
            f"The encoder in {folder} computes no usable numbers.", hint="Fetch its weights again."
        )
