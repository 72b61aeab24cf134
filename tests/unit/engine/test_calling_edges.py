"""Function calling where conversations fork, tools change under a plan, and calls repeat or fail."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support.calling_client import ADD, MAIL, TEXT, WEATHER, client_of, tool
from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.engine.calling import Called, ClientTool, Returned, Said, ToolChoice
from tinyagent.engine.exchange import Done
from tinyagent.engine.function_calling import MAX_CALLS
from tinyagent.errors import InvalidRequest, PlannerFailed, RequestTooLarge

ONE_THEN_MAIL = '1. get_weather("Oslo")\n2. send("zoe@example.com", "$1")\n3. join()'
ONLY_WEATHER = '1. get_weather("Oslo")\n2. join()'


# --- repeated calls ----------------------------------------------------------------------------


async def test_a_call_that_was_not_made_again_is_not_made_later_either() -> None:
    client = client_of(
        ONLY_WEATHER,
        '2. get_weather("Oslo")\n3. get_weather("Bergen")\n4. send("zoe@example.com", "$2, $3")\n5. join()',
        again=True,
    )
    await client.turn()
    client.bring("rain")
    assert await client.turn() == [("get-weather", {"city": "Bergen"})]
    client.bring("sun")
    assert await client.turn() == [("send", {"to": "zoe@example.com", "text": "rain, sun"})]


async def test_a_call_that_must_be_may_be_one_that_was_made_before() -> None:
    client = client_of(ONLY_WEATHER, '2. get_weather("Oslo")\n3. join()', again=True)
    await client.turn(choice=ToolChoice("required"))
    client.bring("rain")
    assert await client.turn(choice=ToolChoice("required")) == [("get-weather", {"city": "Oslo"})]
    ids = [turn.id for turn in client.turns if isinstance(turn, Called)]
    assert len(set(ids)) == 2


# --- tools and choice that change ----------------------------------------------------------------


async def test_a_plan_for_one_chosen_tool_does_not_end_what_was_asked() -> None:
    client = client_of(ONLY_WEATHER, ONE_THEN_MAIL)
    await client.turn(choice=ToolChoice("required", frozenset({"get-weather"})))
    client.bring("rain")
    assert await client.turn() == [("send", {"to": "zoe@example.com", "text": "rain"})]


async def test_a_tool_that_is_chosen_later_is_planned_for() -> None:
    client = client_of(ONLY_WEATHER, '1. send("zoe@example.com", "hi")\n2. join()')
    await client.turn(choice=ToolChoice("auto", frozenset({"get-weather"})))
    client.bring("rain")
    called = await client.turn(choice=ToolChoice("required", frozenset({"send"})))
    assert [name for name, _ in called] == ["send"]


async def test_an_argument_stays_with_its_name_when_the_tool_changes() -> None:
    client = client_of(ONE_THEN_MAIL, '1. get_weather("Oslo")\n2. send(text="$1", to="zoe@example.com")')
    await client.turn()
    client.bring("rain")
    client.tools = [WEATHER, tool("send", text=TEXT, to=TEXT)]
    assert await client.turn() == [("send", {"text": "rain", "to": "zoe@example.com"})]


async def test_tools_whose_names_differ_by_a_sign_are_not_taken_for_each_other() -> None:
    def two(*names: str) -> list[ClientTool]:
        taken: list[ClientTool] = []
        for name in names:
            named = identifier(name, {one.spec.name for one in taken})
            taken.append(ClientTool(name, replace(tool(name, x=TEXT).spec, name=named)))
        return taken

    client = client_of('1. a_b("first")\n2. a_b_2("$1")\n3. join()', tools=two("a-b", "a_b"))
    assert await client.turn() == [("a-b", {"x": "first"})]
    client.bring("seen")
    client.tools = two("a_b", "a-b")
    assert await client.turn() == [("a_b", {"x": "seen"})]


async def test_planners_read_earlier_calls_by_the_names_that_they_plan_with() -> None:
    tools = [tool("a-b", **{"user-id": TEXT, "user_id": TEXT}), tool("c", x=TEXT)]
    tools.append(ClientTool("a_b", replace(tool("a_b", x=TEXT).spec, name="a_b_2")))
    client = client_of("3. join()", again=True, tools=tools)
    client.turns += [
        Called("c1", "a-b", {"user-id": "1", "user_id": "2"}),
        Called("c2", "a_b", {"x": "3"}),
        Returned("c1", "one"),
        Returned("c2", "two"),
    ]
    await client.turn()
    first, second = client.planner.requests[0].tasks
    assert first.line == '1. a_b(user_id="1", user_id_2="2")'
    assert (second.tool, second.line) == ("a_b_2", '2. a_b_2(x="3")')


async def test_a_tool_that_is_no_longer_offered_is_not_taken_for_one_with_a_like_name() -> None:
    client = client_of("2. join()", again=True, tools=[tool("a_b", x=TEXT)])
    client.turns += [Called("c1", "a-b", {"x": "1"}), Returned("c1", "one")]
    await client.turn()
    assert client.planner.requests[0].tasks[0].tool == "a_b_2"


async def test_results_of_another_servers_calls_go_where_the_same_arguments_are() -> None:
    client = client_of(
        '1. get_weather("Oslo")\n2. get_weather("Bergen")\n3. send("zoe@example.com", "Oslo $1, Bergen $2")'
    )
    client.turns += [
        Called("x1", "get-weather", {"city": "Bergen"}),
        Called("x2", "get-weather", {"city": "Oslo"}),
        Returned("x1", "sun"),
        Returned("x2", "rain"),
    ]
    assert (await client.turn())[0][1]["text"] == "Oslo rain, Bergen sun"


async def test_one_history_with_two_results_goes_two_ways() -> None:
    client = client_of(ONE_THEN_MAIL)
    await client.turn()
    fork = list(client.turns)
    client.bring("rain")
    assert (await client.turn())[0][1]["text"] == "rain"
    client.turns = fork
    client.bring("sun")
    assert (await client.turn())[0][1]["text"] == "sun"
    assert len(client.planner.requests) == 1


async def test_a_request_that_is_sent_again_has_calls_of_its_own() -> None:
    client = client_of(ONE_THEN_MAIL)
    await client.turn()
    first = client.turns.pop()
    await client.turn()
    second = client.turns[-1]
    assert isinstance(first, Called)
    assert isinstance(second, Called)
    assert (first.name, first.arguments) == (second.name, second.arguments)
    assert first.id != second.id


# --- nothing left, and too much ------------------------------------------------------------------


async def test_a_call_that_must_be_after_the_plan_is_done_is_refused_before_the_answer_begins() -> None:
    client = client_of(ONLY_WEATHER)
    await client.turn(choice=ToolChoice("required"))
    client.bring("rain")
    with pytest.raises(InvalidRequest, match="Every call of the plan was made") as refused:
        await client.calling.check(client.request(choice=ToolChoice("required")))
    assert refused.value.param == "tool_choice"


async def test_after_too_many_calls_what_came_back_is_told_and_no_other_may_be_required() -> None:
    client = client_of("1. join()")
    for number in range(MAX_CALLS):
        client.turns += [
            Called(f"c{number}", "get-weather", {"city": "Oslo"}),
            Returned(f"c{number}", "rain"),
        ]
    assert await client.turn() == []
    assert f"{MAX_CALLS} calls" in client.text
    with pytest.raises(InvalidRequest) as refused:
        await client.calling.check(client.request(choice=ToolChoice("required")))
    assert refused.value.param == "tool_choice"
    assert client.planner.requests == []


async def test_a_request_that_is_too_long_for_a_planner_without_words_is_refused() -> None:
    client = client_of(ONLY_WEATHER)
    client.turns = [Said("user", "x" * 8_001)]
    with pytest.raises(RequestTooLarge) as refused:
        await client.calling.check(client.request())
    assert refused.value.param == "query"


async def test_a_result_of_a_megabyte_goes_into_the_next_call() -> None:
    client = client_of(ONE_THEN_MAIL)
    await client.turn()
    client.bring("ä" * 1_000_000)
    ((_, arguments),) = await client.turn()
    assert len(arguments["text"]) == 1_000_000


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan", ["1. add(a=1e999, b=1)\n2. join()", '1. add(1, 2)\n2. add("$1", 2)\n3. join()']
)
async def test_arguments_are_always_json(plan: str) -> None:
    client = client_of(plan, tools=[ADD])
    try:
        await client.turn()
        client.bring("Infinity")
        assert await client.turn() == []
    except PlannerFailed as error:
        assert "number" in str(error)


async def test_what_the_schema_says_of_all_arguments_together_is_checked() -> None:
    schema = {
        "type": "object",
        "properties": {"city": TEXT, "zip": TEXT},
        "anyOf": [{"required": ["city"]}, {"required": ["zip"]}],
    }
    place = ClientTool("place", tool_from_schema("place", "", schema), strict=True)
    with pytest.raises(PlannerFailed, match="place"):
        await client_of("1. place()\n2. join()", tools=[place]).turn()
    assert await client_of('1. place(zip="1")\n2. join()', tools=[place]).turn() == [("place", {"zip": "1"})]


async def test_names_that_plans_cannot_write_come_back_as_the_client_wrote_them() -> None:
    odd = tool("join", **{"from": TEXT, "class": TEXT, "user-id": TEXT, "$ref": TEXT})
    client = client_of('1. join_(from_="a", class_="b", user_id="c", _ref="d")\n2. join()', tools=[odd])
    assert await client.turn() == [("join", {"from": "a", "class": "b", "user-id": "c", "$ref": "d"})]


@pytest.mark.parametrize("reference", ["#/$defs/Args", "#/definitions/Args"])
async def test_a_schema_that_only_refers_has_the_arguments_that_it_refers_to(reference: str) -> None:
    home = reference.split("/")[1]
    args = {"type": "object", "properties": {"x": {"$ref": f"#/{home}/Text"}}, "required": ["x"]}
    schema = {"$ref": reference, home: {"Args": args, "Text": TEXT}}
    client = client_of('1. f(x="a")\n2. join()', tools=[ClientTool("f", tool_from_schema("f", "", schema))])
    assert await client.turn() == [("f", {"x": "a"})]


async def test_a_schema_may_refer_to_any_of_its_parts() -> None:
    schema = {
        "type": "object",
        "properties": {
            "first": {"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
            "second": {"$ref": "#/properties/first"},
            "inner": {"type": "array", "items": {"$ref": "#/properties/first/properties/name"}},
        },
        "required": ["first", "second", "inner"],
    }
    f = ClientTool("f", tool_from_schema("f", "", schema))
    given = {"first": {"name": "a"}, "second": {"name": "b"}, "inner": ["c"]}
    client = client_of(f"1. f({', '.join(map(repr, given.values()))})\n2. join()", tools=[f])
    assert await client.turn() == [("f", given)]
    with pytest.raises(PlannerFailed, match="second is not acceptable"):
        await client_of('1. f({"name": "a"}, {"name": 5}, [])\n2. join()', tools=[f]).turn()


async def test_a_schema_that_contains_itself_is_followed_as_deep_as_the_value() -> None:
    schema = {"type": "object", "properties": {"name": TEXT, "child": {"$ref": "#"}}, "required": ["name"]}
    tree = ClientTool("tree", tool_from_schema("tree", "", schema))
    client = client_of('1. tree("a", {"name": "b", "child": {"name": "c"}})\n2. join()', tools=[tree])
    assert (await client.turn())[0][1]["child"]["child"] == {"name": "c"}
    with pytest.raises(PlannerFailed):
        await client_of('1. tree("a", {"name": "b", "child": {}})\n2. join()', tools=[tree]).turn()


# --- results that are failures, and those that are none --------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Error: no such city",
        "An error occurred while running the tool. Please try again.",
        "Error invoking tool 'weather'",
        "Error getting weather: timeout",
        "Error 404: not found",
        "error code 7: busy",
        "KeyError: 'city'",
        "requests.exceptions.HTTPError: 404",
        "Traceback (most recent call last):",
        '{"error": "no such city"}',
        '{"error": {"code": 404}}',
        '{"error": true}',
        '{"error": 404, "message": "not found"}',
        '{"content": [], "isError": true}',
    ],
)
def test_a_result_that_tells_of_a_failure_is_one(text: str) -> None:
    assert Done(Called("c", "f", {}), text).failed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Error rate: 5 %",
        "The error rate: 5 %",
        "Error handling in Python",
        "Error log: all is well",
        "Exceptions to the rule: none",
        "No error: fine",
        '{"error": null, "city": "Oslo"}',
        '{"error": false}',
        '{"error": ""}',
        '{"error": 0}',
        '{"error": 0.02, "value": 5.1}',
        '{"isError": false}',
        '"Error"',
        "[" * 100_000,
        "9" * 5_000,
    ],
)
def test_a_result_that_only_looks_like_a_failure_is_none(text: str) -> None:
    assert not Done(Called("c", "f", {}), text).failed


async def test_what_needs_a_call_that_could_not_be_made_is_told_why() -> None:
    client = client_of(
        '1. get_weather("Oslo")\n2. add(1)\n3. send("a@b.c", "$2")\n4. join()', tools=[WEATHER, MAIL, ADD]
    )
    await client.turn()
    client.bring("rain")
    assert await client.turn() == []
    assert "add" in client.text
    assert "which failed" in client.text
    assert json.dumps(client.text)
