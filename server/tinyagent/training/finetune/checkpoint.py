"""The state of a fine-tuning on disk: enough to go on as though nothing had happened."""

from __future__ import annotations

import pickle
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tinyagent.errors import InvalidRequest, ModelUnavailable

DAMAGE = (OSError, RuntimeError, EOFError, LookupError, TypeError, ValueError, pickle.UnpicklingError)
"""What reading a damaged file can raise."""


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
    temporary = path.with_name(path.name + ".part")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of the same recipe, its Position under "position".

    Raises ModelUnavailable for a damaged file, InvalidRequest for one of another recipe.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        stored, position = state["recipe"], Position(**state["position"])
    except DAMAGE as error:
        raise ModelUnavailable(
            f"The checkpoint {path} is damaged.",
            hint="Delete it and start again without --resume.",
        ) from error
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
