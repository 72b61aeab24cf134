"""When two plans count as the same."""

from __future__ import annotations

import pytest

from tinyagent.domain.graph import PlanGraph, isomorphic
from tinyagent.domain.plan_parser import parse_plan


def graph(text: str) -> PlanGraph:
    return PlanGraph.of(parse_plan(text).calls)


BASE = '1. mail("A")\n2. mail("B")\n3. event(["$1", "$2"])\n4. sms("see $3")\n5. join()'


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ('1. mail("X")\n2. mail("Y")\n3. event(["$2", "$1"])\n4. sms("$3")\n5. join()', True),
        ('2. mail("B")\n4. mail("A")\n7. event(["$4 and $2"])\n8. sms("$7")\n9. join()', True),
        ('1. mail("A")\n2. event(["$1", "x"])\n3. mail("B")\n4. sms("see $2")\n5. join()', False),
        ('1. mail("A")\n2. mail("B")\n3. event(["$1", "$2"])\n4. note("see $3")\n5. join()', False),
        ('1. mail("A")\n2. mail("B")\n3. event(["$1", "$2"])\n4. sms("see")\n5. join()', False),
        ('1. mail("A")\n2. mail("B")\n3. event(["$1", "$2"])\n4. join()', False),
        ("1. join()", False),
    ],
)
def test_plans_are_the_same_when_tools_and_dependencies_match(other: str, same: bool) -> None:
    assert isomorphic(graph(BASE), graph(other)) is same


def test_two_empty_plans_are_the_same() -> None:
    assert isomorphic(graph("1. join()"), graph("1. join()<END_OF_PLAN>"))
