"""Bases of the Llama family with random weights and real tokenizers, made on the spot.

Two kinds of tokenizer: SentencePiece BPE with byte pieces, as TinyLlama and Mistral have, and
byte-level BPE. Both learn from the planner's own prompts, so that these take few tokens.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import TEXTS
from tinyagent.planners.prompts import tinyagent_messages

MARKS = ("<unk>", "<s>", "</s>")
VOCABULARY = 1600
ZEPHYR = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}{{ eos_token }}\n"
    "{% endfor %}<|assistant|>\n"
)
Kind = Literal["pieces", "bytes"]


def learned_texts() -> list[str]:
    """What tokenizers learn from: the whole prompt and a plan."""
    prompt = [message.content for message in tinyagent_messages(make_request())]
    plan = '1. get_phone_number("Sid")\n2. send_sms(["$1"], "I am late")\n3. join()<END_OF_PLAN>'
    return [*TEXTS, *prompt, plan] * 3


def write_base(
    folder: Path,
    architecture: Literal["llama", "mistral"] = "llama",
    tokenizer: Kind = "pieces",
    *,
    only_model_file: bool = False,
    seed: int = 0,
    **config: Any,
) -> Path:
    """A model of two layers and width 64 with strong random opinions."""
    torch.manual_seed(seed)
    values: dict[str, Any] = {
        "vocab_size": VOCABULARY + 8, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
        "bos_token_id": 1, "eos_token_id": 2,
    }  # fmt: skip
    values |= config
    if architecture == "llama":
        model: Any = LlamaForCausalLM(LlamaConfig(**values))
    else:
        values = {"sliding_window": 2048, "head_dim": 32} | values
        model = MistralForCausalLM(MistralConfig(**values))
    with torch.no_grad():
        for weight in model.parameters():
            weight.uniform_(0.5, 1.5) if weight.dim() == 1 else weight.normal_(std=0.12)
    model.save_pretrained(folder)
    if tokenizer == "pieces":
        write_pieces(folder, only_model_file)
    else:
        write_bytes(folder)
    settings = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": ZEPHYR}))
    return folder


# --- SentencePiece -----------------------------------------------------------------------------


def write_pieces(folder: Path, only_model_file: bool) -> None:
    """`tokenizer.model`, and beside it the same as `tokenizer.json` in the way of the published models."""
    texts, scores, kinds = _learn_pieces()
    (folder / "tokenizer.model").write_bytes(sentencepiece_model(texts, scores, kinds))
    if not only_model_file:
        _as_merges(texts, scores).save(str(folder / "tokenizer.json"))


def _learn_pieces() -> tuple[list[str], list[float], list[int]]:
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    learner.train_from_iterator(learned_texts(), BpeTrainer(vocab_size=VOCABULARY - 300, show_progress=False))
    model = json.loads(learner.to_str())["model"]
    merged = list(dict.fromkeys("".join(merge) for merge in model["merges"]))
    letters = [piece for piece in model["vocab"] if len(piece) == 1]
    texts = [*MARKS, *(f"<0x{byte:02X}>" for byte in range(256)), *merged, *letters]
    ordinary = [-float(place) for place in range(len(merged) + len(letters))]
    return texts, [0.0] * 259 + ordinary, [2, 3, 3, *[6] * 256, *[1] * len(ordinary)]


def _as_merges(texts: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    places = {text: place for place, text in enumerate(texts)}
    pairs = [
        (-score, text[:cut], text[cut:])
        for text, score in zip(texts, scores, strict=True)
        for cut in range(1, len(text))
        if text[:cut] in places and text[cut:] in places
    ]
    pairs.sort(key=lambda pair: (pair[0], places[pair[1]], places[pair[2]]))
    merges = [(left, right) for _, left, right in pairs]
    tokenizer = Tokenizer(models.BPE(places, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False) for mark in MARKS])
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def sentencepiece_model(texts: Sequence[str], scores: Sequence[float], kinds: Sequence[int]) -> bytes:
    """The protocol buffer of a BPE model."""
    pieces = [
        _bytes(1, _bytes(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + bytes([kind]))
        for text, score, kind in zip(texts, scores, kinds, strict=True)
    ]
    trainer = _bytes(2, b"\x18\x02")  # model type BPE
    normalizer = _bytes(3, _bytes(1, b"identity") + b"\x18\x01")  # a space is put before
    return b"".join(pieces) + trainer + normalizer


def _bytes(number: int, data: bytes) -> bytes:
    length, size = b"", len(data)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


# --- byte-level BPE ----------------------------------------------------------------------------


def write_bytes(folder: Path) -> None:
    """`tokenizer.json` with single digits, as some small Llamas have it."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), words])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(MARKS),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*learned_texts(), *(f"{n} {n}{n}" for n in range(300))], trainer)
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
