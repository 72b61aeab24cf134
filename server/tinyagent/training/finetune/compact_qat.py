"""Quantization-aware training of the small bundled GGUF planner: a few more minutes with 4-bit weights.

Training goes on from the run's checkpoint; every matrix of a layer is rounded as Q4_0 stores it on the
way forward. The exported weights are the rounded ones, so that llama.cpp's quantizer finds them again.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize

from tinyagent.errors import InvalidRequest
from tinyagent.training.corpus import read_corpus
from tinyagent.training.fake_q4 import settle_in, simulate_in
from tinyagent.training.gguf_export import export, tensor_name
from tinyagent.training.gguf_network import PlannerNetwork
from tinyagent.training.gguf_rows import plan_rows
from tinyagent.training.gguf_run import load_run
from tinyagent.training.gguf_tokenizer import PlannerTokenizer
from tinyagent.training.gguf_train import Budget, Trainer, batches
from tinyagent.training.quantize import quantize_file
from tinyagent.training.rows import Row
from tinyagent.training.storage import cannot_write, prepare_file

RATE_SHARE = 0.2
"""Of the rates of the first training, since its end is where this one begins."""
_LOG_STEPS = 20


@dataclass(frozen=True)
class CompactResult:
    """Steps trained, and how many of the simulated matrices the file holds exactly."""

    steps: int
    exact: int
    checked: int


def train_compact(
    work: Path,
    data: Path,
    seconds: float,
    out: Path,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
    simulate: bool = True,
) -> CompactResult:
    """Train for `seconds` of processor time and write the Q4_0 file; the run in `work` stays as it is.

    Without `simulate` the same steps are trained with plain weights, for comparison. Raises
    ModelUnavailable for a damaged run, InvalidRequest for what cannot be carried out.
    """
    if not 0 < seconds < float("inf"):
        raise InvalidRequest(f"--seconds {seconds:g} leaves no time to train.", param="seconds")
    network, tokenizer = load_run(work)
    prepare_file(out, 2 * sum(item.nbytes for item in network.parameters()), "the planner")
    rows = read_corpus(data, report, needed="train").rows("train")
    torch.manual_seed(seed)
    random.seed(seed)
    budget = Budget(seconds, muon_rate=0.02 * RATE_SHARE, adam_rate=4e-3 * RATE_SHARE)
    trainer = Trainer(network, budget)
    if simulate:
        simulate_in(network.blk.modules())
    _train(trainer, tokenizer, rows, seed, report)
    settle_in(network.blk.modules())
    return _export(network, tokenizer, out, trainer.step)


def _train(
    trainer: Trainer,
    tokenizer: PlannerTokenizer,
    rows: Sequence[Row],
    seed: int,
    report: Callable[[str], None],
) -> None:
    budget = trainer.budget
    planning = batches(plan_rows(tokenizer, rows, random.Random(seed), lambda: 1.0), budget.tokens)
    losses: list[float] = []
    while trainer.elapsed < budget.seconds:
        losses.append(trainer.learn(next(planning))[0])
        if trainer.step % _LOG_STEPS == 0:
            mean = sum(losses) / len(losses)
            left = max(budget.seconds - trainer.elapsed, 0.0)
            report(f"step {trainer.step}  loss {mean:.3f}  {left:.0f} s left")
            losses = []


def _export(network: PlannerNetwork, tokenizer: PlannerTokenizer, out: Path, steps: int) -> CompactResult:
    try:
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".qat-") as folder:
            whole = Path(folder) / "whole.gguf"
            export(network, tokenizer, whole, "F32")
            quantize_file(whole, out, "q4_0")
    except OSError as error:
        raise cannot_write(out, error) from error
    exact, checked = count_exact(network, out)
    return CompactResult(steps, exact, checked)


def count_exact(network: PlannerNetwork, path: Path) -> tuple[int, int]:
    """Of the layers' matrices that the file holds as Q4_0, how many are the network's, bit by bit."""
    state = {tensor_name(name): weight for name, weight in network.state_dict().items()}
    checked = [
        tensor for tensor in GGUFReader(path).tensors
        if tensor.tensor_type == GGMLQuantizationType.Q4_0 and tensor.name.startswith("blk.")
    ]  # fmt: skip
    exact = sum(
        np.array_equal(dequantize(tensor.data, tensor.tensor_type), state[tensor.name].numpy())
        for tensor in checked
    )
    return exact, len(checked)
