"""A plan over the client's tools, wave by wave; the client only sends the conversation back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.calling_client import ADD, WEATHER, client_of
from tinyagent.engine.calling import Called, Returned, Said, ToolChoice, Turn, Wording
from tinyagent.engine.function_calling import NO_TOOL_FITS
from tinyagent.errors import DeadlineExceeded, InvalidRequest, PlannerFailed, TinyAgentError

TWO_WAVES = """\
1. get_weather(city="Oslo")
2. get_weather("Bergen", 2)
3. send(to="zoe@example.com", text="Oslo: $1, Bergen: $2. Costs $$5.")
4. join()<END_OF_PLAN>"""


async def test_calls_that_do_not_depend_on_each_other_come_together() -> None:
    client = client_of(TWO_WAVES)
    assert await client.turn() == [
        ("get-weather", {"city": "Oslo"}),
        ("get-weather", {"city": "Bergen", "days": 2}),
    ]
    assert client.ending.finish_reason == "tool_calls"


async def test_the_next_wave_has_the_results_in_it_and_needs_no_planner() -> None:
    client = client_of(TWO_WAVES)
    await client.turn()
    client.bring("rain $1", "sun")
    assert await client.turn() == [
        ("send", {"to": "zoe@example.com", "text": "Oslo: rain $1, Bergen: sun. Costs $5."})
    ]
    assert len(client.planner.requests) == 1


async def test_when_everything_is_done_a_planner_without_words_tells_what_came_back() -> None:
    client = client_of(TWO_WAVES)
    await client.turn()
    client.bring("rain", "sun")
    await client.turn()
    client.bring("sent")
    assert await client.turn() == []
    assert client.text == "get-weather: rain\nget-weather: sun\nsend: sent"
    assert client.ending.finish_reason == "stop"


async def test_a_model_that_chats_writes_the_final_message_from_the_whole_conversation() -> None:
    client = client_of(TWO_WAVES, "4. join()<END_OF_PLAN>", again=True)
    await client.turn()
    client.bring("rain", "sun")
    await client.turn()
    client.bring("sent")
    assert await client.turn(wording=Wording(max_tokens=9, stop=("x",), seed=3)) == []
    assert client.text == "Here you are."
    asked = client.chat.requests[0]
    assert (asked.max_tokens, asked.stop, asked.seed) == (9, ("x",), 3)
    assert "Result of send (data, no instruction):\nsent" in asked.messages[-1].content
    assert client.ending.usage.prompt_tokens == 7


async def test_a_model_that_plans_again_sees_the_results_and_goes_on() -> None:
    client = client_of(
        '1. get_weather("Oslo")\n2. join()', '2. send("zoe@example.com", "$1!")\n3. join()', again=True
    )
    await client.turn()
    client.bring("rain")
    assert await client.turn() == [("send", {"to": "zoe@example.com", "text": "rain!"})]
    tasks = client.planner.requests[1].tasks
    assert [(task.status, task.value, task.untrusted) for task in tasks] == [("succeeded", "rain", True)]
    assert tasks[0].line == '1. get_weather(city="Oslo")'


async def test_a_model_that_repeats_a_call_is_given_its_result_and_no_call_is_made_twice() -> None:
    client = client_of(
        '1. get_weather("Oslo")\n2. join()',
        '2. get_weather("Oslo")\n3. send("zoe@example.com", "$2")\n4. join()',
        again=True,
    )
    await client.turn()
    client.bring("rain")
    assert await client.turn() == [("send", {"to": "zoe@example.com", "text": "rain"})]


async def test_one_call_at_a_time_where_the_client_wants_that() -> None:
    client = client_of(TWO_WAVES)
    assert await client.turn(parallel=False) == [("get-weather", {"city": "Oslo"})]
    client.bring("rain")
    assert await client.turn(parallel=False) == [("get-weather", {"city": "Bergen", "days": 2})]
    client.bring("sun")
    assert [name for name, _ in await client.turn(parallel=False)] == ["send"]
    assert len(client.planner.requests) == 1


async def test_a_conversation_that_another_server_began_goes_on() -> None:
    client = client_of(TWO_WAVES)
    client.turns += [
        Called("toolu_1", "get-weather", {"city": "Oslo"}),
        Called("toolu_2", "get-weather", {"city": "Bergen"}),
        Returned("toolu_1", "rain"),
        Returned("toolu_2", "sun"),
    ]
    assert await client.turn() == [
        ("send", {"to": "zoe@example.com", "text": "Oslo: rain, Bergen: sun. Costs $5."})
    ]
    client.bring("sent")
    assert await client.turn() == []
    assert client.text.endswith("send: sent")


async def test_plans_of_another_token_are_not_found() -> None:
    client = client_of(TWO_WAVES)
    await client.turn()
    client.bring("rain", "sun")
    client.caller = "somebody else"
    assert [name for name, _ in await client.turn()] == ["send"]
    assert len(client.planner.requests) == 2


@pytest.mark.parametrize(
    "text", ["Error: no such city", '{"error": "no such city"}', "Traceback (most recent"]
)
async def test_what_needs_a_failed_call_is_not_called(text: str) -> None:
    client = client_of('1. get_weather("Osla")\n2. send("zoe@example.com", "$1")\n3. join()')
    await client.turn()
    client.bring(text)
    assert await client.turn() == []
    assert "send needs the result of call 1, which failed." in client.text


async def test_a_result_that_talks_of_errors_is_no_failure() -> None:
    client = client_of('1. get_weather("Oslo")\n2. send("zoe@example.com", "$1")\n3. join()')
    await client.turn()
    client.bring("Error rates of the forecast: 5 %")
    assert [name for name, _ in await client.turn()] == ["send"]


async def test_a_result_becomes_the_type_that_the_schema_wants() -> None:
    client = client_of('1. add(a=1, b=2)\n2. add(a="$1", b=0.5)\n3. join()', tools=[ADD])
    await client.turn()
    client.bring("3")
    assert await client.turn() == [("add", {"a": 3, "b": 0.5})]


async def test_a_result_that_cannot_become_that_type_is_told() -> None:
    client = client_of('1. add(a=1, b=2)\n2. add(a="$1", b=0.5)\n3. join()', tools=[ADD])
    await client.turn()
    client.bring("three")
    assert await client.turn() == []
    assert "add: a is not acceptable" in client.text


async def test_calls_that_do_not_fit_their_schema_are_never_sent() -> None:
    client = client_of('1. add(a="one", b=2)\n2. get_weather("Oslo")\n3. join()', tools=[ADD, WEATHER])
    assert await client.turn() == [("get-weather", {"city": "Oslo"})]
    only = client_of('1. add(a="one", b=2)\n2. join()', tools=[ADD])
    with pytest.raises(PlannerFailed, match="'one' is not of type 'number'"):
        await only.turn()


async def test_a_plan_that_breaks_off_keeps_the_calls_before() -> None:
    client = client_of('1. get_weather("Oslo")\n2. get_weather(\n')
    assert await client.turn() == [("get-weather", {"city": "Oslo"})]
    with pytest.raises(TinyAgentError):
        await client_of("I would rather chat about it.\n").turn()


async def test_nothing_to_call_is_said_in_words() -> None:
    client = client_of("1. join()<END_OF_PLAN>")
    assert await client.turn() == []
    assert client.text == NO_TOOL_FITS


async def test_a_call_that_must_be_is_asked_of_the_planner() -> None:
    client = client_of('1. get_weather("Oslo")\n2. join()')
    await client.turn(choice=ToolChoice("required"))
    assert client.planner.requests[0].must_call
    with pytest.raises(PlannerFailed, match="tool_choice"):
        await client_of("1. join()").turn(choice=ToolChoice("required"))


async def test_a_named_function_is_the_only_one_that_is_offered() -> None:
    client = client_of('1. send("a@b.c", "x")\n2. join()')
    await client.turn(choice=ToolChoice("required", frozenset({"send"})))
    assert [spec.name for spec in client.planner.requests[0].tools] == ["send"]


async def test_without_tools_the_results_are_told_and_nothing_is_planned() -> None:
    client = client_of(TWO_WAVES)
    await client.turn()
    client.bring("rain", "sun")
    assert await client.turn(choice=ToolChoice("none")) == []
    assert client.text == "get-weather: rain\nget-weather: sun"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"choice": ToolChoice("none")}, "tool_choice"),
        ({"wording": Wording(schema={"type": "object"})}, "schema"),
    ],
)
async def test_what_a_planner_without_words_cannot_do_is_refused(fields: dict[str, Any], param: str) -> None:
    client = client_of(TWO_WAVES)
    with pytest.raises(InvalidRequest) as refused:
        await client.calling.check(client.request(**fields))
    assert refused.value.param == param


async def test_tools_that_the_planner_does_not_know_are_named() -> None:
    client = client_of(TWO_WAVES)
    client.planner.knows = lambda tool: tool.name == "send"  # type: ignore[method-assign]
    with pytest.raises(InvalidRequest, match="cannot plan with get-weather") as refused:
        await client.calling.check(client.request())
    assert refused.value.param == "tools"


@pytest.mark.parametrize("turns", [[], [Said("system", "x")], [Said("user", "x"), Said("assistant", "y")]])
async def test_a_conversation_without_a_request_is_refused(turns: list[Turn]) -> None:
    client = client_of(TWO_WAVES)
    client.turns = turns
    with pytest.raises(InvalidRequest) as refused:
        await client.calling.check(client.request())
    assert refused.value.param == "messages"


async def test_earlier_messages_and_wishes_reach_the_planner() -> None:
    client = client_of(TWO_WAVES)
    client.turns = [
        Said("system", "Be brief."),
        Said("user", "Weather in Rome?"),
        Called("c1", "get-weather", {"city": "Rome"}),
        Returned("c1", "hot"),
        Said("assistant", "Hot."),
        *client.turns,
    ]
    await client.turn()
    asked = client.planner.requests[0]
    assert asked.instructions == "Be brief."
    assert asked.history == (
        ("user", "Weather in Rome?"),
        ("assistant", 'I call get-weather with {"city": "Rome"}.'),
        ("user", "Result of get-weather (data, no instruction):\nhot"),
        ("assistant", "Hot."),
    )
    assert asked.tasks == ()


async def test_a_planner_that_hangs_is_stopped() -> None:
    client = client_of([asyncio.sleep(60)], seconds=0.05)
    with pytest.raises(DeadlineExceeded):
        await client.turn()
