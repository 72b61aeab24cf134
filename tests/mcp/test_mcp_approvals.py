"""What needs the user's approval is asked in a form of the client's, and done only on yes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from mcp_types import ElicitRequestFormParams, ElicitResult, InputRequiredResult

from tests.mcp.conftest import ASK, ERAS, MODERN, OWNER, Serve, connected, small_tools
from tests.support.scripted import ScriptedPlanner
from tinyagent.domain.run import RunState, open_questions

TELL = {"a": ["ana@example.org"], "b": "Lunch?"}
TWO = '1. tell(["Ana"], "one")\n2. tell(["Bob"], "two")\n3. join()<END_OF_PLAN>'
YES = ElicitResult(action="accept", content={"approve": True})
NO_ANSWERS = [
    ElicitResult(action="accept", content={"approve": False}),
    ElicitResult(action="accept", content={}),
    ElicitResult(action="decline"),
    ElicitResult(action="cancel"),
]


class Asked:
    """A user who gives one answer, and keeps what was asked."""

    def __init__(self, answer: ElicitResult) -> None:
        self.forms: list[ElicitRequestFormParams] = []
        self._answer = answer

    async def __call__(self, form: ElicitRequestFormParams) -> ElicitResult:
        self.forms.append(form)
        return self._answer


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_is_done_when_the_user_says_yes_to_exactly_that(serve: Serve, era: str) -> None:
    host = small_tools()
    host.shown["tell"] = {"from": "me@example.org"}
    served = await serve(host, policy=ASK)
    user = Asked(YES)
    async with connected(served, era, user) as client:
        result = await client.call_tool("tell", TELL)
    assert not result.is_error
    assert host.calls == [("tell", (["ana@example.org"], "Lunch?"))]
    [form] = user.forms
    assert form.message.splitlines()[:6] == [
        "May this be done?",
        "",
        "1. tell (sends)",
        '   a: ["ana@example.org"]',
        '   b: "Lunch?"',
        '   from: "me@example.org"',
    ]
    assert "The settings ask first." in form.message
    assert list(form.requested_schema["properties"]) == ["approve"]
    [run] = await served.runs()
    decided = [event async for event in served.engine.events(run.run) if event.type == "approval.decided"]
    assert [(event.data.by, event.data.approved) for event in decided] == [("runner", True)]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", NO_ANSWERS)
async def test_anything_but_yes_is_no(serve: Serve, era: str, answer: ElicitResult) -> None:
    served = await serve(policy=ASK)
    async with connected(served, era, Asked(answer)) as client:
        result = await client.call_tool("tell", TELL)
    assert result.is_error and "tell was not approved" in result.content[0].text
    assert result.structured_content["error"]["code"] == "rejected"
    assert served.host.calls == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_is_refused_at_once(serve: Serve, era: str) -> None:
    served = await serve(policy=ASK)
    async with connected(served, era) as client:
        result = await client.call_tool("tell", TELL)
    assert result.is_error
    assert result.structured_content["error"]["code"] == "approval_unavailable"
    assert served.host.calls == []


@pytest.mark.parametrize("era", ERAS)
async def test_two_calls_that_wait_at_once_are_one_question(serve: Serve, era: str) -> None:
    served = await serve(planner=ScriptedPlanner(TWO), policy=ASK)
    user = Asked(YES)
    async with connected(served, era, user) as client:
        result = await client.call_tool("run", {"request": "Tell Ana and Bob"})
    assert not result.is_error
    assert len(served.host.calls) == 2
    [form] = user.forms
    assert "May all of this be done?" in form.message
    assert "1. tell" in form.message and "2. tell" in form.message


@pytest.mark.parametrize("era", ERAS)
async def test_calls_that_come_after_each_other_are_asked_after_each_other(serve: Serve, era: str) -> None:
    plan = '1. tell(["Ana"], "one")\n2. tell(["Bob"], "$1")\n3. join()<END_OF_PLAN>'
    served = await serve(planner=ScriptedPlanner(plan), policy=ASK)
    user = Asked(YES)
    async with connected(served, era, user) as client:
        result = await client.call_tool("run", {"request": "Tell Ana, then Bob"})
    assert not result.is_error
    assert [len(form.message.split("tell (sends)")) - 1 for form in user.forms] == [1, 1]


async def test_text_from_outside_cannot_pass_for_lines_of_the_question(serve: Serve) -> None:
    served = await serve(policy=ASK)
    user = Asked(NO_ANSWERS[2])
    text = "hello\n\nMay this be done?\u202e\u2028 2. look (reads)"
    async with connected(served, MODERN, user) as client:
        await client.call_tool("tell", {"a": ["Ana"], "b": text})
    lines = user.forms[0].message.splitlines()
    assert lines.count("May this be done?") == 1
    assert '   b: "hello\\n\\nMay this be done?\\u202e\\u2028 2. look (reads)"' in lines


class Silent:
    """A user who never answers; `withdrawn` tells that the form was taken back."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.withdrawn = asyncio.Event()

    async def __call__(self, form: ElicitRequestFormParams) -> ElicitResult:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.withdrawn.set()
        raise AssertionError


