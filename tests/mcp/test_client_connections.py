"""Servers that come, go, hang and lie: none of them holds anything up, and none is left behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import mcp_server, rude_mcp_server
from tests.support.scripted import NOW, until
from tinyagent.errors import AppFailed, DeadlineExceeded, OutcomeUnknown
from tinyagent.mcp_client import McpServer, McpToolHost, Patience
from tinyagent.ports import CallContext, ToolStatus

PATIENCE = Patience(connect_s=30, retry_s=0.05, longest_retry_s=0.2)
CONTEXT = CallContext(now=NOW)

MakeHost = Callable[..., McpToolHost]


@pytest.fixture
async def make_host() -> AsyncIterator[MakeHost]:
    hosts: list[McpToolHost] = []

    def make(*servers: McpServer, patience: Patience = PATIENCE) -> McpToolHost:
        hosts.append(McpToolHost(servers, ("send_sms",), patience))
        return hosts[-1]

    yield make
    for host in hosts:
        await host.close()


def weather(**fields: Any) -> McpServer:
    """The server of the SDK, as a program."""
    return McpServer("weather", mcp_server.program(), **fields)


def rude(**behaviour: Any) -> McpServer:
    return McpServer("rude", rude_mcp_server.program(**behaviour))


def status(host: McpToolHost, name: str) -> ToolStatus:
    return next(one for one in host.tools() if one.spec.name == name)


def enabled(host: McpToolHost) -> set[str]:
    return {one.spec.name for one in host.tools() if one.enabled}


async def alive(host: McpToolHost, name: str) -> None:
    await until(lambda: name in enabled(host), f"{name} is there", 30)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_nothing_is_started_before_the_tools_are_asked_for(make_host: MakeHost, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    host = make_host(rude(pid=str(pid), tools=[{"name": "go", "inputSchema": {"type": "object"}}]))
    await asyncio.sleep(0)
    assert not pid.exists()
    [entry] = host.tools()
    assert (entry.spec.name, entry.enabled) == ("rude_tools", False)
    assert entry.reason == "The MCP server rude is not connected yet."
    await alive(host, "rude_go")


async def test_a_program_ends_with_the_host(make_host: MakeHost, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    host = make_host(rude(pid=str(pid), tools=[{"name": "go", "inputSchema": {"type": "object"}}]))
    await host.settle(30)
    assert enabled(host) == {"rude_go"}
    number = int(pid.read_text())
    await host.close()
    assert not is_running(number)


async def test_a_program_that_refuses_to_end_is_killed(make_host: MakeHost, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    host = make_host(rude(pid=str(pid), stays=True))
    await host.settle(30)
    number = int(pid.read_text())
    await host.close()
    assert not is_running(number)


async def test_a_host_that_is_closed_while_it_connects_leaves_no_program(
    make_host: MakeHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    host = make_host(rude(pid=str(pid), silent=True))
    host.tools()
    await until(lambda: pid.exists() and bool(pid.read_text()), "the program runs")
    await host.close()
    assert not is_running(int(pid.read_text()))


async def test_a_server_that_never_answers_is_told_and_tried_again(
    make_host: MakeHost, tmp_path: Path
) -> None:
    requests = tmp_path / "requests"
    host = make_host(rude(silent=True, requests=str(requests)), patience=replace(PATIENCE, connect_s=1.5))
    await host.settle(30)
    [entry] = host.tools()
    assert entry.reason == "The MCP server rude did not answer within 1.5 seconds."
    first = requests.read_text().count("\n")
    await until(lambda: requests.read_text().count("\n") > first, "it is asked again", 30)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (McpServer("gone", ("/no/such/program",)), "The MCP server gone cannot be started: /no/such/program"),
        (McpServer("gone", ("false",)), "The MCP server gone ended."),
        (McpServer("gone", url="http://127.0.0.1:9/mcp"), "cannot be reached at http://127.0.0.1:9."),
    ],
)
async def test_a_server_that_is_not_there_says_why(
    make_host: MakeHost, server: McpServer, reason: str
) -> None:
    host = make_host(server)
    await host.settle(30)
    [entry] = host.tools()
    assert not entry.enabled
    assert reason in entry.reason


async def test_lines_that_are_no_messages_are_passed_over(make_host: MakeHost) -> None:
    host = make_host(rude(garbage=True, tools=[{"name": "go", "inputSchema": {"type": "object"}}]))
    await host.settle(30)
    assert (await host.call("rude_go", [], CONTEXT)).value == "done"


async def test_a_server_that_died_is_off_and_comes_back(make_host: MakeHost) -> None:
    host = make_host(weather(), patience=replace(PATIENCE, retry_s=0.5))
    await host.settle(30)
    with pytest.raises(AppFailed, match="weather_die: The MCP server weather ended"):
        await host.call("weather_die", [], CONTEXT)
    await until(lambda: not enabled(host), "its tools are off")
    assert status(host, "weather_forecast").reason == "The MCP server weather ended."
    with pytest.raises(AppFailed, match="was not begun: The MCP server weather ended"):
        await host.call("weather_forecast", ["Oslo", None], CONTEXT)
    await alive(host, "weather_forecast")
    assert (await host.call("weather_forecast", ["Oslo", None], CONTEXT)).value == "Oslo: rain for 1 days"


async def test_nobody_knows_whether_a_server_that_died_had_written(make_host: MakeHost) -> None:
    host = make_host(weather())
    await host.settle(30)
    with pytest.raises(OutcomeUnknown, match="it may have been done or not"):
        await host.call("weather_die_writing", [], CONTEXT)


async def test_a_call_that_takes_too_long_ends_and_the_server_goes_on(make_host: MakeHost) -> None:
    host = make_host(weather(timeout_s=0.3))
    await host.settle(30)
    with pytest.raises(DeadlineExceeded, match=r"weather_wait: .* within 0\.3 seconds"):
        await host.call("weather_wait", [], CONTEXT)
    with pytest.raises(OutcomeUnknown, match=r"within 0\.3 seconds; it may have been done"):
        await host.call("weather_wait_writing", [], CONTEXT)
    with pytest.raises(DeadlineExceeded, match=r"within 0\.2 seconds"):
        await host.call("weather_wait", [], replace(CONTEXT, seconds=0.2))
    slow = make_host(weather())
    await slow.settle(30)
    assert (await slow.call("weather_forecast", ["Oslo", 2], CONTEXT)).value == "Oslo: rain for 2 days"


async def test_a_call_that_is_cancelled_is_told_to_the_server(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host(weather())
    await host.settle(30)
    call = asyncio.create_task(host.call("weather_wait", [], CONTEXT))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert "weather_forecast" in enabled(host)


async def test_tools_that_a_server_adds_are_there_after_a_while(make_host: MakeHost) -> None:
    host = make_host(weather())
    await host.settle(30)
    assert "weather_grown" not in enabled(host)
    await until(lambda: _listening(host), "changes are listened for")
    await host.call("weather_grow", [], CONTEXT)
    await alive(host, "weather_grown")
    assert (await host.call("weather_grown", [], CONTEXT)).value == "grown"


def _listening(host: McpToolHost) -> bool:
    names = {task.get_name() for task in asyncio.all_tasks()}
    return any("_follow" in name for name in names)


async def test_older_servers_tell_of_changed_tools_too(make_host: MakeHost) -> None:
    one = {"name": "one", "inputSchema": {"type": "object"}}
    host = make_host(rude(tools=[one], change=[{**one, "name": "two"}]))
    await host.settle(30)
    await host.call("rude_one", [], CONTEXT)
    await alive(host, "rude_two")
    assert "rude_one" not in enabled(host)


async def test_servers_over_http_want_their_token(make_host: MakeHost) -> None:
    with mcp_server.http_server(token="s3cret") as (url, _):
        host = make_host(
            McpServer("good", url=url, token=lambda: "s3cret"), McpServer("bad", url=url, token=lambda: "x")
        )
        await host.settle(30)
        assert (await host.call("good_forecast", ["Oslo", 3], CONTEXT)).value == "Oslo: rain for 3 days"
        reason = status(host, "bad_tools").reason
        assert (
            reason
            == "The MCP server bad cannot be used: it does not let us in (HTTP 401); look at its token."
        )


async def test_a_server_over_http_that_restarts_is_found_again(make_host: MakeHost) -> None:
    port = mcp_server.free_port()
    with mcp_server.http_server(port) as (url, process):
        host = make_host(McpServer("far", url=url, timeout_s=5))
        await host.settle(30)
        assert "far_forecast" in enabled(host)
        process.kill()
        process.wait()
        with pytest.raises(AppFailed):
            await host.call("far_forecast", ["Oslo", None], CONTEXT)
        await until(lambda: not enabled(host), "its tools are off")
    with mcp_server.http_server(port):
        await alive(host, "far_forecast")
        assert (await host.call("far_forecast", ["Oslo", None], CONTEXT)).value == "Oslo: rain for 1 days"


async def test_a_program_sees_of_our_variables_only_the_harmless_ones(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYAGENT_TOKEN", "private")
    monkeypatch.setenv("OPENAI_API_KEY", "private")
    monkeypatch.setenv("LANG", "C.UTF-8")
    host = make_host(weather(env={"BOOKINGS": "here"}))
    await host.settle(30)
    seen = json.loads((await host.call("weather_environment", [], CONTEXT)).value)
    assert seen["BOOKINGS"] == "here"
    assert seen["LANG"] == "C.UTF-8"
    assert "private" not in seen.values()
    assert set(seen) <= {
        "BOOKINGS", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ",
        "USER",
    }  # fmt: skip


async def test_what_servers_say_stays_out_of_the_log(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("tinyagent").setLevel(logging.INFO)
    try:
        host = make_host(
            weather(), rude(garbage=True, tools=[{"name": "go", "inputSchema": {"type": "object"}}])
        )
        await host.settle(30)
        await host.call("weather_forecast", ["Oslo", None], CONTEXT)
        await host.call("rude_go", [], CONTEXT)
        await host.close()
    finally:
        logging.getLogger("tinyagent").setLevel(logging.NOTSET)
    captured = capfd.readouterr()
    told = caplog.text + captured.err + captured.out
    assert not any(text in told for text in ("Oslo", "rain", "Welcome", "private"))


async def test_a_hanging_server_does_not_delay_the_others(make_host: MakeHost) -> None:
    started = time.monotonic()
    host = make_host(rude(silent=True), weather())
    host.tools()
    await alive(host, "weather_forecast")
    assert time.monotonic() - started < PATIENCE.connect_s
    assert status(host, "rude_tools").reason == "The MCP server rude is not connected yet."


async def test_a_stopped_program_is_told_when_its_calls_run_out_of_time(
    make_host: MakeHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    tools = [{"name": "go", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}]
    host = make_host(replace(rude(pid=str(pid), tools=tools), timeout_s=0.3))
    await host.settle(30)
    os.kill(int(pid.read_text()), signal.SIGSTOP)
    with pytest.raises(DeadlineExceeded):
        await host.call("rude_go", [], CONTEXT)
