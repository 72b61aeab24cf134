"""Tools and whole requests, called by the official client over HTTP, in both of the protocol's eras."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from tests.mcp.conftest import ERAS, Serve, connected, small_tools
from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tinyagent.errors import Ambiguous
from tinyagent.ports import ToolResult
from tinyagent.tools.registry import BUILT_IN


def texts(result: Any) -> str:
    return "\n".join(block.text for block in result.content)


def built_in() -> FakeHost:
    host = FakeHost()
    for tool in BUILT_IN:
        host.add(tool.spec)
    return host


# --- what is offered -------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
async def test_every_tool_and_run_are_offered_with_their_schemas(serve: Serve, era: str) -> None:
    served = await serve(built_in())
    async with connected(served, era) as client:
        offered = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(offered) == ["run", *(tool.spec.name for tool in BUILT_IN)]
    for tool in BUILT_IN:
        assert offered[tool.spec.name].input_schema == tool.spec.json_schema()
        assert offered[tool.spec.name].output_schema is not None
    assert offered["send_sms"].title == "Send SMS"
    assert offered["get_zoom_meeting_link"].title == "Get Zoom meeting link"


async def test_hints_tell_what_each_of_the_sixteen_tools_does_to_the_world(serve: Serve) -> None:
    served = await serve(built_in())
    async with connected(served) as client:
        hints = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    reading = {name for name, hint in hints.items() if hint and hint.read_only_hint}
    dangerous = {name for name, hint in hints.items() if hint and hint.destructive_hint}
    repeatable = {name for name, hint in hints.items() if hint and hint.idempotent_hint}
    outside = {name for name, hint in hints.items() if hint and hint.open_world_hint}
    sending = {"compose_new_email", "reply_to_email", "forward_email", "send_sms"}
    maps = {"maps_open_location", "maps_show_directions"}
    assert reading == {"get_phone_number", "get_email_address", "summarize_pdf", "open_note"}
    assert dangerous == {"run", *sending}
    assert repeatable == {*reading, *maps, "open_and_get_file_path"}
    assert outside == {"run", "get_zoom_meeting_link", *sending, *maps}


async def test_a_tool_that_cannot_be_used_is_not_offered_and_says_why_when_it_is_called(serve: Serve) -> None:
    host = small_tools()
    host.switch_off("keep", "no folder is configured")
    served = await serve(host)
    async with connected(served) as client:
        offered = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("keep", {"a": "x", "b": "y"})
    assert offered == ["run", "look", "tell"]
    assert result.is_error and "no folder is configured" in texts(result)
    assert await served.runs() == []


# --- one tool --------------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_of_a_tool_is_a_run_like_any_other(serve: Serve, era: str) -> None:
    served = await serve()
    async with connected(served, era) as client:
        result = await client.call_tool("keep", {"b": "two", "a": "one"})
    assert not result.is_error
    assert served.host.calls == [("keep", ("one", "two"))]
    [run] = await served.runs()
    assert (run.status, run.query) == ("completed", "Keep: b two; a one")
    assert result.structured_content == {
        "run": run.run,
        "value": "keep(one, two)",
        "message": "keep is done.",
    }
    assert texts(result) == "keep is done.\nkeep(one, two)"


@pytest.mark.parametrize(
    "text",
    ["costs $1 and ${2}", 'quotes " and \\ back', "two\nlines", "<END_OF_PLAN>", "2. join()", "\u2028 é 🎈"],
)
async def test_a_text_reaches_the_tool_as_it_was_given(serve: Serve, text: str) -> None:
    served = await serve()
    async with connected(served) as client:
        result = await client.call_tool("look", {"a": text})
    assert not result.is_error
    assert served.host.calls == [("look", (text,))]


async def test_a_failed_call_is_an_answer_with_the_choices_and_no_protocol_error(serve: Serve) -> None:
    async def two_of_them(arguments: Any) -> str:
        raise Ambiguous("Two contacts match.", hint="Say which.", candidates=("Sid A", "Sid B"))

    served = await serve(FakeHost().add(spec("look", "str"), two_of_them))
    async with connected(served) as client:
        result = await client.call_tool("look", {"a": "Sid"})
    assert result.is_error
    assert texts(result) == "Two contacts match.\n- Sid A\n- Sid B\nSay which."
    assert result.structured_content["error"]["code"] == "ambiguous"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "needs a, b"),
        ({"a": "x", "b": "y", "c": "z"}, "no argument 'c'"),
        ({"a": "x", "b": 3}, "b must be str"),
        ({"a": "x", "b": None}, "b must be str"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_and_nothing_is_run(
    serve: Serve, arguments: dict[str, Any], says: str
) -> None:
    served = await serve()
    async with connected(served) as client:
        result = await client.call_tool("keep", arguments)
    assert result.is_error and says in texts(result)
    assert await served.runs() == []


async def test_an_unknown_tool_is_a_protocol_error(serve: Serve) -> None:
    served = await serve()
    async with connected(served) as client:
        with pytest.raises(MCPError, match="Unknown tool: nothing"):
            await client.call_tool("nothing", {})


async def test_text_of_others_is_marked_and_a_link_is_told(serve: Serve) -> None:
    async def letter(arguments: Any) -> ToolResult:
        return ToolResult("Do as I say.", "The letter.", "https://example.org/letter", untrusted=True)

    served = await serve(FakeHost().add(spec("look", "str"), letter))
    async with connected(served) as client:
        result = await client.call_tool("look", {"a": "x"})
    assert result.structured_content["untrusted"] is True
    assert texts(result) == "The letter.\nDo as I say.\nLink: https://example.org/letter"


# --- a whole request -------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
async def test_a_request_in_words_is_planned_and_carried_out_with_progress(serve: Serve, era: str) -> None:
    served = await serve()
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async with connected(served, era) as client:
        result = await client.call_tool("run", {"request": "Say hello to Sid"}, progress_callback=note)
    assert not result.is_error
    outcome = result.structured_content
    assert outcome["status"] == "completed" and outcome["plan"].startswith('1. look("Sid")')
    assert [task["status"] for task in outcome["tasks"]] == ["succeeded", "succeeded"]
    assert texts(result) == outcome["answer"]
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    news = [message for _, message in told]
    for expected in ("1. look is planned.", "1. look is done.", "2. Started.", "2. keep is done."):
        assert expected in news


async def test_a_plan_alone_does_nothing(serve: Serve) -> None:
    served = await serve()
    async with connected(served) as client:
        result = await client.call_tool("run", {"request": "Say hello to Sid", "mode": "plan"})
    assert not result.is_error and '2. keep("$1", "hello")' in texts(result)
    assert served.host.calls == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "`request`"),
        ({"request": "  "}, "empty"),
        ({"request": "x", "mode": "dream"}, "`mode`"),
        ({"request": "x", "planner": "nobody"}, "nobody"),
        ({"request": "x", "more": 1}, "`more`"),
    ],
)
async def test_a_request_that_cannot_be_run_is_told(
    serve: Serve, arguments: dict[str, Any], says: str
) -> None:
    served = await serve()
    async with connected(served) as client:
        result = await client.call_tool("run", arguments)
    assert result.is_error and says in texts(result)


async def test_many_calls_at_once_are_each_answered_with_their_own_result(serve: Serve) -> None:
    served = await serve()
    async with connected(served, "legacy") as client:
        results = await asyncio.gather(*(client.call_tool("look", {"a": f"n{i}"}) for i in range(8)))
    assert [result.structured_content["value"] for result in results] == [f"look(n{i})" for i in range(8)]


# --- taking a call back, and leaving ---------------------------------------------------------


class Slow:
    """A tool that waits until it is let go."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, arguments: Any) -> str:
        self.started.set()
        await self.go.wait()
        return "slow"


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_the_client_cancels_is_cancelled(serve: Serve, era: str) -> None:
    slow = Slow()
    served = await serve(FakeHost().add(spec("look", "str"), slow))
    async with connected(served, era) as client:
        call = asyncio.create_task(client.call_tool("look", {"a": "x"}))
        await slow.started.wait()
        call.cancel()
        await asyncio.wait({call})
        run = (await served.runs())[0].run
        async for _ in served.engine.events(run):
            pass
    state = await served.engine.get(run)
    assert state.status == "cancelled"
    assert state.fault is not None and state.fault.message == "The client cancelled the call."


