"""A request for a response: what is taken, what is refused, and what it asks of the engine."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tinyagent.api.text_parts import whole_characters
from tinyagent.api.tool_params import (
    MAX_TOOLS,
    Function,
    Metadata,
    Strict,
)
from tinyagent.errors import InvalidRequest, TinyAgentError

_EFFORTS: tuple[dict[str, object], ...] = ({}, {"effort": None})
_SUMMARIES: tuple[dict[str, object], ...] = ({}, {"summary": None}, {"summary": "auto"})

NEUTRAL: dict[str, tuple[object, ...]] = {
    "access_programs": (),
    "background": (False,),
    "background_options": (),
    "context_management": ([],),
    "conversation": (),
    "image": (),
    "include": ([],),
    "max_tool_calls": (),
    "moderation": (),
    "prompt": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "reasoning": tuple({**effort, **summary} for effort in _EFFORTS for summary in _SUMMARIES),
    "service_tier": ("auto", "default"),
    "stream_options": ({}, {"include_obfuscation": False}),
    "top_logprobs": (0,),
}
"""Parameters of the OpenAI API that this server does not have, with the values that ask for nothing:
those, and null, are no reason to refuse a request."""

_NAMES = {
    "query": "input",
    "messages": "input",
    "turns": "input",
    "planner": "model",
    "schema": "text.format",
    "max_tokens": "max_output_tokens",
}
"""What the engine's parameters are called in a request for a response."""


def _as_input(value: object) -> object:
    if isinstance(value, str):
        return value
    items = cast("list[object]", value) if isinstance(value, list) else []
    if items and all(isinstance(item, dict) for item in items):
        return items
    raise ValueError("it is neither a text nor a list of items with at least one")


def _as_function(value: object) -> object:
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    if fields.get("type") != "function":
        raise ValueError("it is no function; other tools are not supported here")
    return fields


class FlatFunctionTool(Function):
    """A function of the client's as a tool of responses: flat, beside its type."""

    type: Literal["function"]


class TextOptions(Strict):
    """How the answer is written: `format` is text, json_object or json_schema."""

    format: dict[str, Any] | None = None
    verbosity: Literal["medium"] | None = None


Input = Annotated[str | list[dict[str, Any]], BeforeValidator(_as_input)]
Tools = list[Annotated[FlatFunctionTool, BeforeValidator(_as_function)]]


class ResponseRequest(BaseModel):
    """The parameters that are obeyed; whatever else was sent must ask for nothing. `prompt_cache_key` and
    `safety_identifier` name users and prompts, as `user` does, and change no answer."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, use_attribute_docstrings=True)

    model: str
    """As for chat completions."""
    input: Input
    """The request as text, or a list of items: messages, `function_call`, `function_call_output`, and
    `item_reference` by the id of an item of an earlier response. `reasoning` items are not read."""
    instructions: str | None = None
    """What the planner or the model is told before everything else; it holds for this response only."""
    previous_response_id: str | None = None
    """The response that this one goes on from, of the same mode."""
    tools: Annotated[Tools, Field(max_length=MAX_TOOLS)] | None = None
    """The client's functions, each with a name of its own; with any of them the answer is calls of these."""
    tool_choice: str | dict[str, Any] | None = None
    """`none`, `auto`, `required`, a function, or `allowed_tools`; without `tools` only `none` and `auto`."""
    parallel_tool_calls: bool | None = None
    """`false`: never more than one call in an answer."""
    text: TextOptions | None = None
    """`format` as `response_format` of chat completions, with `name` and `schema` beside the type."""
    max_output_tokens: int | None = Field(None, ge=1)
    """The most tokens of the answer; one that was cut is `incomplete`."""
    temperature: float | None = Field(None, ge=0, le=2)
    """For what a chat model words, 1 unless given, in agent mode 0."""
    top_p: float | None = Field(None, ge=0, le=1)
    """For what a chat model words, 1 unless given."""
    truncation: Literal["disabled"] | None = None
    """Only `disabled`: nothing of a conversation is left out unasked."""
    store: bool | None = None
    """`false`: the response cannot be gone on from. Not in agent mode, where every run is kept."""
    stream: bool | None = None
    """`true`: typed events as server-sent events."""
    metadata: Metadata | None = None
    """Comes back with the response."""
    user: str | None = None
    """Comes back with the response; without other effect."""
    prompt_cache_key: str | None = None
    """Comes back with the response; prompts are remembered whatever it says."""
    safety_identifier: str | None = None
    """Comes back with the response; without other effect."""

    _characters = model_validator(mode="before")(whole_characters)

    def check_supported(self) -> None:
        """Raise InvalidRequest for the first parameter that cannot be obeyed."""
        extra: dict[str, Any] = self.model_extra or {}
        for name, value in extra.items():
            if name not in NEUTRAL:
                raise InvalidRequest(f"`{name}` is not a known parameter.", hint="Leave it out.", param=name)
            if value is not None and value not in NEUTRAL[name]:
                raise InvalidRequest(
                    f"`{name}` is not supported by this server.", hint="Leave it out.", param=name
                )


def value_or(value: float | None, otherwise: float) -> float:
    """The value, if one was sent."""
    return otherwise if value is None else value


def head_of(body: ResponseRequest, response: str, created_at: float) -> dict[str, Any]:
    """The response to this request before anything is answered: all that the request itself tells."""
    choice = body.tool_choice or "auto"
    return {
        "id": response,
        "object": "response",
        "created_at": int(created_at),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": None,
        "metadata": body.metadata or {},
        "model": body.model,
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": body.previous_response_id,
        "prompt_cache_key": body.prompt_cache_key,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": body.safety_identifier,
        "service_tier": "default",
        "store": body.store is not False,
        "temperature": value_or(body.temperature, 1.0),
        "text": {"format": (body.text and body.text.format) or {"type": "text"}},
        "tool_choice": choice,
        "tools": [tool.model_dump() for tool in body.tools or []],
        "top_logprobs": 0,
        "top_p": value_or(body.top_p, 1.0),
        "truncation": "disabled",
        "usage": None,
        "user": body.user,
    }


def renamed(error: TinyAgentError) -> TinyAgentError:
    """The error with the parameter at fault as the client wrote it."""
    error.param = _NAMES.get(error.param or "", error.param)
    return error