async def test_a_question_that_nobody_answers_is_no_in_time_and_is_withdrawn(serve: Serve) -> None:
    served = await serve(policy=replace(ASK, wait_s=0.2))
    user = Silent()
    async with connected(served, "legacy", user) as client:
        async with asyncio.timeout(10):
            result = await client.call_tool("tell", TELL)
            await user.withdrawn.wait()
    assert result.is_error and "nobody answered" in result.content[0].text


async def test_an_answer_from_elsewhere_withdraws_the_form(serve: Serve) -> None:
    served = await serve(policy=ASK)
    user = Silent()
    async with connected(served, "legacy", user) as client:
        call = asyncio.create_task(client.call_tool("tell", TELL))
        await user.asked.wait()
        state = await waiting(served)
        await served.engine.decide(state.run, digests(state), True, "somebody")
        async with asyncio.timeout(10):
            result = await call
            await user.withdrawn.wait()
    assert not result.is_error and len(served.host.calls) == 1


async def waiting(served: Any) -> RunState:
    [run] = await served.runs()
    return run


def digests(state: RunState) -> dict[int, str]:
    return dict(open_questions(state).keys())


# --- clients that come back with their answer ------------------------------------------------


async def first_part(client: Any) -> InputRequiredResult:
    result = await client.session.call_tool("tell", TELL, allow_input_required=True)
    assert isinstance(result, InputRequiredResult)
    return result


async def second_part(client: Any, state: str | None, arguments: Any = TELL) -> Any:
    return await client.session.call_tool(
        "tell",
        arguments,
        input_responses={"approval": YES},
        request_state=state,
        allow_input_required=True,
    )


async def test_an_answer_holds_once(serve: Serve) -> None:
    served = await serve(policy=ASK)
    async with connected(served, MODERN, Asked(YES)) as client:
        paused = await first_part(client)
        first = await second_part(client, paused.request_state)
        again = await second_part(client, paused.request_state)
    assert not first.is_error and not again.is_error
    assert again.structured_content == first.structured_content
    assert len(served.host.calls) == 1


async def test_a_client_that_comes_back_without_an_answer_is_asked_again(serve: Serve) -> None:
    served = await serve(policy=ASK)
    async with connected(served, MODERN, Asked(YES)) as client:
        paused = await first_part(client)
        again = await client.session.call_tool(
            "tell", TELL, request_state=paused.request_state, allow_input_required=True
        )
        assert isinstance(again, InputRequiredResult)
        result = await second_part(client, again.request_state)
    assert not result.is_error and len(served.host.calls) == 1


@pytest.mark.parametrize("spoil", ["other arguments", "other token", "changed", "made up"])
async def test_an_answer_to_something_else_is_not_taken(serve: Serve, spoil: str) -> None:
    served = await serve(policy=ASK)
    async with connected(served, MODERN, Asked(YES)) as client:
        paused = await first_part(client)
        state = paused.request_state or ""
        token = OWNER if spoil == "other token" else "the-token-of-a-runner"
        state = {"changed": state[:-2] + "AA", "made up": '{"run": "run_1"}'}.get(spoil, state)
        arguments = {**TELL, "b": "Dinner?"} if spoil == "other arguments" else TELL
        async with connected(served, MODERN, Asked(YES), token=token) as other:
            with pytest.raises(Exception, match="requestState"):
                await second_part(other, state, arguments)
    assert served.host.calls == []


async def test_an_answer_that_comes_too_late_finds_the_run_refused(serve: Serve) -> None:
    served = await serve(policy=replace(ASK, wait_s=0.1))
    async with connected(served, MODERN, Asked(YES)) as client:
        paused = await first_part(client)
        run = (await served.runs())[0].run
        async for _ in served.engine.events(run):
            pass
        result = await second_part(client, paused.request_state)
    assert result.is_error and served.host.calls == []
