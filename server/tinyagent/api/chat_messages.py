"""The messages of a chat completion request, read as a conversation with calls and their results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NoReturn, cast

from pydantic import BeforeValidator

from tinyagent.api.text_parts import TextContent, joined_text, whole_characters
from tinyagent.api.tool_params import Name, Strict
from tinyagent.engine.calling import Called, Returned, Said, Turn
from tinyagent.errors import InvalidRequest


def _nothing(value: object) -> None:
    if value not in (None, [], {}):
        raise ValueError("it is not supported")


Nothing = Annotated[None, BeforeValidator(_nothing)]


class CalledFunction(Strict):
    """The function of a call; `arguments` is a JSON object as text."""

    name: Name
    arguments: str
    parsed_arguments: Any = None


class MessageCall(Strict):
    """A call of an assistant's message."""

    id: str
    type: Literal["function"]
    function: CalledFunction
    index: int | None = None


class ChatMessage(Strict):
    """A message. An assistant's may be sent back as it was received or accumulated, its empty fields
    included; its reasoning is the plan of another turn and is not read."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: TextContent = None
    tool_calls: list[MessageCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    refusal: Nothing = None
    annotations: Nothing = None
    audio: Nothing = None
    function_call: Nothing = None
    reasoning_content: str | None = None
    parsed: Any = None


def turns_of(messages: Sequence[ChatMessage]) -> tuple[Turn, ...]:
    """The conversation. Raises InvalidRequest, naming the message, where calls and results do not belong
    together or content is missing or no text."""
    reading = _Reading()
    for number, message in enumerate(messages):
        reading.take(message, f"messages[{number}]")
    reading.end()
    return tuple(reading.turns)


class _Reading:
    """Reads messages one by one and remembers which calls have no result yet."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._open: dict[str, str] = {}
        """Names of the functions by the ids of calls without a result."""
        self._caller = ""
        self._used: set[str] = set()
        """Ids of all calls since the user's last message."""

    def take(self, message: ChatMessage, where: str) -> None:
        _check_fields(message, where)
        if message.role == "tool":
            self.turns.append(self._returned(message, where))
            return
        self._check_answered(where)
        if message.role == "user":
            self._used.clear()
        if message.role == "assistant" and message.tool_calls:
            if message.content:
                self.turns.append(Said("assistant", joined_text(message.content, f"{where}.content")))
            self.turns += self._called(message.tool_calls, where)
            return
        if message.content is None:
            _refuse(f"{where}.content", "is missing")
        role = "system" if message.role == "developer" else message.role
        self.turns.append(Said(role, joined_text(message.content, f"{where}.content")))

    def end(self) -> None:
        """Say that there are no more messages."""
        if self._open:
            _refuse(
                f"{self._caller}.tool_calls",
                f"holds calls without a result: {', '.join(self._open)}",
                "Add a `tool` message for each of them.",
            )

    def _called(self, calls: Sequence[MessageCall], where: str) -> Iterator[Called]:
        self._caller = where
        for number, call in enumerate(calls):
            place = f"{where}.tool_calls[{number}]"
            if call.id in self._used:
                _refuse(f"{place}.id", "is the id of an earlier call", "Give every call an id of its own.")
            self._used.add(call.id)
            self._open[call.id] = call.function.name
            arguments = _arguments(call.function.arguments, f"{place}.function.arguments")
            yield Called(call.id, call.function.name, arguments)

    def _returned(self, message: ChatMessage, where: str) -> Returned:
        if message.tool_call_id is None:
            _refuse(f"{where}.tool_call_id", "is missing", "It says which call this is the result of.")
        name = self._open.pop(message.tool_call_id, None)
        if name is None:
            _refuse(
                f"{where}.tool_call_id",
                "is no call of the assistant's message before that waits for its result",
                f"Waiting are: {', '.join(self._open) or 'none'}.",
            )
        if message.name is not None and message.name != name:
            _refuse(f"{where}.name", f"is not that of the function which was called, {name}")
        if message.content is None:
            _refuse(f"{where}.content", "is missing")
        return Returned(message.tool_call_id, joined_text(message.content, f"{where}.content"))

    def _check_answered(self, where: str) -> None:
        if self._open:
            _refuse(
                where,
                f"comes before the results of calls of {self._caller}: {', '.join(self._open)}",
                "Every call is followed by a `tool` message with its result.",
            )


def _check_fields(message: ChatMessage, where: str) -> None:
    """Fields that belong to messages of other roles."""
    if message.tool_calls and message.role != "assistant":
        _refuse(f"{where}.tool_calls", "belongs to assistant messages")
    if message.tool_call_id is not None and message.role != "tool":
        _refuse(f"{where}.tool_call_id", "belongs to tool messages")
    if message.name is not None and message.role != "tool":
        _refuse(f"{where}.name", "is not supported: messages have roles, but no names", "Leave it out.")


def _arguments(text: str, where: str) -> dict[str, Any]:
    """The arguments of a call. Clients write none as the empty text, too."""
    if not text.strip():
        return {}
    try:
        found = whole_characters(json.loads(text, parse_constant=_no_json))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _refuse(where, "is no JSON object as text")
    return cast("dict[str, Any]", found)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)


def _refuse(where: str, problem: str, hint: str | None = None) -> NoReturn:
    raise InvalidRequest(f"`{where}` {problem}.", hint=hint, param=where)
