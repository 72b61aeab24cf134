"""Train `nano`: `python -m tinyagent.training.train_nano --data DIR --out FILE --minutes 60`.

The schedule goes by the clock: the rates fall to zero when the minutes are over, on whatever machine.
An interrupted training goes on from its checkpoint when the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tinyagent.errors import InvalidRequest
from tinyagent.toolrag.files import load_tokenizer
from tinyagent.training.checkpoints import DAMAGE, foreign, load_state, restore, save_state
from tinyagent.training.corpus import read_corpus
from tinyagent.training.examples import MAX_PIECES, Encoder, Example, vocabulary
from tinyagent.training.interrupts import InterruptFlag
from tinyagent.training.labelled import read_labelled
from tinyagent.training.network import FLOOR, PlanNetwork, Shape
from tinyagent.training.pretrained import pretrained_encoder, pretrained_folder
from tinyagent.training.rows import Row
from tinyagent.training.sampling import Batch, Sampler
from tinyagent.training.script import run, tell
from tinyagent.training.storage import prepare_file

ENCODER_RATE = 1.2e-4
DECODER_RATE = 8e-4
WARM_UP_STEPS = 150
DECAY_SHARE = 0.7
"""The rates fall during this last part of the time."""
CLASSIFIER_WEIGHT = 0.3
MASKED_SHARE = 0.03
_MASK, _LAST_MARK = 103, 999
"""MiniLM's mask, and the last of its marks and unused pieces."""
CHECKPOINT_SECONDS = 300.0
DEV_ROWS = 120
_CHECKPOINT_BYTES = 500_000_000
"""A checkpoint with the one that it replaces."""
_KEYS = ("network", "optimizer", "symbols", "shape", "elapsed", "step", "seen")
_PROGRAM = "python -m tinyagent.training.train_nano"


def plan_loss(network: PlanNetwork, batch: Batch, states: Tensor) -> Tensor:
    """Mean negative log-likelihood of a plan's symbols, over all ways to copy or write each."""
    words = network.word_states(states, batch.first, batch.last)
    symbols, copied = network.decode(
        batch.fed_symbols, batch.fed_words, words, batch.words, network.remember(states), batch.mask.bool()
    )
    written = symbols.gather(-1, batch.targets.clamp(min=0)[..., None])[..., 0]
    written = written.masked_fill(batch.targets < 0, FLOOR)
    pointed = torch.logsumexp(copied.masked_fill(~batch.copies, FLOOR), -1)
    likelihood = torch.logaddexp(written, pointed)[batch.steps]
    return -likelihood[likelihood > FLOOR / 2].mean()


def tool_loss(network: PlanNetwork, batch: Batch, states: Tensor) -> Tensor:
    """Cross entropy of the tools' counts; where only alternatives are known, that one of them is needed."""
    scores = network.counts(states, batch.mask).float()
    known = batch.counts >= 0
    loss = F.cross_entropy(scores[known], batch.counts[known], reduction="sum")
    partial = batch.one_of.any(1)
    if partial.any():
        unused = F.log_softmax(scores, -1)[..., 0].masked_fill(~batch.one_of, 0.0).sum(1)[partial]
        loss = loss - torch.log1p(-unused.exp().clamp(max=1 - 1e-6)).sum()
    return loss / len(batch.counts)


def hidden(pieces: Tensor) -> Tensor:
    """The wordpieces with a few of them masked, so that no single word decides a plan."""
    masked = (torch.rand(pieces.shape, device=pieces.device) < MASKED_SHARE) & (pieces > _LAST_MARK)
    return pieces.masked_fill(masked, _MASK)


