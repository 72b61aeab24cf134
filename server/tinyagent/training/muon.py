"""Muon in single precision: momentum whose matrices are made nearly orthogonal before each step.

`torch.optim.Muon` computes in bfloat16, which processors without such instructions emulate slowly.
After Keller Jordan, "Muon: an optimizer for hidden layers in neural networks" (2024).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration."""
_STEPS = 5


class Muon(torch.optim.Optimizer):
    """For 2-D weights of hidden layers only."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update all weights; those of one shape are orthogonalized together."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                by_shape[weight.shape].append(weight)
            for weights in by_shape.values():
                moves = torch.stack([self._momentum(weight, group["momentum"]) for weight in weights])
                scale = group["lr"] * max(1.0, moves.shape[1] / moves.shape[2]) ** 0.5
                for weight, move in zip(weights, orthogonal(moves), strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(move, alpha=scale)

    def _momentum(self, weight: Tensor, decay: float) -> Tensor:
        gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
        state = self.state[weight]
        average: Tensor = state.setdefault("momentum", torch.zeros_like(weight))
        average.lerp_(gradient, 1 - decay)
        return gradient.lerp(average, decay)


def orthogonal(matrices: Tensor) -> Tensor:
    """A batch of matrices with all singular values brought near 1."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.flatten(1).norm(dim=1).clamp_min(1e-7)[:, None, None])
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
