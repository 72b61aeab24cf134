"""A whole fine-tuning: check, train, choose, merge, export, prove, quantize, report."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.planners.examples.finder import Embed
from tinyagent.tools.registry import BUILT_IN
from tinyagent.training.corpus import read_corpus
from tinyagent.training.finetune.adapters import adapt, load_model, merged_folder
from tinyagent.training.finetune.base import Base, read_base
from tinyagent.training.finetune.checkpoint import seed_all
from tinyagent.training.finetune.examples import (
    CorpusIndex,
    ExampleIndex,
    NoExamples,
    embed_requests,
)
from tinyagent.training.finetune.export import export_gguf, export_quantized
from tinyagent.training.finetune.prompting import RowMaker
from tinyagent.training.finetune.resources import Machine, check_resources, this_machine
from tinyagent.training.finetune.settings import FinetuneSettings
from tinyagent.training.finetune.tokens import Tokens, read_tokens
from tinyagent.training.finetune.training import Progress, Training
from tinyagent.training.finetune.vocabulary import BaseVocabulary, open_vocabulary
from tinyagent.training.rows import Request
from tinyagent.training.storage import prepare_folder, write_whole

_SAMPLED = 40
"""Requests whose rows are made before training, to see whether they fit."""
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "generation_config.json",
)  # fmt: skip


@dataclass(frozen=True)
class Watcher:
    """Whom to tell: the stage at its beginning, every step, and in lines what is left out of the data."""

    stage: Callable[[str], None]
    step: Callable[[Progress], None]
    note: Callable[[str], None] = lambda _: None


def finetune(
    settings: FinetuneSettings, watcher: Watcher, *, resume: bool = False, embed: Embed | None = None
) -> dict[str, Any]:
    """Fine-tune and export; the report, which also lies in `out/report.json`.

    `embed` is needed for in-context examples. Raises ModelUnavailable for a base that cannot be used
    and for an export that is not the trained model, InvalidRequest for what cannot be carried out.
    """
    started = time.monotonic()
    watcher.stage("checking the base and the machine")
    base = read_base(settings.base)
    tokens = read_tokens(base)
    machine = this_machine(settings)
    needs = check_resources(base, settings, machine)
    _prepare_out(settings, resume)
    train, dev = _requests(settings, watcher)
    vocabulary = open_vocabulary(base, tokens, [request.query for request in train[:200]])
    try:
        rows = _row_maker(settings, tokens, vocabulary, train, embed, watcher)
        _check_rows(settings, rows, train)
        seed_all(settings.seed)
        watcher.stage("loading the weights")
        model = adapt(base, settings, load_model(base, machine.dtype), needs.checkpointing)
        training = Training(
            settings, model.to(machine.device), rows, train, dev, machine.device, watcher.step
        )
        if resume and training.checkpoint.exists():
            training.resume()
        watcher.stage(f"training {len(train)} requests, {settings.epochs} epochs")
        training.run()
        del model, training.model
        files, agreement = _export(settings, base, tokens, vocabulary, training, watcher)
    finally:
        vocabulary.model.close()
    report = _report(settings, base, machine, training, files, agreement)
    report["seconds"] = round(time.monotonic() - started, 1)
    write_whole(settings.out / "report.json", json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return report


def _prepare_out(settings: FinetuneSettings, resume: bool) -> None:
    prepare_folder(settings.out, 0, "the run")
    if not resume and (settings.out / "checkpoint.pt").exists():
        raise InvalidRequest(
            f"{settings.out} holds a run already.",
            hint="Go on with it by --resume, or give another folder with --out.",
        )


def _requests(settings: FinetuneSettings, watcher: Watcher) -> tuple[list[Request], list[Request]]:
    """The training and development requests, as many as wanted, chosen by the seed."""
    corpus = read_corpus(settings.data, watcher.note, needed="train")
    train, dev = corpus.requests("train"), corpus.requests("dev")
    source = random.Random(settings.seed)
    if settings.limit is not None and settings.limit < len(train):
        train = source.sample(train, settings.limit)
    return train, source.sample(dev, min(len(dev), settings.validate))


def _row_maker(
    settings: FinetuneSettings,
    tokens: Tokens,
    vocabulary: BaseVocabulary,
    train: Sequence[Request],
    embed: Embed | None,
    watcher: Watcher,
) -> RowMaker:
    index: ExampleIndex = NoExamples()
    if settings.examples:
        if embed is None:
            raise InvalidRequest("In-context examples need an embedder.", hint="Give --examples 0.")
        watcher.stage("finding in-context examples")
        index = CorpusIndex(train, embed_requests(train, embed, settings.out / "embeddings.npz"), embed)
    return RowMaker(
        vocabulary.model, vocabulary.profile, index, tuple(tool.spec for tool in BUILT_IN), tokens.end,
        settings.max_tokens, settings.negative_tools, settings.examples, settings.seed,
    )  # fmt: skip


def _check_rows(settings: FinetuneSettings, rows: RowMaker, train: Sequence[Request]) -> None:
    sample = train[:_SAMPLED]
    lost = sum(rows.row(request, 0) is None for request in sample)
    if lost * 2 > len(sample):
        raise InvalidRequest(
            f"With --max-tokens {settings.max_tokens}, {lost} of {len(sample)} requests are too long.",
            hint="Raise --max-tokens: the tools' descriptions alone take hundreds of tokens.",
            param="max_tokens",
        )


def _export(
    settings: FinetuneSettings,
    base: Base,
    tokens: Tokens,
    vocabulary: BaseVocabulary,
    training: Training,
    watcher: Watcher,
) -> tuple[dict[str, Path], dict[str, float]]:
    """Merge the best adapter, write the folder and the GGUF files."""
    watcher.stage("merging the best adapter")
    try:
        adapter = load_file(training.best_adapter)
    except Exception as error:  # safetensors raises several kinds, OSError among them
        raise ModelUnavailable(
            f"The best adapter {training.best_adapter} is missing or damaged.",
            hint="Train again in another folder.",
        ) from error
    merged = settings.out / "merged"
    merged_folder(base, settings, adapter, merged)
    for name in _TOKENIZER_FILES:
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, merged / name)
    watcher.stage("writing GGUF and comparing it with the merged model")
    whole = settings.out / "planner-f16.gguf"
    agreement = export_gguf(merged, vocabulary, tokens, whole)
    watcher.stage("quantizing")
    return {"f16": whole, **export_quantized(whole)}, agreement


def _report(
    settings: FinetuneSettings,
    base: Base,
    machine: Machine,
    training: Training,
    files: dict[str, Path],
    agreement: dict[str, float],
) -> dict[str, Any]:
    position = training.position
    return {
        "recipe": settings.recipe(),
        "base": {"architecture": base.architecture, "parameters": base.parameters},
        "device": machine.device,
        "steps": position.total,
        "left_out": position.left_out,
        "validation": position.history,
        "best": position.best,
        "export_agreement": agreement,
        "files": {kind: {"path": str(path), "bytes": path.stat().st_size} for kind, path in files.items()},
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "llama-cpp-python")}
        | {"threads": torch.get_num_threads()},
    }
