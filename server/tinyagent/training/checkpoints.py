"""Checkpoints of trainings on disk: written whole, and refused plainly where they are not what is wanted."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from tinyagent.errors import ModelUnavailable, StorageFull
from tinyagent.training.storage import FULL, whole_file

DAMAGE = (
    OSError, RuntimeError, EOFError, LookupError, TypeError, ValueError, AttributeError,
    pickle.UnpicklingError,
)  # fmt: skip
"""What reading a damaged file can raise."""


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all; the one before it is kept until then.

    Raises StorageFull or InvalidRequest.
    """
    with whole_file(path) as partial:
        try:
            with partial.open("wb") as file:
                torch.save(state, file)
        except (OSError, RuntimeError) as error:  # torch's writer has words of its own for a full disk
            if isinstance(error, OSError) and error.errno not in FULL:
                raise
            raise StorageFull(
                f"The checkpoint {path} cannot be written; the one before it is kept.",
                hint="Free some space, then go on from it.",
            ) from error


def load_state(path: Path, keys: Iterable[str], made_by: str) -> dict[str, Any]:
    """What `save_state` wrote, with at least these keys; `made_by` says which command writes such a file.

    Raises ModelUnavailable for a file that is missing, damaged or of another program.
    """
    if not path.is_file():
        missing = "is a folder" if path.is_dir() else "does not exist"
        raise ModelUnavailable(f"The checkpoint {path} {missing}.", hint=f"{made_by} writes one.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is about to be refused
            state: object = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except DAMAGE as error:
        raise ModelUnavailable(
            f"The checkpoint {path} is damaged, or no checkpoint at all.",
            hint=f"Copy it again, or delete it and train anew: {made_by} writes one.",
        ) from error
    found = cast("dict[str, Any]", state) if isinstance(state, dict) else {}
    lacking = sorted(set(keys).difference(found))
    if lacking:
        raise foreign(path, f"it has no {lacking[0]!r}", made_by)
    return found


def foreign(path: Path, reason: str, made_by: str) -> ModelUnavailable:
    """The failure to tell for a sound checkpoint that is of another program, or of another shape."""
    return ModelUnavailable(
        f"The checkpoint {path} is not one of this training: {reason}.",
        hint=f"Give one that {made_by} wrote with this version, or another file.",
    )


def restore(network: nn.Module, weights: dict[str, Any], path: Path, made_by: str) -> None:
    """Give the network a checkpoint's weights. Raises ModelUnavailable where they do not fit it."""
    try:
        network.load_state_dict(weights)
    except DAMAGE as error:
        raise foreign(path, f"its weights do not fit ({_first_misfit(error)})", made_by) from error


def _first_misfit(error: Exception) -> str:
    """The first of torch's findings, which it gives one to a line."""
    lines = [line.strip() for line in str(error).splitlines()[1:] if line.strip()]
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__
