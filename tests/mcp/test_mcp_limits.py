"""What one client may take: sessions, sizes, time at the start, and what its forms may hide."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.mcp.conftest import ASK, MODERN, OWNER, RUNNER, Serve, connected, small_tools
from tests.mcp.test_mcp_hostile import begin, listing, message_of, modern, session
from tests.support.scripted import NOW
from tinyagent.domain.json_tools import tool_from_schema
from tinyagent.domain.run import RunState
from tinyagent.mcp_server.results import call_result
from tinyagent.mcp_server.sessions import MAX_SESSIONS

ANYTHING = tool_from_schema("anything", "Takes it.", {"type": "object", "properties": {"a": {}}})


async def test_one_token_cannot_take_the_sessions_of_another(serve: Serve) -> None:
    served = await serve()
    async with served.raw(RUNNER) as greedy, served.raw(OWNER) as owner:
        before = await session(owner)
        for _ in range(MAX_SESSIONS):
            assert (await greedy.post("/mcp", json=begin())).status_code == 200
        assert (await greedy.post("/mcp", json=begin())).status_code == 503
        assert (await owner.post("/mcp", json=listing(), headers=before)).status_code == 200
        assert (await owner.post("/mcp", json=begin())).status_code == 200


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[" * 150 + "]" * 150, "nested"),
        ("[" + ",".join(["1"] * 20_000) + "]", "values"),
        ('"' + "x" * 600_000 + '"', "characters"),
        ("1e999", "number"),
        ("NaN", "number"),
        ('{"a": [{"b": -Infinity}]}', "number"),
    ],
    ids=["deep", "many", "long", "infinite", "no number", "inside"],
)
async def test_arguments_without_measure_are_told_and_nothing_is_run(
    serve: Serve, value: str, told: str
) -> None:
    served = await serve(small_tools().add(ANYTHING))
    body, headers = modern("tools/call", name="anything", arguments={"a": "@"})
    async with served.raw() as raw:
        content = json.dumps(body).replace('"@"', value).encode()
        answer = await raw.post("/mcp", content=content, headers=headers)
    result = message_of(answer)["result"]
    assert result["isError"]
    assert result["structuredContent"]["error"]["code"] == "invalid_arguments"
    assert told in result["content"][0]["text"]
    assert await served.runs() == []


async def test_what_nobody_sees_is_shown_in_a_question(serve: Serve) -> None:
    served = await serve(policy=ASK)
    forms: list[ElicitRequestFormParams] = []

    async def user(form: ElicitRequestFormParams) -> ElicitResult:
        forms.append(form)
        return ElicitResult(action="decline")

    async with connected(served, MODERN, user) as client:
        hidden = "ana@exa\u200bmple\u00ad.org\ufeff\u00a0\U000e0041"
        await client.call_tool("tell", {"a": [hidden], "b": "Grüße 🎈"})
    shown = forms[0].message
    assert '["ana@exa\\u200bmple\\u00ad.org\\ufeff\\u00a0\\udb40\\udc41"]' in shown
    assert '"Grüße 🎈"' in shown


def test_a_tool_that_goes_off_before_its_call_begins_says_why() -> None:
    reason = "The MCP server far has ended."
    state = RunState(
        "run_1", NOW, "Look", "run", "given", NOW, unavailable={"look": reason}, status="completed"
    )
    result = call_result(state)
    assert result.is_error and result.content[0].text == reason
    assert result.structured_content["error"]["code"] == "not_configured"


def test_the_protocols_library_is_not_loaded_before_it_is_needed() -> None:
    script = (
        "import sys, tinyagent.mcp_server.endpoint, tinyagent.bootstrap, tinyagent.cli.ask;"
        "print([name for name in ('mcp', 'mcp_types', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