def losses(network: PlanNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    """Loss of the plan (zero for rows without one) and of the tools."""
    states = network.encode(hidden(batch.pieces) if network.training else batch.pieces, batch.mask)
    tools = tool_loss(network, batch, states)
    plan = plan_loss(network, batch, states) if batch.targets.shape[1] else torch.zeros(())
    return plan, tools


def read_state(path: Path) -> dict[str, Any]:
    """A checkpoint of such a training. Raises ModelUnavailable for any other file."""
    state = load_state(path, _KEYS, _PROGRAM)
    symbols, shape = state["symbols"], state["shape"]
    if not isinstance(symbols, list) or not isinstance(shape, dict):
        raise foreign(path, "its symbols or its shape are of another form", _PROGRAM)
    wanted = asdict(Shape(len(symbols)))
    differs = [name for name in sorted(wanted) if name != "dropout" and shape.get(name) != wanted[name]]
    if differs:
        raise foreign(path, f"its network has another shape ({', '.join(differs)})", _PROGRAM)
    return state


def build_network(symbols: Sequence[str], folder: Path) -> PlanNetwork:
    return PlanNetwork(pretrained_encoder(folder), Shape(len(symbols)))


def network_of(path: Path, folder: Path) -> tuple[PlanNetwork, list[str]]:
    """The network of a checkpoint with its symbols. Raises ModelUnavailable."""
    state = read_state(path)
    network = build_network(state["symbols"], folder)
    restore(network, state["network"], path, _PROGRAM)
    return network, state["symbols"]


class Trainer:
    """One training with its clock, its log and its checkpoints."""

    def __init__(
        self, network: PlanNetwork, symbols: Sequence[str], out: Path, seconds: float, rate: float = 1.0
    ) -> None:
        self.network = network
        self.symbols = list(symbols)
        self.out = out
        self.seconds = seconds
        self.rate = rate
        encoder = [item for item in network.encoder.parameters() if item.requires_grad]
        own = {id(item) for item in network.encoder.parameters()}
        decoder = [item for item in network.parameters() if id(item) not in own]
        self.optimizer = torch.optim.AdamW(
            [{"params": encoder, "lr": ENCODER_RATE}, {"params": decoder, "lr": DECODER_RATE}],
            betas=(0.9, 0.98), weight_decay=0.01, fused=True,
        )  # fmt: skip
        self.elapsed = 0.0
        self.step = 0
        self.seen = 0

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint. Raises ModelUnavailable where it does not fit."""
        restore(self.network, state["network"], self.out, _PROGRAM)
        try:
            self.optimizer.load_state_dict(state["optimizer"])
            self.elapsed = float(state["elapsed"])
            self.step, self.seen = int(state["step"]), int(state["seen"])
        except DAMAGE as error:
            raise foreign(self.out, "its optimizer does not fit", _PROGRAM) from error

    def save(self) -> None:
        """Write the checkpoint whole or not at all. Raises StorageFull or InvalidRequest."""
        state = {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
            "symbols": self.symbols, "shape": asdict(self.network.shape),
            "elapsed": self.elapsed, "step": self.step, "seen": self.seen,
        }  # fmt: skip
        save_state(self.out, state)

    def _set_rates(self) -> None:
        left = 1 - self.elapsed / self.seconds
        scale = min(1.0, (self.step + 1) / WARM_UP_STEPS, left / DECAY_SHARE)
        for group, rate in zip(self.optimizer.param_groups, (ENCODER_RATE, DECODER_RATE), strict=True):
            group["lr"] = rate * self.rate * max(scale, 0.0)

    def train_batch(self, batch: Batch) -> tuple[float, float]:
        """One step; the losses before it."""
        self._set_rates()
        plan, tools = losses(self.network, batch)
        self.optimizer.zero_grad(set_to_none=True)
        (plan + CLASSIFIER_WEIGHT * tools).backward()  # pyright: ignore[reportUnknownMemberType]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()  # pyright: ignore[reportUnknownMemberType]
        self.step += 1
        self.seen += len(batch.counts)
        return plan.item(), tools.item()

    def run(self, sampler: Sampler, dev: Sequence[Sequence[Example]]) -> None:
        """Train until the time is over. Ctrl-C ends it with a checkpoint and KeyboardInterrupt."""
        if self.elapsed >= self.seconds:
            print(f"{self.out} has been trained for {self.elapsed:.0f} s already: --minutes are over.")
            return
        started = time.monotonic() - self.elapsed
        saved = self.elapsed
        sums, count = [0.0, 0.0], 0
        with InterruptFlag() as interrupt:
            for examples in sampler.batches():
                for index, value in enumerate(self.train_batch(Batch.of(examples))):
                    sums[index] += value
                count += 1
                self.elapsed = time.monotonic() - started
                over = self.elapsed >= self.seconds or interrupt.raised
                if over or self.elapsed - saved > min(CHECKPOINT_SECONDS, self.seconds / 4):
                    self._report(sums[0] / count, sums[1] / count, dev)
                    self.save()
                    sums, count, saved = [0.0, 0.0], 0, self.elapsed
                if over:
                    break
        if interrupt.raised:
            tell(f"{self.out} holds what was learnt; the same command goes on with it.")
            raise KeyboardInterrupt

    def _report(self, plan: float, tools: float, dev: Sequence[Sequence[Example]]) -> None:
        self.network.eval()
        with torch.no_grad():
            held = [losses(self.network, Batch.of(examples)) for examples in dev]
        self.network.train()
        apart = [sum(float(pair[index]) for pair in held) / max(1, len(held)) for index in (0, 1)]
        print(
            f"{self.elapsed:6.0f} s, step {self.step}, rows {self.seen}: plan {plan:.3f}, tools {tools:.3f};"
            f" dev plan {apart[0]:.3f}, tools {apart[1]:.3f}",
            flush=True,
        )


def start_from(state: dict[str, Any], network: PlanNetwork, known: int, path: Path) -> None:
    """Take over the weights of another training, whose first `known` symbols are this one's, too.

    Raises ModelUnavailable where they do not fit.
    """
    weights = state["network"]
    try:
        for name in ("symbols.weight", "bias"):
            grown = network.state_dict()[name].clone()
            grown[:known] = weights[name]
            weights[name] = grown
    except DAMAGE as error:
        raise foreign(path, "its symbols do not fit its weights", _PROGRAM) from error
    restore(network, weights, path, _PROGRAM)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train. Raises a TinyAgentError with what to do for what cannot be done."""
    options = _arguments(arguments)
    _check_numbers(options)
    prepare_file(options.out, _CHECKPOINT_BYTES, "a checkpoint with the one before it")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)  # pyright: ignore[reportUnknownMemberType]
    state = read_state(options.out) if options.out.exists() else None
    start = read_state(options.start) if options.start else None
    corpus = read_corpus(options.data, tell, needed="train")
    train, dev = corpus.rows("train"), corpus.rows("dev")
    known: list[str] = (start or {"symbols": []})["symbols"]
    symbols: list[str] = state["symbols"] if state else list(dict.fromkeys([*known, *vocabulary(train)]))
    folder = pretrained_folder()
    network = build_network(symbols, folder)
    trainer = Trainer(network, symbols, options.out, options.minutes * 60, options.rate)
    if state:
        trainer.resume(state)
    elif start:
        start_from(start, network, len(known), options.start)
    encoder = Encoder(load_tokenizer(folder / "tokenizer.json", MAX_PIECES), symbols)
    labelled = read_labelled(options.labelled, tell) if options.labelled else []
    check_usable(train, encoder, options.data)
    sampler = Sampler(train, labelled, encoder, seed=options.seed + trainer.step)
    examples = [example for row in dev[::2] if (example := encoder.example(row))]
    examples = sorted(examples[:DEV_ROWS], key=lambda item: item.length)
    print(f"{len(train)} rows, {len(examples)} kept aside, {len(symbols)} symbols", flush=True)
    trainer.network.train()
    trainer.run(sampler, [examples[start : start + 16] for start in range(0, len(examples), 16)])


def check_usable(rows: Sequence[Row], encoder: Encoder, data: Path) -> None:
    """Raises InvalidRequest when every row is too long for the network: it would wait for one for ever."""
    if not any(encoder.example(row) for row in rows):
        raise InvalidRequest(
            f"None of the requests in {data} fits into the network's window.",
            hint=f"Give requests of less than {MAX_PIECES} wordpieces.",
        )


def _check_numbers(options: argparse.Namespace) -> None:
    """Raises InvalidRequest for a number that makes no training."""
    for name, least, most in (("minutes", 0.0, 1e6), ("rate", 0.0, 100.0), ("threads", 0, 1024)):
        value = getattr(options, name)
        if not least < value <= most:
            raise InvalidRequest(f"--{name} {value:g} makes no training.", hint=f"Give one above {least:g}.")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of requests (natural/, written/)")
    parser.add_argument("--labelled", type=Path, help="real requests with acceptable tools (JSONL)")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write, and to go on from")
    parser.add_argument("--start", type=Path, help="checkpoint of another training to begin with")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the learning rates")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))
