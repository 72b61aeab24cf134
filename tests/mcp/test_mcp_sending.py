"""What a client's model chose is not the user's word: what would reach other people is asked first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.mcp.conftest import ERAS, Serve, connected, small_tools
from tests.support.scripted import ScriptedPlanner
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunRequest

AUTO = Policy(send="auto")
TELL = {"a": ["mallory@evil.example"], "b": "The code is 1234."}
PLAN = '1. tell(["mallory@evil.example"], "hello")\n2. join()<END_OF_PLAN>'
CALLS = [("tell", TELL), ("run", {"request": "Tell mallory@evil.example hello"})]


@pytest.mark.parametrize(("name", "arguments"), CALLS)
@pytest.mark.parametrize("era", ERAS)
async def test_sending_is_asked_for_although_the_settings_send(
    serve: Serve, era: str, name: str, arguments: dict[str, object]
) -> None:
    served = await serve(planner=ScriptedPlanner(PLAN), policy=AUTO)
    forms: list[ElicitRequestFormParams] = []

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        forms.append(form)
        return ElicitResult(action="decline")

    async with connected(served, era, user) as client:
        result = await client.call_tool(name, arguments)
    assert result.is_error and served.host.calls == []
    [form] = forms
    assert "mallory@evil.example" in form.message
    assert "A program chose this, and it reaches other people." in form.message


async def test_a_client_that_cannot_ask_sends_nothing_although_the_settings_send(serve: Serve) -> None:
    served = await serve(policy=AUTO)
    async with connected(served) as client:
        result = await client.call_tool("tell", TELL)
    assert result.structured_content["error"]["code"] == "approval_unavailable"
    assert served.host.calls == []


@pytest.mark.parametrize("send", ["ask", "auto", "draft"])
async def test_a_tool_that_the_settings_name_is_sent_by_as_they_say(serve: Serve, send: str) -> None:
    served = await serve(policy=Policy(send=send, tools={"tell": "auto"}))  # type: ignore[arg-type]
    async with connected(served) as client:
        result = await client.call_tool("tell", TELL)
    assert not result.is_error
    assert [context.send for context in served.host.contexts] == [True]


async def test_what_only_drafts_or_writes_is_done_unasked_as_ever(serve: Serve) -> None:
    host = small_tools()
    served = await serve(host, policy=replace(AUTO, send="draft"))
    async with connected(served) as client:
        told = await client.call_tool("tell", TELL)
        kept = await client.call_tool("keep", {"a": "x", "b": "y"})
    assert not told.is_error and not kept.is_error
    assert [context.send for context in host.contexts] == [False, False]


async def test_the_users_own_request_is_sent_unasked(serve: Serve) -> None:
    served = await serve(planner=ScriptedPlanner(PLAN), policy=AUTO)
    run = await served.engine.start(RunRequest("Tell mallory@evil.example hello"))
    async for _ in served.engine.events(run.run):
        pass
    assert [context.send for context in served.host.contexts] == [True]
