"""Messages to tokens by a model's own chat template, so that no message can pose as another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, cast

from tinyagent.errors import ModelUnavailable
from tinyagent.planners.prompts import Message

if TYPE_CHECKING:
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter


class Vocabulary(Protocol):
    """What is needed of a model to write a prompt for it."""

    def tokenize(self, text: str, *, special: bool = False, begin: bool = False) -> list[int]:
        """Tokens of a text; control markers in it count only with `special`."""
        ...

    def chat_template(self) -> str | None:
        """The Jinja template of the model's file."""
        ...

    def boundary_texts(self) -> tuple[str, str]:
        """The texts of the tokens that begin and end a sequence."""
        ...


def chat_tokens(messages: Sequence[Message], template: str, vocabulary: Vocabulary) -> list[int]:
    """The messages as the template wants them, ready for the assistant's answer.

    Control markers in a message are plain text. A template that takes no system message gets it with the
    user's next one, and a template that still refuses gets all messages as one of the user. Raises
    ModelUnavailable for a template that cannot be filled.
    """
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter  # loads llama.cpp, which not all need

    begin, end = vocabulary.boundary_texts()
    formatter = Jinja2ChatFormatter(template, eos_token=end, bos_token=begin)
    for said in (messages, _in_turns(messages), [Message("user", _joined(messages))]):
        filled = _fill(formatter, said)
        if filled is not None:
            return _tokens(filled, said, vocabulary, begin=not (begin and filled.startswith(begin)))
    raise ModelUnavailable(
        "The chat template of the planner's model cannot be filled.",
        hint="Use a GGUF of an instruction-tuned model with a chat template.",
    )


def _in_turns(messages: Sequence[Message]) -> list[Message]:
    """User and assistant in turns: what a system says is said by the user."""
    said = groupby(messages, lambda message: message.role == "assistant")
    return [Message("assistant" if answered else "user", _joined(turn)) for answered, turn in said]


def _joined(messages: Iterable[Message]) -> str:
    return "\n\n".join(message.content for message in messages)


def _fill(formatter: Jinja2ChatFormatter, messages: Sequence[Message]) -> str | None:
    """The template with a place-holder for each message; None when it refuses or loses one."""
    frame = [{"role": message.role, "content": _place(index)} for index, message in enumerate(messages)]
    try:
        filled = formatter(messages=cast("Any", frame)).prompt
    except Exception:  # templates raise whatever they like, mostly at a system message
        return None
    return filled if all(_place(index) in filled for index in range(len(messages))) else None


def _place(index: int) -> str:
    return f"␂{index}␃"


_PLACE = re.compile("␂([0-9]+)␃")


def _tokens(filled: str, messages: Sequence[Message], vocabulary: Vocabulary, begin: bool) -> list[int]:
    harmless = all(
        vocabulary.tokenize(message.content, special=True) == vocabulary.tokenize(message.content)
        for message in messages
    )
    parts = _PLACE.split(filled)  # templates may put the messages into another order, or one in twice
    if harmless:  # in one go, since some tokenizers begin every text with a space
        said = (messages[int(part)].content if place % 2 else part for place, part in enumerate(parts))
        return vocabulary.tokenize("".join(said), special=True, begin=begin)
    ids = vocabulary.tokenize(parts[0], special=True, begin=begin)
    for index, after in zip(parts[1::2], parts[2::2], strict=True):
        ids += vocabulary.tokenize(messages[int(index)].content)
        ids += vocabulary.tokenize(after, special=True)
    return ids
