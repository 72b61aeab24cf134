"""A client of function calling, and a server with a scripted planner for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.scripted import FakeHost, FixedSelector, Piece, ScriptedPlanner, rules
from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.engine import completion as parts
from tinyagent.engine.calling import Called, CallingRequest, ClientTool, Returned, Said, Turn
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.engine.function_calling import FunctionCalling
from tinyagent.engine.limits import Limits
from tinyagent.engine.runs import RunService
from tinyagent.journal.memory import MemoryJournal
from tinyagent.ports import ChatEnd, ChatRequest, Usage

TEXT = {"type": "string"}


def tool(name: str, **properties: Mapping[str, Any]) -> ClientTool:
    """A tool whose arguments are all required but those whose schema says `default`."""
    required = [key for key, schema in properties.items() if "default" not in schema]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return ClientTool(name, tool_from_schema(identifier(name), f"The tool {name}.", schema))


WEATHER = tool("get-weather", city=TEXT, days={"type": "integer", "default": 1})
MAIL = tool("send", to=TEXT, text=TEXT)
ADD = tool("add", a={"type": "number"}, b={"type": "number"})


class ScriptedChat:
    """Says what it is told to say, and remembers what it was asked."""

    name = "scripted"

    def __init__(self, text: str = "Here you are.") -> None:
        self.requests: list[ChatRequest] = []
        self._text = text

    async def chat(self, request: ChatRequest) -> AsyncIterator[str | ChatEnd]:
        self.requests.append(request)
        yield self._text
        yield ChatEnd("stop", Usage(7, 3, 1))

    async def close(self) -> None:
        pass


@dataclass
class Client:
    """A client with tools as functions, which knows nothing of plans."""

    calling: FunctionCalling
    planner: ScriptedPlanner
    chat: ScriptedChat
    tools: Sequence[ClientTool]
    turns: list[Turn] = field(default_factory=list)
    pieces: list[parts.Piece] = field(default_factory=list)
    caller: str = "owner"

    def request(self, **fields: Any) -> CallingRequest:
        return CallingRequest(tuple(self.turns), tuple(self.tools), caller=self.caller, **fields)

    async def turn(self, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
        """One request; the calls that it asks for, as names and arguments."""
        request = self.request(**fields)
        await self.calling.check(request)
        self.pieces = [piece async for piece in self.calling.answer(request)]
        asked = [piece for piece in self.pieces if isinstance(piece, parts.ToolCall)]
        self.turns += [Called(call.id, call.name, json.loads(call.arguments)) for call in asked]
        return [(call.name, json.loads(call.arguments)) for call in asked]

    def bring(self, *results: str) -> None:
        """Send these results for the calls that have none."""
        answered = {turn.id for turn in self.turns if isinstance(turn, Returned)}
        open_calls = [t.id for t in self.turns if isinstance(t, Called) and t.id not in answered]
        self.turns += [Returned(call, text) for call, text in zip(open_calls, results, strict=True)]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, parts.Text))

    @property
    def ending(self) -> parts.Ending:
        last = self.pieces[-1]
        assert isinstance(last, parts.Ending)
        return last


def client_of(
    *rounds: Sequence[Piece] | str,
    again: bool = False,
    tools: Sequence[ClientTool] = (WEATHER, MAIL),
    seconds: float = 10.0,
) -> Client:
    """`again`: the planner sees what was done and chats; otherwise it does neither."""
    planner, chat = ScriptedPlanner(*rounds, can_replan=again), ScriptedChat()
    entry = PlannerEntry(
        "scripted", "plays a script", lambda: planner, lambda: "", load_chat=(lambda: chat) if again else None
    )
    service = RunService(
        MemoryJournal(),
        PlannerCatalog([entry], "scripted"),
        FixedSelector(),
        FakeHost(),
        rules(),
        Limits(run_deadline_s=seconds),
    )
    return Client(FunctionCalling(service), planner, chat, tools, [Said("user", "Mail Zoe the weather")])
