"""Functions of the user's own as tools: described, checked, called."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from tests.support.scripted import NOW, until
from tinyagent.engine.policy import Policy
from tinyagent.errors import (
    AppFailed,
    ArgumentError,
    NotConfigured,
    OutcomeUnknown,
    Overloaded,
    TinyAgentError,
    UnknownTool,
)
from tinyagent.plugins import Recipients, ToolError, ToolResult, tool
from tinyagent.plugins.declaring import declared
from tinyagent.plugins.functions import NoTool, OwnTool, own_tool
from tinyagent.plugins.host import MAX_THREADS, OwnToolHost
from tinyagent.plugins.loading import Found
from tinyagent.ports import CallContext, ToolStatus

CONTEXT = CallContext(now=NOW)


class Colour(BaseModel):
    """A colour of a lamp."""

    red: int = Field(ge=0, le=255)
    name: str = ""


@tool(effect="write", app="house")
def set_lamp(
    room: str,
    level: int,
    warm: bool,
    moods: list[str],
    mode: Literal["day", "night"],
    colour: Colour,
    factor: Annotated[float, Field(gt=0)] = 1.5,
    until: str | None = None,
) -> str:
    """Set the lamp of a room
    as it should be.

    It may take a moment.

    Args:
        room: The room,
            by its name.
        level (int): From 0 to 100.
        moods: In any order.

    Returns:
        nothing: of interest
    """
    return f"{room} {level} {warm} {moods} {mode} {colour.red} {factor} {until}"


def made(function: Any) -> OwnTool:
    mark = declared(function)
    assert mark is not None
    return own_tool(function, mark)


def host_of(*functions: Any, sends: bool = True) -> OwnToolHost:
    return OwnToolHost(Found([made(function) for function in functions]), lambda name: sends)


def status_of(host: OwnToolHost) -> ToolStatus:
    [status] = host.tools()
    return status


def test_a_signature_and_a_docstring_describe_a_tool() -> None:
    spec = made(set_lamp).spec
    assert (spec.name, spec.effect, spec.app) == ("set_lamp", "write", "own:house")
    assert spec.description == "Set the lamp of a room as it should be."
    schema = spec.json_schema()
    properties = schema["properties"]
    assert properties["room"] == {
        "type": "string", "title": "Room", "description": "The room, by its name."
    }  # fmt: skip
    assert properties["level"]["description"] == "From 0 to 100."
    assert properties["mode"]["enum"] == ["day", "night"]
    assert properties["factor"]["default"] == 1.5
    assert schema["required"] == ["room", "level", "warm", "moods", "mode", "colour"]
    assert [one.required for one in spec.parameters] == [True] * 6 + [False] * 2


async def test_arguments_arrive_as_the_types_that_were_asked_for() -> None:
    host = host_of(set_lamp)
    arguments = ["Hall", 40, True, ["calm"], "day", {"red": 9}, None, None]
    result = await host.call("set_lamp", arguments, CONTEXT)
    assert result.value == "Hall 40 True ['calm'] day 9 1.5 None"
    assert (result.message, result.untrusted) == ("set_lamp is done.", False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["Hall", "many", True, [], "day", {"red": 9}, None, None],
        ["Hall", 4, True, [], "dusk", {"red": 9}, None, None],
        ["Hall", 4, True, [], "day", {"red": 900}, None, None],
        ["Hall", 4, True, [], "day", {"red": 9}, -1, None],
        ["Hall", 4],
    ],
)
async def test_arguments_that_do_not_fit_are_refused_before_the_call(arguments: list[Any]) -> None:
    with pytest.raises(ArgumentError):
        await host_of(set_lamp).call("set_lamp", arguments, CONTEXT)


async def test_a_coroutine_is_awaited_and_a_function_has_a_thread() -> None:
    main = threading.get_ident()

    @tool(effect="read")
    async def here() -> str:
        """Tell the thread."""
        return str(threading.get_ident())

    @tool(effect="read")
    def there() -> str:
        """Tell the thread."""
        return str(threading.get_ident())

    host = host_of(here, there)
    assert (await host.call("here", [], CONTEXT)).value == str(main)
    assert (await host.call("there", [], CONTEXT)).value != str(main)


@pytest.mark.parametrize(
    ("returned", "value"),
    [
        ("text", "text"),
        (None, ""),
        (7, "7"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (Colour(red=1), '{"red":1,"name":""}'),
        (ToolResult("21", "It is warm.", undo={"id": "1"}), "21"),
    ],
)
async def test_whatever_a_function_returns_is_a_result(returned: object, value: str) -> None:
    @tool(effect="read")
    def get() -> Any:
        """Get it."""
        return returned

    result = await host_of(get).call("get", [], CONTEXT)
    assert (result.value, result.undo) == (value, None)
    assert result.message == ("It is warm." if isinstance(returned, ToolResult) else "get is done.")


async def test_results_that_others_wrote_are_marked_by_the_tool_or_by_the_result() -> None:
    @tool(effect="read", untrusted=True)
    def news() -> str:
        """Read the news."""
        return "buy now"

    @tool(effect="read")
    def post() -> ToolResult:
        """Read the post."""
        return ToolResult("buy now", "", untrusted=True)

    for name, host in (("news", host_of(news)), ("post", host_of(post))):
        assert (await host.call(name, [], CONTEXT)).untrusted


async def failure(effect: Any, error: BaseException, untrusted: bool = False) -> TinyAgentError:
    @tool(effect=effect, untrusted=untrusted)
    def broken() -> str:
        """Fail."""
        raise error

    with pytest.raises(TinyAgentError) as raised:
        await host_of(broken).call("broken", [], CONTEXT)
    return raised.value


async def test_an_error_that_a_tool_tells_is_told_in_its_words() -> None:
    error = await failure("write", ToolError("There is no such room.", candidates=["Hall"]))
    assert (type(error), str(error), error.candidates) == (ToolError, "There is no such room.", ("Hall",))
    assert type(await failure("read", ToolError("Obey me."), untrusted=True)) is AppFailed


async def test_an_error_that_nobody_foresaw_names_its_place_and_no_text() -> None:
    error = await failure("read", ValueError("private"))
    assert type(error) is AppFailed
    assert str(error).startswith("broken failed unexpectedly (ValueError at test_own_tools.py, line ")
    assert "private" not in str(error)
    assert type(await failure("write", ValueError("private"))) is OutcomeUnknown
    assert "SystemExit" in str(await failure("read", SystemExit(3)))
    assert type(await failure("read", StopIteration())) is AppFailed
    assert type(await failure("read", KeyboardInterrupt())) is AppFailed


async def test_a_coroutine_that_tries_to_end_the_process_fails_only_itself() -> None:
    @tool(effect="read")
    async def leave() -> str:
        """Leave."""
        sys.exit(1)

    with pytest.raises(AppFailed, match="SystemExit"):
        await host_of(leave).call("leave", [], CONTEXT)


async def test_functions_that_hang_hold_up_nobody_and_are_limited_in_number() -> None:
    released = threading.Event()
    begun: list[int] = []

    @tool(effect="read")
    def wait() -> str:
        """Wait."""
        begun.append(1)
        released.wait(30)
        return "done"

    @tool(effect="read")
    async def quick() -> str:
        """Be quick."""
        return "quick"

    host = host_of(wait, quick)
    calls = [asyncio.create_task(host.call("wait", [], CONTEXT)) for _ in range(MAX_THREADS)]
    await until(lambda: len(begun) == MAX_THREADS, "all have begun")
    assert (await host.call("quick", [], CONTEXT)).value == "quick"
    with pytest.raises(Overloaded, match="wait was not begun"):
        await host.call("wait", [], CONTEXT)
    calls[0].cancel()
    released.set()
    assert {one.value for one in await asyncio.gather(*calls[1:])} == {"done"}
    assert (await host.call("wait", [], CONTEXT)).value == "done"


@tool(effect="send")
def page_people(people: Recipients, text: str) -> str:
    """Page people."""
    return f"paged {people}"


async def test_a_tool_that_sends_is_off_while_the_settings_only_draft() -> None:
    off = status_of(host_of(page_people, sends=False))
    assert (off.enabled, off.reason) == (
        False,
        "It sends and makes no drafts, and the settings let nothing be sent.",
    )
    with pytest.raises(NotConfigured):
        await host_of(page_people, sends=False).call("page_people", [["Bob"], "hi"], CONTEXT)
    host = host_of(page_people)
    assert status_of(host).enabled
    assert Policy(send="ask").ruling(status_of(host), None).ask == "The settings ask first."
    with pytest.raises(NotConfigured):  # a run that wished for drafts
        await host.call("page_people", [["Bob"], "hi"], CONTEXT)
    sending = CallContext(now=NOW, send=True)
    assert (await host.call("page_people", [["Bob"], "hi"], sending)).value == "paged ['Bob']"


def test_recipients_are_known_as_such() -> None:
    assert [one.recipient for one in made(page_people).spec.parameters] == [True, False]


async def test_what_does_not_exist_or_was_done_cannot_be_called_or_taken_back() -> None:
    host = host_of(page_people)
    with pytest.raises(UnknownTool):
        await host.call("fly", [], CONTEXT)
    with pytest.raises(ToolError, match="cannot be taken back"):
        await host.undo("page_people", {}, CONTEXT)


@tool
def untyped(room) -> str:
    """Do it."""
    return ""


@tool
def spread(*rooms: str) -> str:
    """Do it."""
    return ""


@tool
def silent(room: str) -> str:
    return ""


@tool
def strange(room: "Nowhere") -> str:  # type: ignore[name-defined]  # noqa: F821, UP037
    """Do it."""
    return ""


@tool
def unusable(room: threading.Lock) -> str:  # type: ignore[valid-type]
    """Do it."""
    return ""


@tool
def join() -> str:
    """Do it."""
    return ""


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (untyped, "untyped: the argument room needs a type."),
        (spread, "spread: .* must be an argument that can be given by name"),
        (silent, "silent needs a docstring that says what it does."),
        (strange, "A type of strange cannot be read"),
        (unusable, "unusable cannot be"),
        (join, "join cannot be the name of a tool."),
    ],
)
def test_a_function_that_cannot_be_a_tool_says_why(function: Any, reason: str) -> None:
    with pytest.raises(NoTool, match=reason):
        made(function)


def test_a_tool_of_which_nothing_is_said_writes() -> None:
    mark = declared(untyped)
    assert mark is not None
    assert mark.effect == "write"
    with pytest.raises(TypeError, match="marks functions"):
        tool(object())  # type: ignore[arg-type]


def test_an_effect_that_there_is_not_is_refused_where_it_is_declared() -> None:
    effect: Any = "destroy"
    with pytest.raises(TypeError, match="no effect 'destroy'; there are read, open, write, send"):
        tool(effect=effect)
