"""Messages as a conversation: what belongs together, and which one is at fault where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tinyagent.api.chat_messages import ChatMessage, turns_of
from tinyagent.engine.calling import Called, Returned, Said, Turn
from tinyagent.errors import InvalidRequest

USER = {"role": "user", "content": "what is the weather?"}


def call(id_: str = "c1", name: str = "weather", arguments: str = '{"city": "Oslo"}') -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: dict[str, Any], content: str | None = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(id_: str = "c1", content: Any = "rain", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content, **more}


def read(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return turns_of([ChatMessage.model_validate(message) for message in messages])


def test_a_conversation_with_calls_and_results_is_read_in_its_order() -> None:
    turns = read(
        {"role": "developer", "content": "be brief"},
        USER,
        calling(call(), call("c2", "time", ""), content="I look."),
        result("c2", [{"type": "text", "text": "noon"}, {"type": "text", "text": "sharp"}], name="time"),
        result(),
        {"role": "assistant", "content": "Rain at noon."},
    )
    assert turns == (
        Said("system", "be brief"),
        Said("user", "what is the weather?"),
        Said("assistant", "I look."),
        Called("c1", "weather", {"city": "Oslo"}),
        Called("c2", "time", {}),
        Returned("c2", "noon\nsharp"),
        Returned("c1", "rain"),
        Said("assistant", "Rain at noon."),
    )


def test_a_message_of_the_streaming_helper_is_read_with_what_it_adds() -> None:
    added = {**call(), "index": 0}
    added["function"] = {**added["function"], "parsed_arguments": {"city": "Oslo"}}
    turns = read(USER, {**calling(added), "parsed": None, "refusal": None, "function_call": None}, result())
    assert turns[1] == Called("c1", "weather", {"city": "Oslo"})


def test_an_id_may_come_again_in_a_later_exchange() -> None:
    answered = (calling(call()), result(), {"role": "assistant", "content": "Rain."})
    assert len(read(USER, *answered, USER, *answered)) == 8


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([USER, calling(call()), USER], "messages[2]"),
        ([USER, calling(call(), call("c2")), result(), USER], "messages[3]"),
        ([USER, calling(call()), {"role": "system", "content": "x"}], "messages[2]"),
        ([USER, calling(call()), calling(call("c2"))], "messages[2]"),
        ([USER, calling(call())], "messages[1].tool_calls"),
        ([USER, calling(call(), call("c2")), result()], "messages[1].tool_calls"),
        ([USER, result()], "messages[1].tool_call_id"),
        ([USER, calling(call()), result("c9")], "messages[2].tool_call_id"),
        ([USER, calling(call()), result(), result()], "messages[3].tool_call_id"),
        ([USER, calling(call()), {"role": "tool", "content": "x"}], "messages[2].tool_call_id"),
        ([USER, calling(call()), result(content=None)], "messages[2].content"),
        ([USER, calling(call()), result(name="time")], "messages[2].name"),
        ([USER, calling(call(), call())], "messages[1].tool_calls[1].id"),
        ([USER, calling(call()), result(), calling(call())], "messages[3].tool_calls[0].id"),
        ([USER, calling(call(arguments="[1]"))], "messages[1].tool_calls[0].function.arguments"),
        ([USER, calling(call(arguments="{"))], "messages[1].tool_calls[0].function.arguments"),
        ([USER, calling(call(arguments='{"a": NaN}'))], "messages[1].tool_calls[0].function.arguments"),
        ([USER, calling(call(arguments='{"a": "\\ud800"}'))], "messages[1].tool_calls[0].function.arguments"),
        ([USER, calling(call(arguments="[" * 100_000))], "messages[1].tool_calls[0].function.arguments"),
        ([{**USER, "tool_calls": [call()]}], "messages[0].tool_calls"),
        ([{**USER, "tool_call_id": "c1"}], "messages[0].tool_call_id"),
        ([{**USER, "name": "Ann"}], "messages[0].name"),
        ([USER, {"role": "assistant"}], "messages[1].content"),
        ([USER, calling()], "messages[1].content"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "input_audio"}]}],
            "messages[0].content[1]",
        ),
        ([{"role": "user", "content": [{"type": "file", "file": {}}]}], "messages[0].content[0]"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "x", "colour": "red"}]}],
            "messages[0].content[0].colour",
        ),
        (
            [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
            "messages[1].content[0]",
        ),
    ],
)
def test_a_conversation_that_does_not_fit_together_is_refused_with_its_place(
    messages: list[dict[str, Any]], param: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(*messages)
    assert refused.value.param == param
    assert f"`{param}`" in refused.value.message
