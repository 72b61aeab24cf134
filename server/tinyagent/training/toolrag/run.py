"""From requests and a pretrained encoder to folders with a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from tinyagent.errors import Conflict, InvalidRequest
from tinyagent.training.corpus import Corpus, read_corpus
from tinyagent.training.examples import Example
from tinyagent.training.labelled import read_labelled
from tinyagent.training.sampling import Sampler
from tinyagent.training.storage import check_room, prepare_folder
from tinyagent.training.toolrag.base import Base, load_base
from tinyagent.training.toolrag.examples import ToolEncoder
from tinyagent.training.toolrag.export import Agreement, export
from tinyagent.training.toolrag.network import ToolClassifier
from tinyagent.training.toolrag.trainer import Course, Trainer

MINUTES = 30.0
BUDGET = 1400
"""Wordpieces in a batch."""
SMALL_WIDTH, SMALL_RATE, LARGE_RATE = 384, 1.2e-4, 3e-5
"""Wide encoders forget what they know at the rate that suits narrow ones."""
REPORT_BATCH = 16
TRIED_TEXTS = 40


@dataclass(frozen=True)
class Options:
    """`base` None is MiniLM; of `minutes` and `epochs` at most one is given, `MINUTES` if none.

    An epoch is as many requests as the training part holds, recombined ones and those out of scope
    among them. `rate` is the encoder's highest learning rate.
    """

    data: Path
    out: Path
    labelled: Path | None = None
    base: Path | None = None
    minutes: float | None = None
    epochs: float | None = None
    rate: float | None = None
    threads: int = 1
    seed: int = 0
    resume: bool = False


def train(options: Options, tell: Callable[[str], None]) -> Agreement:
    """Train a classifier and export it into `out`; `tell` is given lines on how it goes.

    Raises InvalidRequest, Conflict, ModelUnavailable or StorageFull, each with what to do.
    """
    checkpoint = options.out / "checkpoint.pt"
    _check_options(options, checkpoint)
    corpus = read_corpus(options.data, tell, needed="train")
    labelled = read_labelled(options.labelled, tell) if options.labelled else []
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    base = load_base(options.base)
    network = classifier_on(base)
    _check_space(options.out, network)
    rows = corpus.rows("train")
    trainer = Trainer(network, base.digest, checkpoint, _course(options, len(rows)), _rate(options, base))
    if options.resume:
        trainer.resume()
    encoder = ToolEncoder(base.tokenizer, base.window)
    sampler = Sampler(rows, labelled, encoder, budget=BUDGET, seed=options.seed + trainer.step)
    if not any(encoder.example(row) for row in rows):
        raise InvalidRequest(
            f"None of the requests in {options.data} fits into the encoder's window of {base.window} pieces.",
            hint="Give shorter requests, or another encoder with --base.",
        )
    kept = [example for row in corpus.rows("dev") if (example := encoder.example(row))]
    tell(f"{len(rows)} requests to learn from, {len(labelled)} more with tools only, {len(kept)} kept aside")
    trainer.run(sampler.batches(), _grouped(kept), tell)
    agreement = export(network, base, options.out, _texts(corpus))
    tell(
        f"exported to {options.out}: fp32 within {agreement.full:.1e} of the network in any logit,"
        f" int8 within {agreement.small:.1e} in a probability on average"
    )
    return agreement


def classifier_on(base: Base) -> ToolClassifier:
    """A new head on the encoder, whose word vectors stay as they are: they are most of the weights."""
    network = ToolClassifier(base.encoder, base.width)
    embeddings = getattr(base.encoder, "embeddings", None)
    if isinstance(embeddings, nn.Module):
        embeddings.requires_grad_(False)
    return network


def _check_options(options: Options, checkpoint: Path) -> None:
    if options.minutes is not None and options.epochs is not None:
        raise InvalidRequest("A training has minutes or epochs, not both.", hint="Leave one of them out.")
    if checkpoint.exists() and not options.resume:
        raise Conflict(
            f"{options.out} holds a training already.",
            hint="Go on with it by --resume, or choose another folder with --out.",
        )
    if options.resume and not checkpoint.exists():
        raise InvalidRequest(
            f"There is no training in {options.out} to go on with.", hint="Leave --resume out."
        )
    prepare_folder(options.out, 0, "the training")


def _check_space(out: Path, network: ToolClassifier) -> None:
    """Room for two checkpoints with the optimizer's two moments, and for the graphs while they are made."""
    weights = sum(item.nbytes for item in network.parameters())
    moments = 2 * sum(item.nbytes for item in network.parameters() if item.requires_grad)
    needed = 2 * (weights + moments) + 3 * weights
    check_room(out, needed, "the training")


def _course(options: Options, rows: int) -> Course:
    if options.epochs is not None:
        return Course(None, round(options.epochs * rows))
    return Course((options.minutes or MINUTES) * 60, None)


def _rate(options: Options, base: Base) -> float:
    return options.rate or (SMALL_RATE if base.width <= SMALL_WIDTH else LARGE_RATE)


def _grouped(examples: Sequence[Example]) -> list[list[Example]]:
    ordered = sorted(examples, key=lambda item: item.length)
    return [ordered[start : start + REPORT_BATCH] for start in range(0, len(ordered), REPORT_BATCH)]


def _texts(corpus: Corpus) -> list[str]:
    """What the graphs are tried on: requests kept aside, from the shortest to the longest."""
    texts = sorted((row.query for row in corpus.rows("dev") or corpus.rows("train")), key=len)
    step = max(1, len(texts) // TRIED_TEXTS)
    return texts[::step]
