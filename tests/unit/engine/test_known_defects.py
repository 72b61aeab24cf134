"""The fourteen defects that an audit found in the engine of the original TinyAgent, D1 to D14.

Each is a test here, so that none of them comes back. The original's sources are at
SqueezeAILab/TinyAgent, commit 0074615.
"""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from tests.support.scripted import NOW, FakeHost, FixedSelector, ScriptedPlanner, spec, until
from tests.unit.engine.conftest import MakeEngine
from tinyagent.domain.plan import substitute
from tinyagent.domain.plan_parser import PlanParser, parse_call, parse_plan
from tinyagent.errors import (
    ModelUnavailable,
    NoMatch,
    PlannerFailed,
    PlanReferenceError,
    PlanSyntaxError,
    ToolError,
)
from tinyagent.planners.prompts import chat_messages, tinyagent_messages
from tinyagent.ports import PlanRequest
from tinyagent.tools.registry import BUILT_IN


def test_d1_a_reference_is_replaced_once_and_never_inside_another_number_or_a_result() -> None:
    call = parse_call('11. send(["$1", "${1}0", "$10"], "costs $$10")')
    results = {1: "ALICE $10", 10: "TEN"}
    assert substitute(call, results) == [["ALICE $10", "ALICE $100", "TEN"], "costs $10"]


async def test_d2_gaps_in_the_numbering_and_a_plan_that_starts_at_three_are_carried_out(
    make_engine: MakeEngine,
) -> None:
    host = FakeHost().add(spec("get", "str")).add(spec("put", "str", effect="write"))
    planner = ScriptedPlanner('3. get("a")\n5. put("$3")\n9. join()<END_OF_PLAN>')
    state, _ = await make_engine(planner, host).run()
    assert state.status == "completed"
    assert host.calls == [("get", ("a",)), ("put", ("get(a)",))]


async def test_d2_a_reference_into_a_gap_fails_that_call_alone(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("get", "str"))
    planner = ScriptedPlanner('1. get("a")\n4. get("$2")\n5. join()')
    state, _ = await make_engine(planner, host).run()
    assert state.tasks[1].status == "succeeded"
    assert state.tasks[4].fault is not None
    assert state.tasks[4].fault.code == "plan_reference"


@pytest.mark.parametrize(
    "line", ['2. send_sms("$2")', '2. send_sms("$3")', '2. send_sms(["a", "b ${2}"])', '1. a("$0")']
)
def test_d3_a_reference_to_itself_or_forward_is_a_typed_error(line: str) -> None:
    with pytest.raises(PlanReferenceError):
        parse_call(line)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_d4_line_breaks_inside_strings_and_several_lines_in_one_token_lose_nothing(size: int) -> None:
    text = (
        '1. note("one\ntwo\n\nthree", "(")\n\n2. note("a", "b)\\"")\n3. get("$1")\n4. join()<END_OF_PLAN>\n'
    )
    parser = PlanParser()
    calls = [call for start in range(0, len(text), size) for call in parser.feed(text[start : start + size])]
    parser.close()
    assert [call.index for call in calls] == [1, 2, 3, 4]
    assert calls[0].arguments == ("one\ntwo\n\nthree", "(")
    assert calls[1].arguments == ("a", 'b)"')


@pytest.mark.parametrize(
    "text",
    [
        '1. get("a" "b", c)',
        '1. get(__import__("os").system("true"))',
        '1. get("a) and more',
        '1. get({1: "a"})',
        '1. get(**{"a": 1})',
        '1. get("a")\nand then I would join\n2. join()',
        '1. get("a") and some prose (really)\n2. join()',
    ],
)
def test_d5_malformed_arguments_and_trailing_prose_are_errors_not_one_raw_string(text: str) -> None:
    with pytest.raises(PlanSyntaxError):
        parse_plan(text)


