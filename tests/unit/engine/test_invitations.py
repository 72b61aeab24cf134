"""A call that only writes, but tells the people whom it names, is ruled like one that sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tests.unit.engine.conftest import MakeEngine
from tinyagent.domain.tools import Parameter
from tinyagent.engine.policy import Policy
from tinyagent.ports import ToolStatus


class InvitingHost(FakeHost):
    """Its only tool tells whomever it names."""

    def __init__(self) -> None:
        super().__init__()
        people = Parameter("people", "list[str]", "who takes part", recipient=True)
        self.add(replace(spec("book", effect="write"), parameters=(people,)))

    def tools(self) -> Sequence[ToolStatus]:
        return [replace(status, invites=True) for status in super().tools()]


def plan(people: str) -> ScriptedPlanner:
    return ScriptedPlanner(f"1. book([{people}])\n2. join()<END_OF_PLAN>")


@pytest.mark.parametrize(
    ("policy", "people", "sends"),
    [
        (Policy(send="auto"), '"ann@example.com"', True),
        (Policy(send="auto"), "", False),
        (Policy(send="draft"), '"ann@example.com"', False),
        (Policy(send="ask"), "", False),
    ],
)
async def test_people_are_told_only_where_sending_is_on(
    make_engine: MakeEngine, policy: Policy, people: str, sends: bool
) -> None:
    engine = make_engine(plan(people), InvitingHost(), policy=policy)
    state, _ = await engine.run("book it with ann@example.com")
    assert state.tasks[1].status == "succeeded"
    assert (state.tasks[1].effect, engine.host.contexts[0].send) == ("write", sends)


@pytest.mark.parametrize("policy", [Policy(send="ask"), Policy(send="auto", write="ask")])
async def test_telling_people_is_asked_for_where_the_settings_say_so(
    make_engine: MakeEngine, policy: Policy
) -> None:
    engine = make_engine(plan('"ann@example.com"'), InvitingHost(), policy=policy)
    state, _ = await engine.run("book it with ann@example.com")
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].fault.code, engine.host.calls) == ("approval_unavailable", [])


async def test_the_reason_tells_who_wants_the_approval(make_engine: MakeEngine) -> None:
    for policy, words in ((Policy(write="ask"), "settings"), (Policy(), "request")):
        engine = make_engine(plan(""), InvitingHost(), policy=policy)
        state, _ = await engine.run("book it", approval="ask")
        assert words in state.answer