async def test_a_broken_connection_does_not_cancel_the_call_of_a_session(serve: Serve) -> None:
    slow = Slow()
    served = await serve(FakeHost().add(spec("look", "str"), slow))
    started = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "look", "arguments": {"a": "x"}},
    }
    async with served.raw() as raw:
        answer = await raw.post("/mcp", json=started)
        session = {"Mcp-Session-Id": answer.headers["mcp-session-id"]}
        done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await raw.post("/mcp", json=done, headers=session)
        async with raw.stream("POST", "/mcp", json=call, headers=session):
            await slow.started.wait()
    slow.go.set()
    run = (await served.runs())[0].run
    async for _ in served.engine.events(run):
        pass
    assert (await served.engine.get(run)).status == "completed"


async def test_a_session_that_is_ended_leaves_its_runs_to_go_on(serve: Serve) -> None:
    slow = Slow()
    served = await serve(FakeHost().add(spec("look", "str"), slow))
    async with connected(served, "legacy") as client:
        call = asyncio.create_task(client.call_tool("look", {"a": "x"}))
        await slow.started.wait()
    with pytest.raises((MCPError, asyncio.CancelledError)):
        await call
    slow.go.set()
    run = (await served.runs())[0].run
    async for _ in served.engine.events(run):
        pass
    assert (await served.engine.get(run)).status == "completed"


async def test_a_call_that_waits_for_its_planner_can_be_cancelled(serve: Serve) -> None:
    planning = asyncio.Event()

    async def forever() -> None:
        planning.set()
        await asyncio.Event().wait()

    served = await serve(planner=ScriptedPlanner(["1. lo", forever()]))
    async with connected(served, "legacy") as client:
        call = asyncio.create_task(client.call_tool("run", {"request": "anything"}))
        await planning.wait()
        call.cancel()
        run = (await served.runs())[0].run
        async with asyncio.timeout(10):
            async for _ in served.engine.events(run):
                pass
    assert (await served.engine.get(run)).status == "cancelled"


async def test_the_endpoint_stops_while_a_call_is_under_way(serve: Serve) -> None:
    slow = Slow()
    served = await serve(FakeHost().add(spec("look", "str"), slow))
    async with connected(served, "legacy") as client:
        call = asyncio.create_task(client.call_tool("look", {"a": "x"}))
        await slow.started.wait()
        await served.endpoint.close()
        with pytest.raises(MCPError):
            await call
    slow.go.set()
    run = (await served.runs())[0].run
    async for _ in served.engine.events(run):
        pass
    assert (await served.engine.get(run)).status == "completed"
