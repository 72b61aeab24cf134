"""The state of a fine-tuning on disk: enough to go on as though nothing had happened."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tinyagent.errors import InvalidRequest
from tinyagent.training.checkpoints import DAMAGE, foreign, load_state, save_state

_PROGRAM = "tinyagent train planner"


@dataclass
class Position:
    """Where a run stands: steps done in this epoch and in all, requests left out, what was best so far."""

    epoch: int = 0
    step: int = 0
    total: int = 0
    left_out: int = 0
    best: dict[str, Any] | None = None
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def save_checkpoint(
    path: Path, recipe: dict[str, Any], position: Position, adapter: dict[str, Tensor], states: dict[str, Any]
) -> None:
    """Write a checkpoint whole or not at all; `states` are those of optimizer and scheduler."""
    state = {
        "recipe": recipe,
        "position": vars(position),
        "adapter": adapter,
        **states,
        "random": torch.get_rng_state(),
        "device_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    save_state(path, state)


def load_checkpoint(path: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of the same recipe, its Position under "position".

    Raises ModelUnavailable for a damaged or foreign file, InvalidRequest for one of another recipe.
    """
    state = load_state(path, ("recipe", "position", "adapter", "optimizer", "schedule", "random"), _PROGRAM)
    try:
        stored: dict[str, Any] = dict(state["recipe"])
        position = Position(**state["position"])
    except DAMAGE as error:
        raise foreign(path, "its recipe or its position are of another form", _PROGRAM) from error
    changed = sorted(name for name in {*stored, *recipe} if stored.get(name) != recipe.get(name))
    if changed:
        raise InvalidRequest(
            f"The run in {path.parent} was started with other values of {', '.join(changed)}.",
            hint="Give the same options as then, or another folder with --out.",
        )
    return {**state, "position": position}


def restore_random(state: dict[str, Any]) -> None:
    """Give the random generators the state that they had when the checkpoint was written."""
    torch.set_rng_state(state["random"])
    if state["device_random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["device_random"])


def seed_all(seed: int) -> None:
    """Begin every random generator from one number."""
    random.seed(seed)
    torch.manual_seed(seed)
