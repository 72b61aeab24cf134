"""How certain is a rate that was measured on a sample of requests?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 10_000
FEWER_RESAMPLES = 1_000
"""Of percentiles, where every resample has to be sorted."""
SEED = 20_240_901


@dataclass(frozen=True)
class Estimate:
    """A mean with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(values: Sequence[float | bool], seed: int = SEED) -> Estimate:
    """The mean of `values` with its percentile bootstrap interval, the same for the same seed.

    A sample whose values are all equal gives an interval without width: the bootstrap knows
    nothing beyond the sample. Raises ValueError for no values.
    """
    if not values:
        raise ValueError("no values to estimate from")
    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    # Resampling n values with replacement draws how often each distinct one occurs.
    draws = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=RESAMPLES)
    means = draws @ distinct / len(values)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(np.mean(np.asarray(values, dtype=np.float64))), float(low), float(high))


def bootstrap_ratio(parts: Sequence[int], wholes: Sequence[int], seed: int = SEED) -> Estimate | None:
    """The sum of `parts` over the sum of `wholes`, resampled pair by pair; None when `wholes` are all 0."""
    if not sum(wholes):
        return None
    pairs, counts = np.unique(np.array([parts, wholes]), axis=1, return_counts=True)
    draws = np.random.default_rng(seed).multinomial(len(parts), counts / len(parts), size=RESAMPLES)
    numerators, denominators = draws @ pairs[0], draws @ pairs[1]
    ratios = numerators[denominators > 0] / denominators[denominators > 0]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return Estimate(sum(parts) / sum(wholes), float(low), float(high))


def bootstrap_percentile(values: Sequence[float], share: float, seed: int = SEED) -> Estimate:
    """The value below which `share` of the values lie. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values to estimate from")
    sample = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(seed).choice(sample, (FEWER_RESAMPLES, len(sample)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.quantile(chosen, share, axis=1), [tail, 1 - tail])
    return Estimate(percentile(values, share), float(low), float(high))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; 0 for no values."""
    return float(np.quantile(np.asarray(values, dtype=np.float64), share)) if values else 0.0
