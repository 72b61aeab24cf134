"""A chat completion request in agent mode: what is taken, what is refused, and the run it asks for."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tinyagent.api.models import planner_of
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import InvalidRequest

MAX_STOPS = 4

NEUTRAL: dict[str, tuple[object, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": (),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "parallel_tool_calls": (),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "safety_identifier": (),
    "service_tier": ("auto", "default"),
    "store": (True,),
    "tool_choice": ("none",),
    "tools": ([],),
    "top_logprobs": (),
    "verbosity": (),
    "web_search_options": (),
}
"""Parameters of the OpenAI API that agent mode does not have, with the values that ask for nothing:
those, and null, are no reason to refuse a request. `store` asks for what happens to every run."""


def _as_text(content: object) -> object:
    """Text parts joined; anything else is left for the type check or refused."""
    if not isinstance(content, list):
        return content
    texts: list[str] = []
    for number, part in enumerate(cast("list[object]", content)):
        fields = cast("dict[str, object]", part) if isinstance(part, dict) else {}
        if (
            fields.keys() != {"type", "text"}
            or fields["type"] != "text"
            or not isinstance(fields["text"], str)
        ):
            raise ValueError(
                f'part {number} is not {{"type": "text", "text": "..."}}; agent mode takes text only'
            )
        texts.append(fields["text"])
    return "\n".join(texts)


def _as_list(stop: object) -> object:
    return [stop] if isinstance(stop, str) else stop


def _nothing(value: object) -> None:
    if value not in (None, [], {}):
        raise ValueError("it is not supported in agent mode")


Text = Annotated[str, BeforeValidator(_as_text)]
Nothing = Annotated[None, BeforeValidator(_nothing)]
Stops = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class ChatMessage(_Strict):
    """A message. An assistant's may be sent back as it was received, its empty fields included;
    its reasoning is the plan of another run and is not read."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text
    refusal: Nothing = None
    annotations: Nothing = None
    audio: Nothing = None
    function_call: Nothing = None
    tool_calls: Nothing = None
    reasoning_content: str | None = None


class StreamOptions(_Strict):
    include_usage: bool = False


class ChatRequest(BaseModel):
    """The parameters that agent mode obeys; `unsupported` holds whatever else was sent."""

    model_config = ConfigDict(strict=True, extra="allow")

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    stop: Stops | None = Field(None, max_length=MAX_STOPS)
    n: Literal[1] | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    seed: int | None = None
    user: str | None = None
    metadata: dict[str, str] | None = Field(None, max_length=16)

    @property
    def limit(self) -> int | None:
        """The most tokens that the answer may have."""
        limits = [limit for limit in (self.max_tokens, self.max_completion_tokens) if limit is not None]
        return min(limits, default=None)

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def run_request(self) -> RunRequest:
        """What the engine is asked for. Raises InvalidRequest or ModelNotFound."""
        self._refuse_unsupported()
        turns = [message for message in self.messages if message.role in ("user", "assistant")]
        if not turns or turns[-1].role != "user" or not turns[-1].content.strip():
            raise InvalidRequest(
                "The last message must be the user's, with text in it.",
                hint="It is the request.",
                param="messages",
            )
        instructions = [m.content for m in self.messages if m.role in ("system", "developer")]
        return RunRequest(
            query=turns[-1].content,
            planner=planner_of(self.model),
            instructions="\n\n".join(instructions),
            history=tuple((message.role, message.content) for message in turns[:-1]),
        )

    def _refuse_unsupported(self) -> None:
        extra: dict[str, Any] = self.model_extra or {}
        for name, value in extra.items():
            if name not in NEUTRAL:
                raise InvalidRequest(f"`{name}` is not a known parameter.", hint="Leave it out.", param=name)
            if value is not None and value not in NEUTRAL[name]:
                raise InvalidRequest(
                    f"`{name}` is not supported in agent mode.", hint="Leave it out.", param=name
                )
        if self.stream_options is not None and not self.stream:
            raise InvalidRequest(
                "`stream_options` needs `stream: true`.", hint="Leave it out.", param="stream_options"
            )
