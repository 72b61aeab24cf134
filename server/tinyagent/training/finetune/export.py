"""From a merged model to GGUF files that are proved to be the same model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import safe_open

from tinyagent.errors import ModelUnavailable
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.training.finetune.adapters import load_model
from tinyagent.training.finetune.base import Base, read_base, weight_files
from tinyagent.training.finetune.gguf_file import Array, write_gguf
from tinyagent.training.finetune.tokens import Tokens
from tinyagent.training.finetune.vocabulary import BaseVocabulary, first_difference
from tinyagent.training.gguf_agreement import NASTY_TEXTS, score_gap
from tinyagent.training.quantize import Kind, quantize_file

MOST_APART = 0.15
"""Largest difference of a score that half precision explains, in standard deviations of all scores."""
LEAST_COSINE = 0.999
_CHECKED_TOKENS = 96


def export_gguf(merged: Path, vocabulary: BaseVocabulary, tokens: Tokens, path: Path) -> dict[str, float]:
    """Write a merged model as F16 GGUF and compare; the agreement in figures.

    The file takes its place only when it agrees. Raises ModelUnavailable with the reason when it does not.
    """
    base = read_base(merged)
    unchecked = path.with_name(path.name + ".unchecked")
    try:
        write_gguf(
            unchecked, base, tokens, vocabulary.pre, vocabulary.profile_name, vocabulary.template,
            _loader(merged),
        )  # fmt: skip
        figures = compare(base, tokens, unchecked)
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return figures


def export_quantized(path: Path, kinds: tuple[Kind, ...] = ("q8_0", "q4_0")) -> dict[str, Path]:
    """The F16 file in fewer bits beside it, by kind."""
    made: dict[str, Path] = {}
    for kind in kinds:
        target = path.with_name(path.name.replace("f16", kind))
        quantize_file(path, target, kind, threads=torch.get_num_threads())
        made[kind] = target
    return made


def _loader(folder: Path) -> Callable[[str], Array]:
    """Tensors by name from all weight files of a folder."""
    places: dict[str, Path] = {}
    for path in weight_files(folder):
        with safe_open(path, framework="pt") as file:
            places |= dict.fromkeys(file.keys(), path)

    def load(name: str) -> Array:
        with safe_open(places[name], framework="pt") as file:
            return file.get_tensor(name).float().numpy()

    return load


def compare(base: Base, tokens: Tokens, path: Path) -> dict[str, float]:
    """Tokens and scores of the file against those of transformers, in figures.

    Raises ModelUnavailable where they differ.
    """
    model = LlamaModel(path, context=256, threads=torch.get_num_threads())
    try:
        difference = first_difference(model, tokens, NASTY_TEXTS)
        if difference:
            raise _refused(path, f"they tokenize differently: {difference}")
        return _compare_scores(base, tokens, model, path)
    finally:
        model.close()


def _compare_scores(base: Base, tokens: Tokens, model: LlamaModel, path: Path) -> dict[str, float]:
    text = " ".join(NASTY_TEXTS[:8])
    ids = [tokens.begin, *model.tokenize(text)][: min(_CHECKED_TOKENS, model.context - 1)]
    expected = _expected_scores(base, ids)
    gap = score_gap(model, ids, expected)
    if not gap.within(MOST_APART, LEAST_COSINE):
        raise _refused(path, f"their {gap} (allowed are {MOST_APART} and {LEAST_COSINE})")
    return {"tokens": len(ids), "largest_difference": gap.apart, "smallest_cosine": gap.cosine}


def _expected_scores(base: Base, ids: list[int]) -> Array:
    roomy = psutil.virtual_memory().available > base.parameters * 5
    model: Any = load_model(base, torch.float32 if roomy else torch.float16).eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0].double().numpy()


def _refused(path: Path, reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{path.name.removesuffix('.unchecked')} is not written, as it would not be the trained model: "
        f"{reason}.",
        hint="The merged model in transformers' format is kept; report the base that you used.",
    )