async def test_d6_a_wrong_number_of_arguments_names_the_tool_and_its_arguments(
    make_engine: MakeEngine,
) -> None:
    host = FakeHost().add(spec("get", "str", "list[str]"))
    state, _ = await make_engine(ScriptedPlanner('1. get("a")\n2. join()'), host).run()
    fault = state.tasks[1].fault
    assert fault is not None
    assert fault.message == "get takes 2 arguments (a, b), not 1."


async def test_d6_an_argument_of_an_unknown_name_is_named(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("get", "str"))
    state, _ = await make_engine(ScriptedPlanner('1. get(name="a")\n2. join()'), host).run()
    fault = state.tasks[1].fault
    assert fault is not None
    assert fault.message == "get has no argument 'name', or it is given twice."
    assert state.status == "completed"
    assert host.calls == []


@pytest.mark.parametrize(
    "error",
    [
        PlannerFailed("The model's server is gone."),
        ModelUnavailable("The file is damaged."),
        RuntimeError("a bug"),
        ConnectionError("refused"),
    ],
)
async def test_d7_a_planner_that_breaks_ends_the_run_with_the_reason(
    make_engine: MakeEngine, error: Exception
) -> None:
    host = FakeHost().add(spec("get", "str"))
    state, _ = await make_engine(ScriptedPlanner(['1. get("a")\n', error]), host).run()
    assert state.status == "failed"
    assert state.fault is not None
    assert state.fault.message


async def test_d7_an_unknown_tool_on_the_last_line_ends_the_run(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("get", "str"))
    state, _ = await make_engine(ScriptedPlanner('1. get("a")\n2. fly("home")'), host).run()
    assert state.status == "failed"
    assert state.fault is not None
    assert state.fault.code == "unknown_tool"
    assert state.tasks[1].status == "succeeded"


async def test_d7_a_request_for_which_no_tool_is_retrieved_gets_an_answer(make_engine: MakeEngine) -> None:
    planner = ScriptedPlanner("1. join()")
    state, _ = await make_engine(
        planner, FakeHost().add(spec("get", "str")), FixedSelector(nothing=True)
    ).run()
    assert state.status == "completed"
    assert "no tool" in state.answer
    assert planner.requests == []


async def test_d8_tools_run_in_parallel_and_leave_the_event_loop_free(make_engine: MakeEngine) -> None:
    both = asyncio.Barrier(2)

    async def meet(_: object) -> str:
        await both.wait()  # ends only when the other call runs at the same time
        return "met"

    host = FakeHost().add(spec("one", "str"), meet).add(spec("two", "str"), meet)
    state, _ = await make_engine(ScriptedPlanner('1. one("")\n2. two("")\n3. join()'), host).run()
    assert [task.status for task in state.tasks.values()] == ["succeeded", "succeeded"]


async def test_d9_a_ready_dependent_starts_before_the_next_line_is_planned(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("get", "str")).add(spec("put", "str"))
    dependent_ran = until(
        lambda: ("put", ("get(a)",)) in host.calls, "the dependent runs while the plan goes on"
    )
    planner = ScriptedPlanner(['1. get("a")\n', '2. put("$1")\n', dependent_ran, '3. get("b")\n4. join()'])
    state, events = await make_engine(planner, host).run()
    assert state.status == "completed"
    kinds = [(event.type, getattr(event.data, "task", None)) for event in events]
    assert kinds.index(("task.succeeded", 2)) < kinds.index(("task.planned", 3))


async def test_d10_a_failed_call_is_never_passed_on_and_its_dependents_are_skipped(
    make_engine: MakeEngine,
) -> None:
    async def fail(_: object) -> str:
        raise NoMatch("No contact is called Bob.")

    host = FakeHost().add(spec("get", "str"), fail).add(spec("put", "list[str]")).add(spec("other", "str"))
    planner = ScriptedPlanner('1. get("Bob")\n2. put(["$1"])\n3. put(["$2"])\n4. other("x")\n5. join()')
    state, _ = await make_engine(planner, host).run()
    assert [state.tasks[index].status for index in (1, 2, 3, 4)] == [
        "failed",
        "skipped",
        "skipped",
        "succeeded",
    ]
    assert state.tasks[2].message == "It needs the result of task 1, which was not done."
    assert [name for name, _ in host.calls] == ["get", "other"]
    assert "No contact is called Bob." in state.answer


