"""`tinyagent mcp`, started as assistants start it: with a server beside it, and without one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.mcp.conftest import ERAS, MODERN, User
from tests.support import mcp_server
from tests.support.server import Server, free_port, serve, tinyagent
from tinyagent.tools.registry import BUILT_IN

YES = ElicitResult(action="accept", content={"approve": True})
NO = ElicitResult(action="decline")
NOTE = {"name": "Milk", "content": "two litres", "folder": ""}
OFFERED = ["run", *(tool.spec.name for tool in BUILT_IN)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("home")
    made = tinyagent(place, "demo")
    assert made.returncode == 0, made.stderr
    return place


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("served")
    made = tinyagent(place, "demo")
    assert made.returncode == 0, made.stderr
    with serve(place, TINYAGENT_DEMO="1", TINYAGENT_APPROVALS__WRITE="ask") as server:
        yield server


def surroundings(home: Path, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TINYAGENT_")}
    own = {"TINYAGENT_HOME": str(home), "TINYAGENT_PORT": str(port), "TINYAGENT_DEMO": "1"}
    return {**kept, **own, **more}


@asynccontextmanager
async def started(
    home: Path, port: int, era: str = MODERN, user: User | None = None, **environment: str
) -> AsyncGenerator[Client]:
    """The official client with the command that it has started."""

    async def asked(context: Any, params: Any) -> ElicitResult:
        assert user is not None
        return await user(params)

    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tinyagent", "mcp"],
        env=surroundings(home, port, **environment),
    )
    with (home / "mcp.log").open("a") as log:
        transport = stdio_client(command, errlog=log)
        async with Client(
            transport, mode=era, elicitation_callback=asked if user else None, cache=None
        ) as client:
            yield client


def notes(home: Path) -> list[str]:
    return [path.read_text() for path in home.rglob("*.md")]


# --- without a server ------------------------------------------------------------------------


async def test_without_a_server_calls_are_carried_out_by_the_command_itself(home: Path) -> None:
    async with started(home, free_port(), "legacy") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == OFFERED
        result = await client.call_tool("create_note", NOTE)
        planned = await client.call_tool(
            "run", {"request": "Create a note called Eggs that says twelve of them", "mode": "plan"}
        )
    assert not result.is_error, result.content
    assert any("Milk" in note and "two litres" in note for note in notes(home))
    assert "create_note(" in planned.structured_content["plan"]


async def test_a_question_reaches_the_user_through_the_command(home: Path) -> None:
    forms: list[ElicitRequestFormParams] = []

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        forms.append(form)
        return NO

    async with started(home, free_port(), MODERN, user, TINYAGENT_APPROVALS__WRITE="ask") as client:
        result = await client.call_tool("create_note", {**NOTE, "name": "Never"})
    assert result.is_error and result.structured_content["error"]["code"] == "rejected"
    assert len(forms) == 1 and "create_note (writes)" in forms[0].message
    assert not any("Never" in note for note in notes(home))


def test_standard_output_carries_the_protocol_alone_and_the_end_of_input_ends_it(home: Path) -> None:
    begin = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
    lines = [
        begin,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyagent", "mcp"],
        env=surroundings(home, free_port()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n".join(["no json at all", *map(json.dumps, lines)]) + "\n")
    process.stdin.flush()
    messages = [json.loads(process.stdout.readline()) for _ in range(2)]
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert rest == "" and [message.get("id") for message in messages] == [1, 2]
    assert messages[0]["result"]["protocolVersion"] == "2025-06-18"
    assert "No server runs" in errors and "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_without_a_word(home: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyagent", "mcp"],
        env=surroundings(home, free_port()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "No server runs" in process.stderr.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


# --- beside a server -------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
async def test_calls_and_questions_go_to_the_server_that_runs(server: Server, era: str) -> None:
    forms: list[ElicitRequestFormParams] = []

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        forms.append(form)
        return YES

    news: list[str | None] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        news.append(message)

    title = f"Eggs {era}"
    async with started(server.home, server.port, era, user) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == OFFERED
        arguments = {**NOTE, "name": title}
        result = await client.call_tool("create_note", arguments, progress_callback=told)
    assert not result.is_error, result.content
    assert len(forms) == 1 and title in forms[0].message
    assert any(title in note for note in notes(server.home))
    assert "1. Approved." in news
    with server.client() as http:
        run = http.get(f"/v1/runs/{result.structured_content['run']}").json()
    assert run["status"] == "completed" and run["planner"] == "given"


async def test_a_client_that_cannot_ask_is_refused_by_the_server(server: Server) -> None:
    for era in ERAS:
        async with started(server.home, server.port, era) as client:
            result = await client.call_tool("create_note", NOTE)
        assert result.structured_content["error"]["code"] == "approval_unavailable"


async def test_the_command_outlives_the_server(tmp_path: Path) -> None:
    port = free_port()
    contact = {"name": "nobody"}
    with serve(tmp_path / "home", port) as first:
        async with started(first.home, port, "legacy") as client:
            before = await client.call_tool("get_phone_number", contact)
            assert first.stop() == 0
            without = await client.call_tool("get_phone_number", contact)
            with serve(first.home, port):
                after = await client.call_tool("get_phone_number", contact)
    assert before.structured_content["error"]["code"] == "no_match"
    assert without.structured_content["error"]["code"] == "server_unreachable"
    assert after.structured_content["error"]["code"] == "no_match"


def test_a_wrong_token_is_told_at_the_start(server: Server) -> None:
    done = tinyagent(
        server.home, "mcp", TINYAGENT_PORT=str(server.port), TINYAGENT_TOKEN="of-another-server-1"
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "does not accept this token" in done.stderr


def test_a_server_that_was_named_and_is_not_there_is_told(home: Path) -> None:
    done = tinyagent(home, "--url", f"http://127.0.0.1:{free_port()}", "mcp")
    assert done.returncode == 1 and done.stdout == ""
    assert "No server answers" in done.stderr


async def test_a_server_with_open_sessions_stops_at_once(tmp_path: Path) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    with serve(tmp_path / "home") as server:
        async with httpx2.AsyncClient(headers=server.headers, timeout=20) as http:
            transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
            async with Client(transport, mode="legacy", cache=None) as client:
                await client.list_tools()
                assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


LOUD = '''
import os, subprocess, sys
from tinyagent.plugins import tool

print("printed")
os.write(1, b"written\\n")
subprocess.run(["echo", "said by a program"])
os.read(0, 10)

@tool(effect="read")
def shout(text: str) -> str:
    """Shout."""
    print(text)
    os.write(1, b"written\\n")
    subprocess.run(["echo", "said by a program"])
    sys.exit(3)
'''


async def test_own_tools_neither_write_into_the_protocol_nor_read_it_nor_end_it(home: Path) -> None:
    file = home / "loud.py"
    file.write_text(LOUD)
    async with started(home, free_port(), "legacy", TINYAGENT_TOOL_FILES=json.dumps([str(file)])) as client:
        assert "shout" in {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("shout", {"text": "printed"})
        assert result.is_error and "SystemExit" in result.content[0].text
        assert len((await client.list_tools()).tools) > 1
    log = (home / "mcp.log").read_text()
    assert "said by a program" in log and "Traceback" not in log


async def test_tools_of_other_servers_are_there_when_a_client_asks_first(home: Path) -> None:
    servers = {"weather": {"command": list(mcp_server.program())}}
    async with started(home, free_port(), "legacy", TINYAGENT_MCP=json.dumps(servers)) as client:
        assert "weather_forecast" in {tool.name for tool in (await client.list_tools()).tools}


def test_a_home_that_is_in_use_is_told_at_once(home: Path) -> None:
    command = [sys.executable, "-m", "tinyagent", "mcp"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=surroundings(home, free_port()), **pipes) as first:  # type: ignore[call-overload]
        assert "No server runs" in first.stderr.readline()
        with subprocess.Popen(command, env=surroundings(home, free_port()), **pipes) as second:  # type: ignore[call-overload]
            assert second.wait(30) != 0
            assert second.stdout.read() == ""
            told = second.stderr.read()
        first.stdin.close()
        assert first.wait(30) == 0
    assert "Another tinyagent uses the folder" in told
    assert "Traceback" not in told
