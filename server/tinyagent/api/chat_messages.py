"""The messages of a chat completion request, read as a conversation with calls and their results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from tinyagent.api.conversation import Conversation, refuse
from tinyagent.api.text_parts import TextContent, joined_text
from tinyagent.api.tool_params import Name, Strict
from tinyagent.engine.calling import Turn


def _nothing(value: object) -> None:
    if value not in (None, [], {}):
        raise ValueError("it is not supported")


Nothing = Annotated[None, BeforeValidator(_nothing)]


class CalledFunction(Strict):
    """The function of a call; `arguments` is a JSON object as text."""

    name: Name
    arguments: str
    parsed_arguments: Any = None
    provider_specific_fields: Any = None


class MessageCall(Strict):
    """A call of an assistant's message."""

    id: str
    type: Literal["function"]
    function: CalledFunction
    index: int | None = None
    provider_specific_fields: Any = None


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
    provider_specific_fields: Any = None
    """LiteLLM adds it to messages, calls and functions that it received."""


def turns_of(messages: Sequence[ChatMessage]) -> tuple[Turn, ...]:
    """The conversation. Raises InvalidRequest, naming the message, where calls and results do not belong
    together or content is missing or no text."""
    conversation = Conversation("Every call is followed by a `tool` message with its result.")
    end = "messages"
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        _check_fields(message, where)
        _take(message, where, conversation)
        end = f"{where}.tool_calls" if message.tool_calls else end
    conversation.check_answered(end)
    return tuple(conversation.turns)


def _take(message: ChatMessage, where: str, conversation: Conversation) -> None:
    if message.role == "tool":
        _take_result(message, where, conversation)
        return
    conversation.check_answered(where)
    if message.content or not message.tool_calls:
        conversation.said(message.role, _content(message, where), where)
    for number, call in enumerate(message.tool_calls or ()):
        place = f"{where}.tool_calls[{number}]"
        conversation.called(
            call.id,
            call.function.name,
            call.function.arguments,
            id_at=f"{place}.id",
            arguments_at=f"{place}.function.arguments",
        )


def _take_result(message: ChatMessage, where: str, conversation: Conversation) -> None:
    place = f"{where}.tool_call_id"
    if message.tool_call_id is None:
        refuse(place, "is missing", "It says which call this is the result of.")
    name = conversation.waiting(message.tool_call_id, place)
    if message.name is not None and message.name != name:
        refuse(f"{where}.name", f"is not that of the function which was called, {name}")
    conversation.returned(message.tool_call_id, _content(message, where), place)


def _content(message: ChatMessage, where: str) -> str:
    if message.content is None:
        refuse(f"{where}.content", "is missing")
    return joined_text(message.content, f"{where}.content")


def _check_fields(message: ChatMessage, where: str) -> None:
    """Fields that belong to messages of other roles."""
    if message.tool_calls and message.role != "assistant":
        refuse(f"{where}.tool_calls", "belongs to assistant messages")
    if message.tool_call_id is not None and message.role != "tool":
        refuse(f"{where}.tool_call_id", "belongs to tool messages")
    if message.name is not None and message.role != "tool":
        refuse(f"{where}.name", "is not supported: messages have roles, but no names", "Leave it out.")
