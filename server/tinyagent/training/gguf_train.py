"""Train the small planner: `python -m tinyagent.training.gguf_train --data FOLDER --work FOLDER`.

First it reads ordinary English, where a file of it is given; then it learns to copy, on random tokens;
then to plan, on natural requests with other names and in pairs. It stops after the given seconds of
processor time and goes on from its checkpoint when started again.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from tinyagent.errors import InvalidRequest
from tinyagent.planners.compact import all_tags
from tinyagent.training.checkpoints import DAMAGE, foreign, restore, save_state
from tinyagent.training.corpus import read_corpus
from tinyagent.training.gguf_network import PlannerNetwork, Shape
from tinyagent.training.gguf_rows import TokenRow, copy_rows, english_rows, plan_rows, read_english, texts_of
from tinyagent.training.gguf_run import CHECKPOINT, PROGRAM, TOKENIZER, read_state, read_tokenizer
from tinyagent.training.gguf_tokenizer import PlannerTokenizer, train_tokenizer
from tinyagent.training.interrupts import InterruptFlag
from tinyagent.training.muon import Muon
from tinyagent.training.rows import Row
from tinyagent.training.script import run, tell
from tinyagent.training.storage import prepare_folder

Stage = Literal["english", "copying", "planning"]

CHECKPOINT_SECONDS = 120.0
LOG_SECONDS = 30.0
_RUN_BYTES = 100_000_000
"""Two checkpoints and the tokenizer."""
COPIED = 0.9
"""Share of right tokens at which copying is learnt."""


@dataclass(frozen=True)
class Budget:
    """Seconds of processor time, so that a busy machine cuts nothing short, and sizes of batches."""

    seconds: float
    english_seconds: float = 0.0
    """The first of them, spent on ordinary English."""
    copy_steps: int = 400
    """At most so many steps of copying; it ends when nine of ten tokens are right."""
    copy_tokens: int = 800
    tokens: int = 2500
    muon_rate: float = 0.02
    adam_rate: float = 4e-3


class Trainer:
    """Network, optimizers and how many seconds of processor time they were trained for."""

    def __init__(self, network: PlannerNetwork, budget: Budget) -> None:
        self.network, self.budget, self.elapsed, self.step = network, budget, 0.0, 0
        self.copied_from = 0
        self.stage: Stage = "english" if budget.english_seconds else "copying"
        hidden = [p for p in network.blk.parameters() if p.dim() == 2]
        others = [*network.token_embd.parameters(), *(p for p in network.parameters() if p.dim() == 1)]
        muon = Muon(hidden, lr=budget.muon_rate, weight_decay=0.02)
        adam = torch.optim.AdamW(others, lr=budget.adam_rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.optimizers: list[tuple[torch.optim.Optimizer, float]] = [
            (muon, budget.muon_rate), (adam, budget.adam_rate)
        ]  # fmt: skip

    def learn(self, rows: Sequence[TokenRow]) -> tuple[float, float]:
        """One step on these rows; loss and share of right tokens."""
        started = time.process_time()
        rate = self._rate()
        for optimizer, base in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = base * rate
            optimizer.zero_grad(set_to_none=True)
        loss, right = loss_of(self.network, rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer, _ in self.optimizers:
            optimizer.step()
        self.step += 1
        self.elapsed += time.process_time() - started
        return float(loss.detach()), right

    def _rate(self) -> float:
        left = 1 - self.elapsed / self.budget.seconds
        return min(1.0, (self.step + 1) / 20) * min(1.0, max(left, 0.0) / 0.6)

    def save(self, path: Path) -> None:
        """Write the checkpoint whole or not at all. Raises StorageFull or InvalidRequest."""
        state: dict[str, Any] = {
            "shape": asdict(self.network.shape),
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer, _ in self.optimizers],
            "elapsed": self.elapsed,
            "step": self.step,
            "stage": self.stage,
        }
        save_state(path, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises ModelUnavailable for one that is damaged or does not fit."""
        state = read_state(path)
        restore(self.network, state["network"], path, PROGRAM)
        try:
            for (optimizer, _), stored in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(stored)
            self.elapsed, self.step = float(state["elapsed"]), int(state["step"])
        except DAMAGE as error:
            raise foreign(path, "its optimizers do not fit", PROGRAM) from error
        if state["stage"] not in get_args(Stage):
            raise foreign(path, f"its stage is {state['stage']!r}", PROGRAM)
        self.stage = state["stage"]


