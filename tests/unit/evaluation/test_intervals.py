"""The bootstrap interval behaves as an interval of a mean should."""

from __future__ import annotations

import math

import pytest

from tinyagent.evaluation.intervals import bootstrap, percentile


def test_the_interval_lies_around_the_mean_as_the_normal_approximation_says() -> None:
    estimate = bootstrap([True] * 800 + [False] * 200)
    half = 1.96 * math.sqrt(0.8 * 0.2 / 1000)
    assert estimate.value == pytest.approx(0.8)
    assert estimate.low == pytest.approx(0.8 - half, abs=0.003)
    assert estimate.high == pytest.approx(0.8 + half, abs=0.003)


def test_more_cases_make_a_narrower_interval() -> None:
    few, many = bootstrap([1, 0] * 20), bootstrap([1, 0] * 500)
    assert many.high - many.low < few.high - few.low


def test_one_seed_gives_one_interval() -> None:
    values = [0.1, 0.5, 0.9, 1.0, 0.3]
    assert bootstrap(values, seed=7) == bootstrap(values, seed=7)
    assert bootstrap(values, seed=7) != bootstrap(values, seed=8)


def test_equal_values_have_an_interval_without_width() -> None:
    estimate = bootstrap([True, True, True])
    assert (estimate.value, estimate.low, estimate.high) == (1, 1, 1)


def test_no_values_are_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])


def test_percentiles_interpolate() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], 0.5) == 3
    assert percentile([], 0.5) == 0
