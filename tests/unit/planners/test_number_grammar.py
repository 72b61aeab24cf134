"""Rules for numbers between bounds, compared with arithmetic."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from tinyagent.planners.number_grammar import Bounds, integer_rule, number_rule

WHOLE = st.integers(-60, 60) | st.integers(-3000, 3000)
LOW, HIGH = WHOLE | st.just(-math.inf), WHOLE | st.just(math.inf)
BOUNDS = st.builds(Bounds, LOW, HIGH, st.booleans(), st.booleans())


def allows(rule: str | None, text: str) -> bool:
    """Whether a rule, which is nearly a regular expression, allows a text."""
    assert rule is not None
    pattern = re.sub(r'"([^"]*)"', lambda found: re.escape(found[1]), rule).replace(" ", "")
    return bool(rule) and re.fullmatch(pattern, text) is not None


def within(number: float, bounds: Bounds) -> bool:
    above = number > bounds.low if bounds.low_open else number >= bounds.low
    return above and (number < bounds.high if bounds.high_open else number <= bounds.high)


@given(bounds=BOUNDS, number=WHOLE)
def test_a_whole_number_is_allowed_exactly_between_its_bounds(bounds: Bounds, number: int) -> None:
    assert allows(integer_rule(bounds), str(number)) == within(number, bounds)
    assert allows(number_rule(bounds), str(number)) == within(number, bounds)


@given(bounds=BOUNDS, number=WHOLE, part=st.sampled_from([0.5, 0.125, -0.25]))
def test_a_number_with_a_fraction_is_allowed_exactly_between_its_bounds(
    bounds: Bounds, number: int, part: float
) -> None:
    assert allows(number_rule(bounds), str(number + part)) == within(number + part, bounds)
    assert not allows(integer_rule(bounds), str(number + part))


@given(bounds=BOUNDS, text=st.sampled_from(["0.0", "-0", "-0.0", "7.00", "-1.0"]))
def test_zeros_behind_the_point_open_no_closed_door(bounds: Bounds, text: str) -> None:
    assert within(float(text), bounds) or not allows(number_rule(bounds), text)


@given(low=st.floats(-9, 9), high=st.floats(-9, 9), number=st.integers(-12, 12))
def test_bounds_with_a_fraction_hold_for_whole_numbers(low: float, high: float, number: int) -> None:
    bounds = Bounds(low, high)
    assert allows(integer_rule(bounds), str(number)) == within(number, bounds)


def test_bounds_that_no_rule_can_express_are_told() -> None:
    assert number_rule(Bounds(0.5, 2)) is None
    assert number_rule(Bounds(3, 2)) == integer_rule(Bounds(3, 2)) == ""
    assert number_rule(Bounds(10**400)) == integer_rule(Bounds(high=-(10**400))) == ""
