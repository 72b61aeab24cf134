"""A trained classifier as ONNX: a folder in single precision, one with 8-bit weights, both ready to run."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyagent.errors import ModelUnavailable
from tinyagent.toolrag.classifier import SETTINGS, SequenceClassifier
from tinyagent.toolrag.files import MAX_CHARACTERS, readable
from tinyagent.toolrag.labels import CLASSES
from tinyagent.training.onnx_files import compress, fuse_attention, write_manifest
from tinyagent.training.storage import cannot_write
from tinyagent.training.toolrag.base import Base
from tinyagent.training.toolrag.network import ToolClassifier

OPSET = 17
FULL, SMALL = "fp32", "int8"
MAX_LOGIT = 9.0
"""Beyond it a probability in single precision no longer tells the logit."""
FULL_TOLERANCE = 0.02
"""Largest difference of a logit between torch and ONNX in single precision."""
SMALL_TOLERANCE = 0.03
"""Largest mean difference of a probability that 8-bit weights may cause."""


@dataclass(frozen=True)
class Agreement:
    """How far the graphs are from the network: a logit at most (fp32), a probability on average (int8)."""

    full: float
    small: float


def export(network: ToolClassifier, base: Base, out: Path, texts: Sequence[str]) -> Agreement:
    """Write the folders `fp32` and `int8` in `out`, replacing what was there.

    `texts` are what the graphs are tried on. Raises ModelUnavailable, and leaves `out` as it was,
    when a graph does not compute what the network does, and StorageFull or InvalidRequest.
    """
    network = network.cpu().eval()
    tried = [*texts, "word " * (2 * base.window)]
    wanted = [_probabilities(network, base, text) for text in tried]
    try:
        return _export(network, base, out, tried, wanted)
    except OSError as error:
        raise cannot_write(out, error) from error


def _export(
    network: ToolClassifier,
    base: Base,
    out: Path,
    tried: Sequence[str],
    wanted: Sequence[Sequence[float]],
) -> Agreement:
    with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as made:
        full, small = Path(made) / FULL, Path(made) / SMALL
        for folder in (full, small):
            folder.mkdir()
            _write_settings(folder, base)
        write_graph(network, full / "model.onnx")
        fused = Path(made) / "fused.onnx"
        shutil.copyfile(full / "model.onnx", fused)
        if base.kind == "bert":
            fuse_attention(fused, base.heads, base.width)
        compress(fused, small / "model.onnx")
        for folder in (full, small):
            write_manifest(folder)
        agreement = Agreement(
            _largest_logit_gap(wanted, _answers(full, tried)), _mean_gap(wanted, _answers(small, tried))
        )
        _check(agreement)
        for folder in (full, small):
            _put(folder, out / folder.name)
    return agreement


def write_graph(network: ToolClassifier, path: Path) -> None:
    """The network as a graph for requests of any length."""
    # Attention that is written out is what graph optimizers know, and no kernel of torch's own.
    if hasattr(network.encoder, "set_attn_implementation"):
        network.encoder.set_attn_implementation("eager")
    pieces = torch.ones(1, 9, dtype=torch.long)
    axes = {name: {0: "batch", 1: "pieces"} for name in ("input_ids", "attention_mask")}
    with warnings.catch_warnings():
        # The exporter warns of every size that it might have taken for fixed; `export` tries several.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (pieces, pieces), str(path), input_names=["input_ids", "attention_mask"],
            output_names=["logits"], dynamic_axes=axes | {"logits": {0: "batch"}}, opset_version=OPSET,
            dynamo=False,
        )  # fmt: skip


def _write_settings(folder: Path, base: Base) -> None:
    settings = {"encoder": base.kind, "pieces": base.window}
    (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
    (folder / "labels.json").write_text(json.dumps({"labels": CLASSES}, indent=1) + "\n", "utf-8")
    base.tokenizer.save(str(folder / "tokenizer.json"))


def _probabilities(network: ToolClassifier, base: Base, text: str) -> list[float]:
    pieces = torch.tensor([base.tokenizer.encode(readable(text)[:MAX_CHARACTERS]).ids])
    with torch.inference_mode():
        return network(pieces, torch.ones_like(pieces))[0].double().sigmoid().tolist()


def _answers(folder: Path, texts: Sequence[str]) -> list[list[float]]:
    """What the folder says when it is run as at run time: one request at a time."""
    classifier = SequenceClassifier.load(folder)

    async def ask() -> list[list[float]]:
        return [list((await classifier.probabilities(text)).values()) for text in texts]

    return asyncio.run(ask())


def _logit(probability: float) -> float:
    if not 0 < probability < 1:
        return MAX_LOGIT if probability >= 1 else -MAX_LOGIT
    return max(-MAX_LOGIT, min(MAX_LOGIT, math.log(probability / (1 - probability))))


def _largest_logit_gap(wanted: Sequence[Sequence[float]], got: Sequence[Sequence[float]]) -> float:
    return max(abs(_logit(a) - _logit(b)) for a, b in _pairs(wanted, got))


def _mean_gap(wanted: Sequence[Sequence[float]], got: Sequence[Sequence[float]]) -> float:
    gaps = [abs(a - b) for a, b in _pairs(wanted, got)]
    return sum(gaps) / len(gaps)


def _pairs(wanted: Sequence[Sequence[float]], got: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    return [pair for ours, theirs in zip(wanted, got, strict=True) for pair in zip(ours, theirs, strict=True)]


def _check(agreement: Agreement) -> None:
    """Raises ModelUnavailable; written so that a gap that is no number is refused, too."""
    if not agreement.full <= FULL_TOLERANCE:
        raise ModelUnavailable(
            f"The graph in single precision is off by up to {agreement.full:.3g} in a logit"
            f" ({FULL_TOLERANCE:g} is allowed), so nothing was exported.",
            hint="This encoder is not exported rightly; another version of torch or transformers may do.",
        )
    if not agreement.small <= SMALL_TOLERANCE:
        raise ModelUnavailable(
            f"8-bit weights change a probability by {agreement.small:.3g} on average"
            f" ({SMALL_TOLERANCE:g} is allowed), so nothing was exported.",
            hint="Train longer, or start from another encoder.",
        )


def _put(folder: Path, target: Path) -> None:
    """Move a finished folder to its place."""
    if target.exists():
        old = folder.parent / f"old-{target.name}"
        target.replace(old)
    folder.replace(target)
