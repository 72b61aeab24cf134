"""Simulated Q4_0: weights as they will be read back from a 4-bit file, with the gradient of plain ones.

A row is cut into groups of 32. Each group has a scale d, its value of the largest magnitude (with sign)
divided by -8 and kept in half precision; a weight x becomes a whole number from 0 to 15, x / d + 8
rounded, and is read back as d times that number less 8. So rounds ggml, digit by digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

GROUP = 32
"""Weights that share a scale."""


def round_q4(weight: Tensor) -> Tensor:
    """The weights as a Q4_0 file gives them back, in single precision; rows must be whole groups."""
    if weight.shape[-1] % GROUP:
        raise ValueError(f"rows of {weight.shape[-1]} weights do not divide into groups of {GROUP}")
    groups = weight.float().reshape(-1, GROUP)
    extreme = groups.gather(1, groups.abs().argmax(1, keepdim=True))
    scale = extreme / -8
    inverse = torch.where(scale == 0, torch.zeros_like(scale), 1 / scale)
    numbers = (groups * inverse + 8.5).trunc().clamp(0, 15)
    return (scale.half().float() * (numbers - 8)).reshape(weight.shape)


class _StraightThrough(torch.autograd.Function):
    """Rounds on the way forward; the gradient passes as though it had not."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor) -> Tensor:
        return round_q4(weight).to(weight.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def simulate_q4(weight: Tensor) -> Tensor:
    """`round_q4` for training."""
    result: Tensor = _StraightThrough.apply(weight)
    return result


class FakeQ4(nn.Module):
    """The parametrization of a weight that is trained to be stored as Q4_0."""

    def forward(self, weight: Tensor) -> Tensor:
        return simulate_q4(weight)


def simulate_in(modules: Iterable[nn.Module]) -> int:
    """Give every linear layer among the modules simulated weights; how many there are."""
    layers = [module for module in modules if isinstance(module, nn.Linear)]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", FakeQ4())
    return len(layers)


def settle_in(modules: Iterable[nn.Module]) -> None:
    """Replace the weights by their simulated values, for good."""
    for module in list(modules):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
