"""Whether exported graphs compute what the network does: tried on requests before they take their place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinyagent.errors import ModelUnavailable
from tinyagent.toolrag.files import load_tokenizer
from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.model import NanoModel
from tinyagent.training.examples import BOS, COPY, JOIN, MAX_PIECES, Encoder, Example
from tinyagent.training.network import PlanNetwork

TEXTS = (
    "text mum hi",
    "Remind me tomorrow at 9 to water the plants and text Jane that I am running late.",
    "set up a zoom with Dr. Ito and Bo Li on friday at half 4 for 45 minutes, mail them budget_24.xlsx",
    "what is the weather?",
    "How do I get from Main St. 5 to the port by train? Add the way to my note “Trip” – for Zoë’s visit",
)
STEPS = 32
"""Symbols of a plan that are compared."""
FULL_TOLERANCE, SMALL_TOLERANCE = 0.002, 0.05
"""Largest mean share of probability that may lie elsewhere, in single precision and with 8-bit weights."""

Floats = NDArray[np.floating]


def check(network: PlanNetwork, symbols: Sequence[str], folder: Path, *, small: bool) -> float:
    """How much of the probability lies elsewhere, on average over counts and symbols of some plans.

    Raises ModelUnavailable when it is too much; written so that what is no number is refused, too.
    """
    apart = distance(network, symbols, folder)
    allowed = SMALL_TOLERANCE if small else FULL_TOLERANCE
    if not apart <= allowed:
        raise ModelUnavailable(
            f"The exported graphs do not compute what the network does: {apart:.3g} of the probability lies "
            f"elsewhere ({allowed:g} is allowed), so nothing was exported.",
            hint="Try --full, or another version of torch, onnx or onnxruntime.",
        )
    return apart


def distance(network: PlanNetwork, symbols: Sequence[str], folder: Path) -> float:
    """Mean total variation between the network in training and the folder as it is run."""
    model = NanoModel.load(folder)
    encoder = Encoder(load_tokenizer(folder / "tokenizer.json", MAX_PIECES), symbols)
    gaps: list[float] = []
    for text in TEXTS:
        example = encoder.bare(text, [0] * len(CLASSES), ())
        assert example is not None, "every text has words"
        with torch.inference_mode():
            gaps += _gaps(network, symbols, model, text, example)
    return float(np.mean(gaps))


def _gaps(
    network: PlanNetwork, symbols: Sequence[str], model: NanoModel, text: str, example: Example
) -> Iterator[float]:
    encoded = asyncio.run(model.encode(text))
    pieces = torch.tensor([example.pieces])
    mask = torch.ones_like(pieces)
    states = network.encode(pieces, mask)
    counts = torch.softmax(network.counts(states, mask)[0].float(), -1).numpy()
    yield from _variations(counts, encoded.counts)
    writer = model.write(encoded, example.first, example.last)
    fed = [(symbols.index(BOS), -1)]
    for _ in range(STEPS):
        wanted = _next(network, states, example, fed)
        written, pointed = writer.step([fed[-1][0]], [fed[-1][1]], [0])
        yield from _variations(wanted[None], np.exp(np.concatenate([written, pointed], -1)))
        best = int(wanted.argmax())
        if best == symbols.index(JOIN):
            return
        fed.append((best, -1) if best < len(symbols) else (symbols.index(COPY), best - len(symbols)))


def _next(network: PlanNetwork, states: Tensor, example: Example, fed: Sequence[tuple[int, int]]) -> Floats:
    """Probabilities of every symbol and of copying every word, after what was written."""
    first, last = (torch.tensor([places]) for places in (example.first, example.last))
    words = network.word_states(states, first, last)
    everything = torch.ones(words.shape[:2], dtype=torch.bool)
    symbols, copied = network.decode(
        torch.tensor([[symbol for symbol, _ in fed]]), torch.tensor([[word for _, word in fed]]), words,
        everything, network.remember(states), torch.ones(states.shape[:2], dtype=torch.bool),
    )  # fmt: skip
    return torch.cat([symbols, copied], -1)[0, -1].exp().numpy()


def _variations(wanted: Floats, got: Floats) -> list[float]:
    """Of each row, the share of the probability that lies elsewhere."""
    return (np.abs(wanted - got).sum(-1) / 2).tolist()
