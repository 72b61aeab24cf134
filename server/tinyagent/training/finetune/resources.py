"""How much memory and disk a fine-tuning needs, found out before it starts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch

from tinyagent.errors import InvalidRequest
from tinyagent.training.finetune.base import Base
from tinyagent.training.finetune.settings import FinetuneSettings
from tinyagent.training.storage import readable_size

_RESERVE = 0.9
"""Share of the free memory that a run may plan with."""
_PLAN_TOKENS = 160
"""Of a long plan: only there are scores for the whole vocabulary computed."""
_SMALL = 300_000_000
"""Parameters; below, activations are kept rather than computed twice."""
_OVERHEAD = 400e6
"""Bytes of libraries, embeddings of requests and batches."""


@dataclass(frozen=True)
class Machine:
    """Where training runs: `cuda`, `mps` or `cpu`, and the free bytes there, in main memory and on disk."""

    device: str
    device_free: int
    memory_free: int
    disk_free: int

    @property
    def dtype(self) -> torch.dtype:
        """Of the frozen weights."""
        return torch.bfloat16 if self.device == "cuda" else torch.float32


def this_machine(settings: FinetuneSettings) -> Machine:
    """What is free here and now."""
    free = int(psutil.virtual_memory().available)
    folder = next(path for path in (settings.out, *settings.out.absolute().parents) if path.is_dir())
    disk = shutil.disk_usage(folder).free
    if torch.cuda.is_available():
        return Machine("cuda", int(torch.cuda.mem_get_info()[0]), free, disk)
    mps: Any = torch.backends.mps
    return Machine("mps" if mps.is_available() else "cpu", free, free, disk)


@dataclass(frozen=True)
class Needs:
    """Bytes for training, for merging and exporting afterwards (in main memory), and on disk."""

    training: int
    exporting: int
    disk: int
    checkpointing: bool
    """Whether activations are computed twice to save memory."""


def needs_of(base: Base, settings: FinetuneSettings, machine: Machine) -> Needs:
    """An estimate, rather too high than too low."""
    adapters = base.layers * sum((a + b) * settings.rank for a, b in base.linear_shapes.values())
    size = 2 if machine.dtype == torch.bfloat16 else 4
    kept = base.parameters * size + adapters * 16 + _OVERHEAD
    plain = _activations(base, settings, size, checkpointing=False)
    saving = _activations(base, settings, size, checkpointing=True)
    checkpointing = base.parameters > _SMALL or kept + plain > machine.device_free * _RESERVE
    return Needs(
        training=int(kept + (saving if checkpointing else plain)),
        exporting=int(max(base.stored_bytes, base.parameters * 4) * 1.2 + _OVERHEAD),
        disk=int(base.parameters * (2 + 2 + 1.07 + 0.6) + adapters * 4 * 8),
        checkpointing=checkpointing,
    )


def _activations(base: Base, settings: FinetuneSettings, size: int, checkpointing: bool) -> float:
    tokens = settings.batch * settings.max_tokens
    layer = tokens * (14 * base.width + 4 * base.feed_forward) * size
    largest = max(a * b for a, b in base.linear_shapes.values())
    if settings.qat:  # simulated weights live as long as activations do
        layer += sum(a * b for a, b in base.linear_shapes.values()) * size
    scores = settings.batch * _PLAN_TOKENS * base.vocabulary * 12
    working = largest * 12 if settings.qat else 0
    layers = tokens * base.width * size * base.layers + layer if checkpointing else layer * base.layers
    return layers + scores + working


def check_resources(base: Base, settings: FinetuneSettings, machine: Machine) -> Needs:
    """The needs, when they can be met. Raises InvalidRequest with the numbers and what would help."""
    needs = needs_of(base, settings, machine)
    place = "GPU memory" if machine.device == "cuda" else "memory"
    if needs.training > machine.device_free * _RESERVE:
        raise InvalidRequest(
            f"Fine-tuning {base.folder.name} ({base.parameters / 1e9:.2f}B parameters) needs about "
            f"{readable_size(needs.training)} of {place} with --batch {settings.batch} --max-tokens "
            f"{settings.max_tokens}; {readable_size(machine.device_free)} are free.",
            hint=_smaller(base, settings, machine),
        )
    if needs.exporting > machine.memory_free * _RESERVE:
        raise InvalidRequest(
            f"Merging and exporting {base.folder.name} needs about {readable_size(needs.exporting)} of "
            f"memory; {readable_size(machine.memory_free)} are free.",
            hint="Close other programs, or use a machine with more memory.",
        )
    if needs.disk > machine.disk_free * _RESERVE:
        raise InvalidRequest(
            f"Checkpoints, the merged model and its GGUF files need about {readable_size(needs.disk)} of "
            f"disk; {readable_size(machine.disk_free)} are free at {settings.out}.",
            hint="Free some space, or give a folder on another disk with --out.",
        )
    return needs


def _smaller(base: Base, settings: FinetuneSettings, machine: Machine) -> str:
    """The largest batch and prompt that would fit, in words."""
    for tokens in (
        size for size in dict.fromkeys([settings.max_tokens, 1024, 512]) if size <= settings.max_tokens
    ):
        batch = settings.batch
        while batch:
            smaller = replace(settings, batch=batch, max_tokens=tokens)
            if needs_of(base, smaller, machine).training <= machine.device_free * _RESERVE:
                factor = -(-settings.batch * settings.accumulate // batch)
                return f"--batch {batch} --accumulate {factor} --max-tokens {tokens} would fit."
            batch //= 2
    return "Not even --batch 1 --max-tokens 512 would fit: use a smaller base or a larger machine."
