"""Several hosts as one: every tool has one name and one host."""

from __future__ import annotations

import pytest

from tests.support.scripted import NOW, FakeHost, spec
from tinyagent.errors import UnknownTool
from tinyagent.ports import CallContext
from tinyagent.tools.several import SeveralHosts

CONTEXT = CallContext(now=NOW)


async def test_calls_go_to_the_host_of_their_tool() -> None:
    first, second = FakeHost().add(spec("get", "str")), FakeHost().add(spec("put", "str"))
    second.shown["put"] = {"where": "there"}
    hosts = SeveralHosts([first, second])
    assert [status.spec.name for status in hosts.tools()] == ["get", "put"]
    assert (await hosts.call("put", ["a"], CONTEXT)).value == "put(a)"
    assert await hosts.details("put", ["a"], CONTEXT) == {"where": "there"}
    assert await hosts.undo("put", {"id": "1"}, CONTEXT) == "put was taken back."
    assert (first.calls, second.calls) == ([], [("put", ("a",))])


async def test_the_earlier_host_of_two_keeps_the_name() -> None:
    first, second = FakeHost().add(spec("get", "str")), FakeHost().add(spec("get", "int"))
    first.switch_off("get", "It needs an account.")
    hosts = SeveralHosts([first, second])
    [status] = hosts.tools()
    assert (status.spec.parameters[0].kind, status.enabled) == ("str", False)
    await hosts.call("get", ["a"], CONTEXT)
    assert (len(first.calls), second.calls) == (1, [])


async def test_a_tool_that_no_host_has_is_unknown() -> None:
    with pytest.raises(UnknownTool, match="no tool called fly"):
        await SeveralHosts([FakeHost().add(spec("get"))]).call("fly", [], CONTEXT)