async def test_d11_a_tool_that_was_not_retrieved_is_not_run_but_planned_again_with_all(
    make_engine: MakeEngine,
) -> None:
    host = FakeHost().add(spec("get", "str")).add(spec("put", "str", effect="write"))
    planner = ScriptedPlanner('1. put("a")\n2. join()')
    state, _ = await make_engine(planner, host, FixedSelector("get")).run()
    assert [tuple(tool.name for tool in request.tools) for request in planner.requests] == [
        ("get",),
        ("get", "put"),
    ]
    assert state.status == "completed"
    assert host.calls == [("put", ("a",))]


async def test_d12_answers_keep_their_lines_and_the_word_replan_means_nothing(
    make_engine: MakeEngine,
) -> None:
    async def text(_: object) -> str:
        return "Replan\nAction: Replan)\nsecond line"

    host = FakeHost().add(spec("get", "str"))
    host.add(spec("read", "str"), text)
    planner = ScriptedPlanner('1. read("x")\n2. get("$1")\n3. join()', can_replan=True)
    state, _ = await make_engine(planner, host).run()
    assert len(planner.requests) == 1
    assert state.tasks[2].arguments == ("Replan\nAction: Replan)\nsecond line",)
    assert state.answer


async def test_d13_a_new_plan_sees_the_error_continues_the_numbers_and_repeats_no_side_effect(
    make_engine: MakeEngine,
) -> None:
    host = FakeHost().add(spec("send", "str", effect="send")).add(spec("get", "int"))
    planner = ScriptedPlanner(
        '1. send("hello")\n2. get("five")\n3. join()',
        '3. send("Hello")\n4. get(5)\n5. join()',
        can_replan=True,
    )
    state, _ = await make_engine(planner, host).run()
    second = planner.requests[1]
    assert second.first_index == 3
    fault = second.tasks[1].fault
    assert fault is not None
    assert "must be int" in fault.message
    assert host.calls == [("send", ("hello",)), ("get", (5,))]
    assert state.tasks[3].status == "succeeded"


async def test_d13_at_most_two_new_plans_are_made(make_engine: MakeEngine) -> None:
    async def fail(_: object) -> str:
        raise ToolError("It did not work.")

    host = FakeHost().add(spec("get", "str"), fail)
    planner = ScriptedPlanner(
        '1. get("a")\n2. join()', '2. get("b")\n3. join()', '3. get("c")', can_replan=True
    )
    state, _ = await make_engine(planner, host).run()
    assert len(planner.requests) == 3
    assert "It did not work." in state.answer


def test_d14_every_example_in_the_planners_prompts_has_the_right_number_of_arguments() -> None:
    specs = {tool.spec.name: tool.spec for tool in BUILT_IN}
    request = PlanRequest("x", NOW, tuple(specs.values()))
    messages = [*chat_messages(request), *tinyagent_messages(request)]
    example = re.compile(r"(?:^\d+\. .+\n)*^\d+\. join\(\)", re.MULTILINE)
    plans = [plan for message in messages for plan in example.findall(message.content)]
    assert len(plans) >= 3
    for plan in plans:
        for call in parse_plan(plan).calls:
            specs[call.tool].check(call.arguments)


async def test_the_run_deadline_ends_a_planner_that_never_answers(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("get", "str"))
    planner = ScriptedPlanner([asyncio.sleep(3600)])
    started = time.monotonic()
    state, _ = await make_engine(planner, host, run_deadline_s=0.1).run()
    assert state.fault is not None
    assert state.fault.code == "deadline_exceeded"
    assert time.monotonic() - started < 60
