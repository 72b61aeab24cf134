"""The training itself: epochs of steps on adapters, with checkpoints from which it goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from tinyagent.errors import StorageFull
from tinyagent.training.finetune.adapters import adapter_state, mixed_precision, restore_adapter
from tinyagent.training.finetune.checkpoint import (
    Position,
    load_checkpoint,
    restore_random,
    save_checkpoint,
)
from tinyagent.training.finetune.prompting import RowMaker, steps_of
from tinyagent.training.finetune.settings import FinetuneSettings
from tinyagent.training.finetune.validation import Validation, plan_loss, validate
from tinyagent.training.gguf_rows import TokenRow
from tinyagent.training.interrupts import InterruptFlag
from tinyagent.training.jsonl import numbered_lines, object_of
from tinyagent.training.rows import Request
from tinyagent.training.storage import cannot_write, whole_file, write_whole

WARM_UP = 0.03
"""Share of all steps in which the rate rises; from there it falls to zero in a straight line."""
CLIP = 1.0
DEV_EPOCH = -1
"""The epoch by which development rows are drawn: always the same."""


@dataclass(frozen=True)
class Progress:
    """How far a training is. `loss` is the step's mean for a plan token; `seconds_left` an estimate."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    tokens_per_second: float
    seconds_left: float


class Training:
    """One run over its requests; everything that it needs to go on is in its checkpoint."""

    def __init__(
        self,
        settings: FinetuneSettings,
        model: Any,
        rows: RowMaker,
        train: Sequence[Request],
        dev: Sequence[Request],
        device: str,
        report: Callable[[Progress], None],
    ) -> None:
        self.settings, self.model, self.rows, self.device = settings, model, rows, device
        self._train, self._dev, self._report = train, dev, report
        self.position = Position()
        self._size = settings.batch * settings.accumulate
        self._steps = -(-len(train) // self._size)
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        self._weights = trained
        self._optimizer = torch.optim.AdamW(trained, lr=settings.rate, weight_decay=0.0)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._rate)
        self._saved = self._began = time.monotonic()
        self._begun_at, self._tokens = 0, 0

    @property
    def steps(self) -> int:
        """Steps of all epochs."""
        return self._steps * self.settings.epochs

    @property
    def checkpoint(self) -> Path:
        return self.settings.out / "checkpoint.pt"

    @property
    def best_adapter(self) -> Path:
        return self.settings.out / "adapter.safetensors"

    def _rate(self, step: int) -> float:
        rising = max(1, round(self.steps * WARM_UP))
        falling = (self.steps - step) / max(1, self.steps - rising)
        return max(0.0, min((step + 1) / rising, falling))

    # --- going on ---

    def resume(self) -> None:
        """Take up the checkpoint. Raises ModelUnavailable or InvalidRequest; see `load_checkpoint`."""
        state = load_checkpoint(self.checkpoint, self.settings.recipe())
        restore_adapter(self.model, state["adapter"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.position = state["position"]
        self._begun_at = self.position.total
        self._forget_later_entries()
        restore_random(state)

    def _forget_later_entries(self) -> None:
        """Leave out of the log what was done after the checkpoint: it is done again."""
        log = self.settings.out / "log.jsonl"
        if not log.is_file():
            return
        position, kept = self.position, []
        for _, line in numbered_lines(log):
            kept += [line.strip()] if _is_past(line, position) else []
        write_whole(log, "".join(f"{line}\n" for line in kept))

    def save(self) -> None:
        states = {"optimizer": self._optimizer.state_dict(), "schedule": self._schedule.state_dict()}
        adapter = adapter_state(self.model)
        save_checkpoint(self.checkpoint, self.settings.recipe(), self.position, adapter, states)
        self._saved = time.monotonic()

    # --- the work ---

    def run(self) -> None:
        """Train all epochs that are left. Ctrl-C ends it with a checkpoint and KeyboardInterrupt."""
        self.model.train()
        with InterruptFlag() as interrupt:
            while self.position.epoch < self.settings.epochs:
                self._epoch(interrupt)
                self._end_epoch(interrupt)

    def _epoch(self, interrupt: InterruptFlag) -> None:
        position = self.position
        steps = steps_of(self._train, position.epoch, self.settings.seed, self._size)
        for requests in steps[position.step :]:
            loss = self._step(requests)
            position.step += 1
            position.total += 1
            progress = self._progress(loss)
            self._report(progress)
            self._log({"kind": "step", **asdict(progress), "rate": self._schedule.get_last_lr()[0]})
            self._stop_if(interrupt)
            if time.monotonic() - self._saved > self.settings.checkpoint_minutes * 60:
                self.save()

    def _stop_if(self, interrupt: InterruptFlag) -> None:
        if interrupt.raised:
            self.save()
            raise KeyboardInterrupt

    def _step(self, requests: Sequence[Request]) -> float:
        """One update from these requests, a batch at a time; the mean loss of a plan token."""
        made = [self.rows.row(request, self.position.epoch) for request in requests]
        rows = sorted((row for row in made if row is not None), key=lambda row: row.length)
        self.position.left_out += len(requests) - len(rows)
        tokens = sum(len(row.plan) for row in rows)
        total = 0.0
        self._optimizer.zero_grad(set_to_none=True)
        for start in range(0, len(rows), self.settings.batch):
            with mixed_precision(self.device):
                loss, _ = plan_loss(self.model, rows[start : start + self.settings.batch], self.device)
            (loss / tokens).backward()
            total += float(loss.detach())
        if rows:
            torch.nn.utils.clip_grad_norm_(self._weights, CLIP)
            self._optimizer.step()
        self._schedule.step()
        self._tokens += sum(row.length for row in rows)
        return total / max(tokens, 1)

    def _progress(self, loss: float) -> Progress:
        seconds = max(time.monotonic() - self._began, 1e-6)
        done = self.position.total - self._begun_at
        left = (self.steps - self.position.total) * seconds / done
        epochs = self.settings.epochs
        return Progress(
            self.position.epoch + 1, epochs, self.position.total, self.steps, loss,
            self._tokens / seconds, left,
        )  # fmt: skip

    # --- the end of an epoch ---

    def _end_epoch(self, interrupt: InterruptFlag) -> None:
        """Validate, keep the adapter if it is the best so far, and write the checkpoint."""
        position = self.position
        state = adapter_state(self.model)
        result = self._validate(interrupt)
        self._stop_if(interrupt)  # the epoch's steps are done; its validation is repeated on going on
        figures = {"epoch": position.epoch + 1, "loss": result.loss, "success": result.success,
                   "requests": result.requests}  # fmt: skip
        best = position.best
        if best is None or result.rank > ((best["success"] or 0.0), -best["loss"]) or not result.requests:
            self._keep_best(state)
            position.best = figures
        position.history.append(figures)
        position.epoch, position.step = position.epoch + 1, 0
        self._log({"kind": "validation", **figures})
        self.save()

    def _keep_best(self, state: dict[str, Tensor]) -> None:
        with whole_file(self.best_adapter) as partial:
            try:
                save_file(state, partial)
            except SafetensorError as error:  # so it tells that it could not write on
                raise StorageFull(
                    f"{self.best_adapter} cannot be written.",
                    hint="Free some space, then go on with the same command and --resume.",
                ) from error

    def _validate(self, interrupt: InterruptFlag) -> Validation:
        made = [(request, self.rows.row(request, DEV_EPOCH)) for request in self._dev]
        kept = [(request.plan, row) for request, row in made if row is not None]
        rows: list[TokenRow] = [row for _, row in kept]
        plans = [plan for plan, _ in kept]
        return validate(self.model, self.rows.model, rows, plans, self.device, lambda: interrupt.raised)

    def _log(self, entry: dict[str, Any]) -> None:
        log = self.settings.out / "log.jsonl"
        try:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise cannot_write(log, error) from error


def _is_past(line: str, position: Position) -> bool:
    """Whether an entry of the log is of work that the position holds; a line that broke off is of none."""
    try:
        entry = object_of(line)
        return bool(entry["step"] <= position.total if "step" in entry else entry["epoch"] <= position.epoch)
    except (ValueError, KeyError, TypeError):
        return False
