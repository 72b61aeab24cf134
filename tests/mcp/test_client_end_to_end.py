"""A real server with a real MCP server, a file of own tools, and a planner that reads schemas."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx_sse import connect_sse

from tests.support import mcp_server, rude_mcp_server
from tests.support.obedient_model import ObedientModel, obedient_model
from tests.support.server import Server, serve, tinyagent

TOOLS = '''\
from tinyagent.plugins import ToolError, tool


@tool(effect="read", app="house")
def room_temperature(room: str, unit: str = "C") -> str:
    """Tell how warm a room of the house is.

    Args:
        room: The name of the room.
    """
    if room != "kitchen":
        raise ToolError(f"There is no room called {room}.")
    return f"21 {unit}"


@tool
async def set_heating(room: str, degrees: float) -> str:
    """Set the heating of a room to a temperature."""
    return f"{room}: {degrees}"
'''


@pytest.fixture(scope="module")
def model() -> Iterator[ObedientModel]:
    with obedient_model() as model:
        yield model


@pytest.fixture(scope="module")
def settings(model: ObedientModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "house.py").write_text(TOOLS)
    (folder / "broken.py").write_text("x = 1\n\ny = z\n")
    servers = {
        "weather": {
            "command": list(mcp_server.program()),
            "env": {"BOOKINGS": str(folder / "bookings"), "PID": str(folder / "pid")},
        },
        "gone": {"command": ["/no/such/program"]},
    }
    return {
        "TINYAGENT_DEMO": "1",
        "TINYAGENT_PLANNERS": json.dumps({"reader": {"kind": "openai", "base_url": model.url, "model": "m"}}),
        "TINYAGENT_TOOL_FILES": json.dumps([str(folder / "house.py"), str(folder / "broken.py")]),
        "TINYAGENT_MCP": json.dumps(servers),
        "TINYAGENT_APPROVALS__TOOLS": json.dumps({"set_heating": "ask"}),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("home"), **settings) as server:
        wait_for_tool(server, "weather_forecast")
        yield server


def tools_of(server: Server) -> dict[str, dict[str, Any]]:
    with server.client() as client:
        return {one["name"]: one for one in client.get("/v1/tools").raise_for_status().json()["data"]}


def wait_for_tool(server: Server, name: str) -> None:
    deadline = time.monotonic() + 30
    while name not in tools_of(server):
        assert time.monotonic() < deadline, f"{name} did not come"
        time.sleep(0.05)


def run(server: Server, request: str, approve: bool = False, **fields: str) -> dict[str, Any]:
    """Carry out a request; where it asks, say yes if it is to be approved."""
    with server.client() as client:
        body = {"query": request, "answerable": approve, **fields}
        run = client.post("/v1/runs", json=body).raise_for_status().json()["run"]
        with connect_sse(client, "GET", f"/v1/runs/{run}/events") as source:
            for event in source.iter_sse():
                if event.event == "approval.requested":
                    asked = json.loads(event.data)["data"]
                    path = f"/v1/runs/{run}/tasks/{asked['task']}/approve"
                    client.post(path, json={"digest": asked["digest"]}).raise_for_status()
        return client.get(f"/v1/runs/{run}").raise_for_status().json()


def test_all_tools_are_listed_and_what_is_missing_says_why(server: Server) -> None:
    tools = tools_of(server)
    assert {"send_sms", "room_temperature", "set_heating", "weather_forecast", "weather_book"} <= set(tools)
    reasons = {name: one["reason"] for name, one in tools.items() if not one["enabled"]}
    assert "broken.py, line 3: NameError" in reasons["broken_not_loaded"]
    assert reasons["gone_tools"].startswith("The MCP server gone cannot be started: /no/such/program")
    with server.client() as client:
        assert "broken.py, line 3" in client.get("/readyz").text


def test_a_planner_that_reads_schemas_uses_tools_of_both_kinds(server: Server, model: ObedientModel) -> None:
    model.obey(
        '1. room_temperature(room="kitchen")\n2. weather_forecast(city="Oslo")\n3. join()<END_OF_PLAN>'
    )
    state = run(server, "How warm is the kitchen, and what is the weather in Oslo?", planner="reader")
    assert [task["status"] for task in state["tasks"]] == ["succeeded", "succeeded"], state
    assert "21 C" in state["answer"]
    assert "Oslo: rain for 1 days" in state["answer"]
    assert "weather_forecast" in model.shown[0]
    assert "Tell how warm a room of the house is." in model.shown[0]


def test_a_write_is_asked_for_and_done_after_a_yes(
    server: Server, model: ObedientModel, settings: dict[str, str]
) -> None:
    bookings = Path(json.loads(settings["TINYAGENT_MCP"])["weather"]["env"]["BOOKINGS"])
    model.obey(
        '1. weather_book(room="Rose")\n2. set_heating(room="Rose", degrees=21.5)\n3. join()<END_OF_PLAN>'
    )
    refused = run(server, "Book the room Rose and set its heating", planner="reader")
    assert {task["error"]["code"] for task in refused["tasks"]} == {"approval_unavailable"}
    assert not bookings.exists()
    done = run(server, "Book the room Rose and set its heating", approve=True, planner="reader")
    assert [task["status"] for task in done["tasks"]] == ["succeeded", "succeeded"], done
    assert bookings.read_text() == "Rose\n"


def test_the_bundled_planner_says_that_it_does_not_know_the_tool(server: Server) -> None:
    state = run(server, "How warm is the kitchen of the house?")
    assert state["planner"] == "nano"
    assert state["tasks"] == []
    assert "The planner nano knows the built-in tools alone" in state["answer"]


def test_a_request_for_built_in_tools_is_served_as_ever(server: Server) -> None:
    state = run(server, "Remind me tomorrow at 9 to water the plants")
    assert [task["tool"] for task in state["tasks"]] == ["create_reminder"]
    assert "MCP" not in state["answer"]


@pytest.mark.parametrize("ending", ["told to end", "killed"])
def test_no_program_of_a_server_outlives_it(tmp_path: Path, ending: str) -> None:
    pid = tmp_path / "pid"
    tools = [{"name": "go", "inputSchema": {"type": "object"}}]
    servers = {"rude": {"command": list(rude_mcp_server.program(pid=str(pid), tools=tools))}}
    with serve(tmp_path / "home", TINYAGENT_MCP=json.dumps(servers)) as server:
        wait_for_tool(server, "rude_go")
        if ending == "killed":
            server.kill()
        else:
            assert server.stop() == 0
        deadline = time.monotonic() + 10
        while is_running(int(pid.read_text())):
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_own_tools_work_without_a_server_too(
    tmp_path: Path, settings: dict[str, str], model: ObedientModel
) -> None:
    model.obey('1. room_temperature(room="attic")\n2. join()<END_OF_PLAN>')
    without = {name: value for name, value in settings.items() if name != "TINYAGENT_MCP"}
    done = tinyagent(tmp_path, "ask", "--local", "--planner", "reader", "How warm is the attic?", **without)
    assert "There is no room called attic." in done.stdout, done
