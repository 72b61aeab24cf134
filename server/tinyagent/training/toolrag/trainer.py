"""The training of a classifier: its clock, its rates, its checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tinyagent.errors import ModelUnavailable
from tinyagent.training.checkpoints import DAMAGE, foreign, load_state, restore, save_state
from tinyagent.training.examples import Example
from tinyagent.training.interrupts import InterruptFlag
from tinyagent.training.sampling import Batch
from tinyagent.training.toolrag.network import ToolClassifier, tool_loss

HEAD_FACTOR = 8.0
"""The head starts from nothing and learns so much faster than the encoder."""
WARM_UP_SHARE = 0.05
WEIGHT_DECAY = 0.01
CHECKPOINT_SECONDS = 300.0
_KEYS = ("base", "network", "optimizer", "elapsed", "step", "seen")
_PROGRAM = "tinyagent train toolrag"


@dataclass(frozen=True)
class Course:
    """How long a training goes on: so many seconds, or so many examples."""

    seconds: float | None
    examples: int | None

    def done(self, elapsed: float, seen: int) -> float:
        """The share that is behind, 1 at the end."""
        if self.seconds is not None:
            return min(1.0, elapsed / self.seconds)
        return min(1.0, seen / max(1, self.examples or 0))


class Trainer:
    """One training; `digest` says which base it started from."""

    def __init__(
        self, network: ToolClassifier, digest: str, checkpoint: Path, course: Course, rate: float
    ) -> None:
        self.network, self.checkpoint = network, checkpoint
        self.elapsed, self.step, self.seen = 0.0, 0, 0
        self._digest, self._course, self._rate = digest, course, rate
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network.to(self._device)
        learning = [item for item in network.encoder.parameters() if item.requires_grad]
        self._optimizer = torch.optim.AdamW(
            [{"params": learning}, {"params": list(network.head.parameters())}],
            betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY,
        )  # fmt: skip

    @property
    def finished(self) -> bool:
        return self._course.done(self.elapsed, self.seen) >= 1

    def resume(self) -> None:
        """Go on from the checkpoint. Raises ModelUnavailable when it is damaged or of another base."""
        state = load_state(self.checkpoint, _KEYS, _PROGRAM)
        if state["base"] != self._digest:
            raise ModelUnavailable(
                f"{self.checkpoint} belongs to a training that started from another encoder.",
                hint="Give that encoder with --base, or train into another folder.",
            )
        restore(self.network, state["network"], self.checkpoint, _PROGRAM)
        try:
            self._optimizer.load_state_dict(state["optimizer"])
            self.elapsed = float(state["elapsed"])
            self.step, self.seen = int(state["step"]), int(state["seen"])
        except DAMAGE as error:
            raise foreign(self.checkpoint, "its optimizer does not fit", _PROGRAM) from error

    def save(self) -> None:
        """Write the checkpoint whole or not at all. Raises StorageFull or InvalidRequest."""
        state = {
            "base": self._digest, "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "elapsed": self.elapsed, "step": self.step, "seen": self.seen,
        }  # fmt: skip
        save_state(self.checkpoint, state)

    def run(
        self,
        batches: Iterable[Sequence[Example]],
        dev: Sequence[Sequence[Example]],
        tell: Callable[[str], None],
    ) -> None:
        """Train to the end of the course; what was learnt is saved now and then, and when interrupted."""
        if self.finished:
            return
        started, saved = time.monotonic() - self.elapsed, self.elapsed
        losses: list[float] = []
        self.network.train()
        with InterruptFlag() as interrupt:
            for examples in batches:
                losses.append(self.learn(examples))
                self.elapsed = time.monotonic() - started
                over = self.finished or interrupt.raised
                if over or self.elapsed - saved > self._pause():
                    tell(self._report(losses, dev))
                    self.save()
                    losses, saved = [], self.elapsed
                if over:
                    break
        if interrupt.raised:
            raise KeyboardInterrupt

    def _pause(self) -> float:
        """Seconds between two checkpoints."""
        return min(CHECKPOINT_SECONDS, (self._course.seconds or CHECKPOINT_SECONDS * 4) / 4)

    def learn(self, examples: Sequence[Example]) -> float:
        """One step; the loss before it."""
        done = self._course.done(self.elapsed, self.seen)
        scale = min(done / WARM_UP_SHARE, 1 - done)
        for group, factor in zip(self._optimizer.param_groups, (1.0, HEAD_FACTOR), strict=True):
            group["lr"] = self._rate * factor * scale
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(examples)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        self.step += 1
        self.seen += len(examples)
        return loss.item()

    def _loss(self, examples: Sequence[Example]) -> Tensor:
        batch = Batch.of(examples)
        with self._precision():
            logits = self.network(batch.pieces.to(self._device), batch.mask.to(self._device))
        return tool_loss(logits, batch.counts.to(self._device), batch.one_of.to(self._device))

    def _precision(self) -> AbstractContextManager[object]:
        """Half precision on a GPU; processors without such instructions only lose time with it."""
        if self._device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def _report(self, losses: Sequence[float], dev: Sequence[Sequence[Example]]) -> str:
        self.network.eval()
        with torch.inference_mode():
            held = [float(self._loss(examples)) for examples in dev]
        self.network.train()
        apart = f", {sum(held) / len(held):.3f} on requests kept aside" if held else ""
        return (
            f"{self.elapsed:6.0f} s, step {self.step}, {self.seen} requests:"
            f" loss {sum(losses) / len(losses):.3f}{apart}"
        )