def loss_of(network: PlannerNetwork, rows: Sequence[TokenRow]) -> tuple[Tensor, float]:
    """Mean cross-entropy of the plans' tokens given all before them, and the share guessed right."""
    longest = max(row.length for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    planned = torch.zeros(len(rows), longest, dtype=torch.bool)
    for index, row in enumerate(rows):
        start, end = len(row.prompt), row.length
        ids[index, :end] = torch.tensor([*row.prompt, *row.plan])
        planned[index, start:end] = True
    logits = network.logits(network(ids[:, :-1])[planned[:, 1:]])
    targets = ids[:, 1:][planned[:, 1:]]
    right = float((logits.argmax(-1) == targets).float().mean())
    return functional.cross_entropy(logits, targets), right


def batches(rows: Iterator[TokenRow], tokens: int, pool: int = 512) -> Iterator[list[TokenRow]]:
    """Batches of rows of similar length, together about `tokens` long."""
    while True:
        chunk = sorted((next(rows) for _ in range(pool)), key=lambda row: row.length)
        ready: list[list[TokenRow]] = []
        batch: list[TokenRow] = []
        for row in chunk:
            if batch and (len(batch) + 1) * row.length > tokens:
                ready.append(batch)
                batch = []
            batch.append(row)
        ready.append(batch)
        random.shuffle(ready)
        yield from ready


def next_stage(trainer: Trainer, right: float) -> Stage:
    """What to learn after a step in which this share of the tokens was right."""
    budget = trainer.budget
    if trainer.stage == "english" and trainer.elapsed >= budget.english_seconds:
        trainer.copied_from = trainer.step
        return "copying"
    copied = trainer.step - trainer.copied_from
    if trainer.stage == "copying" and (right >= COPIED or copied >= budget.copy_steps):
        return "planning"
    return trainer.stage


def train(
    trainer: Trainer,
    tokenizer: PlannerTokenizer,
    rows: Sequence[Row],
    english: Sequence[str],
    checkpoint: Path,
) -> None:
    """Train until the budget is used up, with a checkpoint every two minutes.

    Ctrl-C ends it with a checkpoint and KeyboardInterrupt.
    """
    budget, source = trainer.budget, random.Random(trainer.step)
    planning = plan_rows(tokenizer, rows, source, lambda: trainer.elapsed / budget.seconds)
    sources: dict[Stage, Iterator[list[TokenRow]]] = {
        "english": batches(english_rows(tokenizer, english, source), budget.tokens),
        "copying": batches(copy_rows(tokenizer, source), budget.copy_tokens),
        "planning": batches(planning, budget.tokens),
    }
    saved = logged = trainer.elapsed
    losses: list[tuple[float, float]] = []
    with InterruptFlag() as interrupt:
        while trainer.elapsed < budget.seconds and not interrupt.raised:
            losses.append(trainer.learn(next(sources[trainer.stage])))
            trainer.stage = next_stage(trainer, losses[-1][1])
            if trainer.elapsed - logged > LOG_SECONDS:
                _log(trainer, losses)
                logged, losses = trainer.elapsed, []
            if trainer.elapsed - saved > CHECKPOINT_SECONDS:
                trainer.save(checkpoint)
                saved = trainer.elapsed
        trainer.save(checkpoint)
    if interrupt.raised:
        tell(f"{checkpoint} holds what was learnt; the same command goes on with it.")
        raise KeyboardInterrupt


def _log(trainer: Trainer, losses: Sequence[tuple[float, float]]) -> None:
    loss, right = (sum(values) / len(losses) for values in zip(*losses, strict=True))
    place = f"{trainer.elapsed:6.0f} s  step {trainer.step}  {trainer.stage}"
    print(f"{place}  loss {loss:.3f}  right {right:.3f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train. Raises a TinyAgentError with what to do for what cannot be done."""
    options = _arguments(arguments)
    _check_numbers(options)
    prepare_folder(options.work, _RUN_BYTES, "the training")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    english = read_english(options.english) if options.english else []
    trainer = Trainer(
        PlannerNetwork(Shape()), Budget(options.seconds, options.english_seconds if english else 0.0)
    )
    checkpoint, stored = options.work / CHECKPOINT, options.work / TOKENIZER
    if checkpoint.exists():
        trainer.resume(checkpoint)
        read_tokenizer(stored, Shape().vocabulary)
    if trainer.elapsed >= options.seconds:
        print(f"{checkpoint} has been trained for {trainer.elapsed:.0f} s already: --seconds are over.")
        return
    rows = read_corpus(options.data, tell, needed="train").rows("train")
    if not stored.exists():
        texts = [*texts_of(rows), *english[:: len(english) // 4000 + 1]]
        train_tokenizer(texts, all_tags(), Shape().vocabulary).save(stored)
    tokenizer = read_tokenizer(stored, Shape().vocabulary)
    next(plan_rows(tokenizer, rows, random.Random(0), lambda: 1.0))  # there is one, or it says so now
    train(trainer, tokenizer, rows, english, checkpoint)


def _check_numbers(options: argparse.Namespace) -> None:
    """Raises InvalidRequest for a number that makes no training."""
    for name, least, most in (("seconds", 0.0, 1e9), ("english_seconds", -1e-9, 1e9), ("threads", 0, 1024)):
        value = getattr(options, name)
        if not least < value <= most:
            raise InvalidRequest(
                f"--{name.replace('_', '-')} {value:g} makes no training.", hint="Give another number."
            )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the small GGUF planner.")
    parser.add_argument("--data", type=Path, required=True, help="folder of requests (natural/, written/)")
    parser.add_argument("--work", type=Path, required=True, help="folder for tokenizer and checkpoint")
    parser.add_argument(
        "--english", type=Path, help="ordinary English to begin with, paragraphs apart by a blank line (.xz)"
    )
    parser.add_argument("--english-seconds", type=float, default=600.0)
    parser.add_argument("--seconds", type=float, default=1800.0, help="seconds of processor time")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))
