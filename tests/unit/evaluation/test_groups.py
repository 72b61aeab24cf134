"""Outcomes in groups, what is declined, and the failures that are shown."""

from __future__ import annotations

import pytest

from tests.unit.evaluation.scripted import NOTHING, PHONE, PLACE, case, outcome
from tinyagent.evaluation import groups
from tinyagent.evaluation.failures import MOST_SHOWN, worst_failures
from tinyagent.evaluation.intervals import bootstrap, bootstrap_percentile, bootstrap_ratio
from tinyagent.evaluation.metrics import figures_of
from tinyagent.evaluation.runner import EMPTY_PLAN

RIGHT_PHONE = '1. get_phone_number("Ann")\n2. join()'
OTHER_PHONE = '1. get_phone_number("Ben")\n2. join()'


def test_groups_hold_the_rates_of_their_cases() -> None:
    tagged = case("tagged", RIGHT_PHONE, "get ann's number", ("phone", "short"))
    outcomes = [outcome(PHONE, OTHER_PHONE), outcome(tagged, RIGHT_PHONE), outcome(PLACE, EMPTY_PLAN)]
    by_tool = groups.by_tool(outcomes)
    assert list(by_tool) == ["get_phone_number", "maps_open_location"]
    assert (by_tool["get_phone_number"].cases, by_tool["get_phone_number"].exact.value) == (2, 0.5)
    assert {name: one.success.value for name, one in groups.by_calls(outcomes).items()} == {"1": 1, "2": 0}
    assert {name: one.cases for name, one in groups.by_tag(outcomes).items()} == {"phone": 1, "short": 1}
    assert {name: one.cases for name, one in groups.by_register(outcomes).items()} == {"spoken": 3}
    assert list(groups.by_length(outcomes)) == ["short"]


def test_plans_with_many_calls_come_after_those_with_few() -> None:
    many = case("many", "\n".join(f'{n}. open_note("{n}", "")' for n in range(1, 11)) + "\n11. join()")
    assert list(groups.by_calls([outcome(many, ""), outcome(PLACE, ""), outcome(NOTHING, "")])) == [
        "0", "2", "10",
    ]  # fmt: skip


def test_an_empty_plan_declines_and_a_text_that_is_no_plan_does_not() -> None:
    scope = groups.scope(
        [
            outcome(NOTHING, EMPTY_PLAN),
            outcome(NOTHING, RIGHT_PHONE),
            outcome(NOTHING, "I cannot do that."),
            outcome(NOTHING, ""),
            outcome(PHONE, EMPTY_PLAN),
            outcome(PLACE, RIGHT_PHONE),
        ]
    )
    assert scope.declined is not None
    assert scope.falsely_declined is not None
    assert (scope.outside, scope.declined.value) == (4, 0.25)
    assert (scope.inside, scope.falsely_declined.value) == (2, 0.5)
    assert groups.scope([outcome(PHONE, RIGHT_PHONE)]).declined is None


def test_retrieval_is_judged_by_the_tools_that_are_needed() -> None:
    sms = case("sms", '1. get_phone_number("Ann")\n2. send_sms(["$1"], "Hi")\n3. join()')
    figures = figures_of(
        [
            outcome(sms, "", ["send_sms"]),
            outcome(PHONE, "", ["get_phone_number", "open_note"]),
            outcome(NOTHING, EMPTY_PLAN),
        ],
        "scripted",
        "predicted",
    )
    assert figures.tool_recall is not None
    assert figures.all_found is not None
    assert figures.tool_recall.value == pytest.approx(2 / 3)
    assert figures.tool_recall.low <= 0.5
    assert figures.all_found.value == 0.5
    assert figures.mean_tools_needed == 1


def test_cases_that_need_no_tool_have_no_recall() -> None:
    figures = figures_of([outcome(NOTHING, EMPTY_PLAN)], "scripted", "predicted")
    assert (figures.tool_recall, figures.all_found) == (None, None)


def test_ratios_and_percentiles_lie_within_their_intervals() -> None:
    ratio = bootstrap_ratio([1, 2, 0, 3], [2, 2, 1, 3])
    assert ratio is not None
    assert ratio.value == 0.75
    assert ratio.low < 0.75 < ratio.high
    assert bootstrap_ratio([0, 0], [0, 0]) is None
    # With one whole of its own, a ratio is a mean.
    mean, same = bootstrap([1.0, 0.0, 1.0, 1.0]), bootstrap_ratio([1, 0, 1, 1], [1, 1, 1, 1])
    assert same is not None
    assert (same.value, same.low, same.high) == (mean.value, mean.low, mean.high)
    median = bootstrap_percentile([10.0, 20.0, 30.0, 40.0, 500.0], 0.5)
    assert median.value == 30.0
    assert median.low < 30.0 < median.high
    with pytest.raises(ValueError, match="no values"):
        bootstrap_percentile([], 0.5)


def test_short_requests_with_wrong_graphs_come_first_among_failures() -> None:
    short = case("short", '1. open_note("Tea", "")\n2. join()', "open tea")
    failures = worst_failures(
        [
            outcome(PHONE, OTHER_PHONE),
            outcome(case("long", RIGHT_PHONE, "please get me the number of ann"), EMPTY_PLAN),
            outcome(short, '1. open_note("a", "")\n2. open_note("b", "")\n3. join()'),
            outcome(PLACE, "no plan"),
            outcome(NOTHING, EMPTY_PLAN),
        ]
    )
    assert [(failure.id, failure.kind) for failure in failures] == [
        ("place", "graph"),
        ("short", "graph"),
        ("long", "graph"),
        ("phone", "arguments"),
    ]
    assert failures[1].differs == ["too many: open_note"]
    assert failures[2].differs == ["missing get_phone_number"]
    assert failures[3].differs == ["differs: get_phone_number.name"]
    assert failures[1].right_plan == '1. open_note("Tea", "")\n2. join()<END_OF_PLAN>'


def test_a_graph_that_is_wired_otherwise_is_said_to_be() -> None:
    wired = case("wired", '1. get_phone_number("A")\n2. send_sms(["$1"], "Hi")\n3. join()')
    loose = '1. get_phone_number("A")\n2. send_sms(["+4930123456"], "Hi")\n3. join()'
    assert worst_failures([outcome(wired, loose)])[0].differs == ["the same calls with other results used"]


def test_only_so_many_failures_are_kept() -> None:
    many = [outcome(case(str(n), RIGHT_PHONE), EMPTY_PLAN) for n in range(MOST_SHOWN + 5)]
    assert len(worst_failures(many)) == MOST_SHOWN
