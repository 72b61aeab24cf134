"""The server and the relay on a pipe, as programs that clients start speak: both eras of the protocol."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequestFormParams, ElicitResult, InputRequiredResult

from tests.mcp.conftest import ASK, ERAS, MODERN, RUNNER, Serve, Served, wired
from tests.support.scripted import FakeHost, spec
from tests.support.server import free_port
from tinyagent.mcp_server.relay import Upstream, build_relay
from tinyagent.mcp_server.server import build_server

TELL = {"a": ["ana@example.org"], "b": "Lunch?"}
YES = ElicitResult(action="accept", content={"approve": True})


def direct(served: Served) -> Server[Any]:
    return build_server(served.engine, lambda context: "owner")


def relayed(served: Served) -> Server[Any]:
    return build_relay(Upstream(served.url, RUNNER))


WAYS = pytest.mark.parametrize("way", [direct, relayed])
BOTH = pytest.mark.parametrize("era", ERAS)


class Slow:
    """A tool that waits until its run is stopped."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def __call__(self, arguments: Any) -> str:
        self.started.set()
        await asyncio.Event().wait()
        return ""


@WAYS
@BOTH
async def test_a_call_and_its_progress_go_through(serve: Serve, way: Any, era: str) -> None:
    served = await serve()
    news: list[str | None] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        news.append(message)

    async with wired(way(served), era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["run", "look", "keep", "tell"]
        result = await client.call_tool("look", {"a": "Sid"}, progress_callback=told)
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("nothing", {})
    assert result.structured_content["value"] == "look(Sid)"
    assert "1. look is done." in news


@WAYS
@BOTH
async def test_the_user_is_asked_and_says_yes(serve: Serve, way: Any, era: str) -> None:
    served = await serve(policy=ASK)
    forms: list[ElicitRequestFormParams] = []

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        forms.append(form)
        return YES

    async with wired(way(served), era, user) as client:
        result = await client.call_tool("tell", TELL)
    assert not result.is_error and len(forms) == 1 and len(served.host.calls) == 1


@WAYS
async def test_a_user_who_does_not_answer_has_said_no_in_time(serve: Serve, way: Any) -> None:
    served = await serve(policy=replace(ASK, wait_s=0.3))

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        await asyncio.Event().wait()
        return YES

    async with asyncio.timeout(10), wired(way(served), "legacy", user) as client:
        result = await client.call_tool("tell", TELL)
    assert result.is_error and served.host.calls == []
    assert result.structured_content["error"]["code"] == "rejected"


@WAYS
@BOTH
async def test_a_client_that_cannot_ask_is_refused(serve: Serve, way: Any, era: str) -> None:
    served = await serve(policy=ASK)
    async with wired(way(served), era) as client:
        result = await client.call_tool("tell", TELL)
    assert result.structured_content["error"]["code"] == "approval_unavailable"


@WAYS
@BOTH
async def test_a_cancelled_call_is_cancelled(serve: Serve, way: Any, era: str) -> None:
    slow = Slow()
    served = await serve(FakeHost().add(spec("look", "str"), slow))
    async with wired(way(served), era) as client:
        call = asyncio.create_task(client.call_tool("look", {"a": "x"}))
        await slow.started.wait()
        call.cancel()
        run = (await served.runs())[0].run
        async with asyncio.timeout(10):
            async for _ in served.engine.events(run):
                pass
    assert (await served.engine.get(run)).status == "cancelled"


async def test_the_state_of_a_question_is_sealed_by_the_server_that_asked(serve: Serve) -> None:
    served = await serve(policy=ASK)

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        return YES

    async with wired(relayed(served), MODERN, user) as client:
        paused = await client.session.call_tool("tell", TELL, allow_input_required=True)
        assert isinstance(paused, InputRequiredResult)
        with pytest.raises(MCPError, match="requestState"):
            await client.call_tool("tell", TELL, request_state='{"run": "run_1"}')
        result = await client.call_tool(
            "tell", TELL, input_responses={"approval": YES}, request_state=paused.request_state
        )
    assert not result.is_error


async def test_a_relay_without_a_server_says_so(serve: Serve) -> None:
    upstream = Upstream(f"http://127.0.0.1:{free_port()}", RUNNER)
    async with wired(build_relay(upstream)) as client:
        result = await client.call_tool("look", {"a": "x"})
        with pytest.raises(MCPError, match="No server answers"):
            await client.list_tools()
    assert result.structured_content["error"]["code"] == "server_unreachable"


async def test_a_relay_with_a_wrong_token_gets_nothing(serve: Serve) -> None:
    served = await serve()
    async with wired(build_relay(Upstream(served.url, "wrong"))) as client:
        with pytest.raises(MCPError):
            await client.call_tool("look", {"a": "x"})
    assert await served.runs() == []


async def cut_off(heads: bytes) -> tuple[str, asyncio.Server]:
    """A server that takes a request, begins to answer with `heads`, and hangs up."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(1)
        writer.write(heads)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", server


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 900\r\n\r\n: wait\r\n\r\n"


@pytest.mark.parametrize("heads", [b"", EVENTS], ids=["no answer", "half an answer"])
@BOTH
async def test_a_call_whose_server_is_lost_in_the_middle_may_have_been_done(heads: bytes, era: str) -> None:
    url, server = await cut_off(heads)
    async with server, wired(build_relay(Upstream(url, RUNNER)), era) as client:
        result = await client.call_tool("keep", {"a": "x", "b": "y"})
    assert result.is_error
    assert result.structured_content["error"]["code"] == "outcome_unknown"
    assert "was lost" in result.content[0].text and "tinyagent runs list" in result.content[0].text


@BOTH
async def test_a_very_long_result_goes_through_the_relay(serve: Serve, era: str) -> None:
    async def much(arguments: Any) -> str:
        return "x" * 1_500_000

    served = await serve(FakeHost().add(spec("look", "str"), much))

    async def told(progress: float, total: float | None, message: str | None) -> None:
        pass

    async with wired(relayed(served), era) as client:
        result = await client.call_tool("look", {"a": "x"}, progress_callback=told)
    assert not result.is_error
    assert len(result.structured_content["value"]) == 1_500_000
