"""A request for a response: what is taken, what is refused, and what it asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tinyagent.api.modes import Mode
from tinyagent.api.responses_items import Item, text_of, turns_of
from tinyagent.api.text_parts import whole_characters
from tinyagent.api.tool_params import (
    MAX_TOOLS,
    Function,
    Metadata,
    Strict,
    client_tools,
    schema_of,
    tool_choice_of,
)
from tinyagent.engine.calling import CallingRequest, Turn, Wording
from tinyagent.engine.function_calling import chat_of
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import InvalidRequest, TinyAgentError
from tinyagent.ports import ChatRequest

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
    """For what a chat model words, 1 unless given."""
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


@dataclass(frozen=True)
class Question:
    """A request with its input read; `places` are those of the given items. `before` are the items of
    earlier responses that it goes on from, and `follows` the earlier run, in agent mode."""

    body: ResponseRequest
    mode: Mode
    given: tuple[Item, ...]
    places: tuple[str, ...]
    before: tuple[Item, ...] = ()
    follows: str | None = None

    def run_request(self) -> RunRequest:
        """What the agent is asked for. Raises InvalidRequest."""
        self._check_agent()
        messages = [item for item in self.given if item["role"] in ("user", "assistant")]
        if not messages or messages[-1]["role"] != "user" or not text_of(messages[-1]).strip():
            raise InvalidRequest(
                "The last message must be the user's, with text in it.",
                hint="It is the request.",
                param="input",
            )
        system = [text_of(item) for item in self.given if item["role"] in ("system", "developer")]
        return RunRequest(
            query=text_of(messages[-1]),
            planner=self.mode.model,
            instructions="\n\n".join(filter(None, (self.body.instructions, *system))),
            history=tuple((item["role"], text_of(item)) for item in messages[:-1]),
            follows=self.follows,
        )

    def engine_request(self, caller: str) -> CallingRequest | ChatRequest:
        """What function calling, or a chat model, is asked for. Raises InvalidRequest."""
        functions = self.body.tools or []
        choice = tool_choice_of(self.body.tool_choice, {tool.name for tool in functions}, nested=False)
        if self.mode.name == "plain":
            return self._chat_request()
        return CallingRequest(
            self._turns(),
            client_tools(functions, "tools[{}]"),
            self.mode.model,
            choice,
            self.body.parallel_tool_calls is not False,
            self.wording(),
            caller,
        )

    def _chat_request(self) -> ChatRequest:
        messages = chat_of(self._turns())
        if not messages:
            raise InvalidRequest("There is no message in `input`.", param="input")
        return self.wording().of(messages)

    def wording(self) -> Wording:
        """How the answer is to be written. Raises InvalidRequest."""
        usual = 0.0 if self.mode.name == "agent" else 1.0
        return Wording(
            self.body.max_output_tokens,
            _or(self.body.temperature, usual),
            _or(self.body.top_p, 1.0),
            schema=schema_of(self.body.text and self.body.text.format, nested=False, param="text.format"),
        )

    def _turns(self) -> tuple[Turn, ...]:
        earlier = (*_system(self.body.instructions), *self.before)
        places = [*("previous_response_id" for _ in earlier), *self.places]
        return turns_of((*earlier, *self.given), places)

    def _check_agent(self) -> None:
        if self.body.store is False:
            raise InvalidRequest(
                "What the agent does is always recorded.",
                hint="Leave `store` out; `DELETE /v1/responses/{id}` forgets a response that has ended.",
                param="store",
            )
        tool_choice_of(self.body.tool_choice, (), nested=False)
        for item, place in zip(self.given, self.places, strict=True):
            if item["type"] != "message":
                raise InvalidRequest(
                    f"`{place}` is an item of function calling, and there are no `tools`.",
                    hint="The agent takes messages; send `tools` to call your own functions.",
                    param=place,
                )


def _system(instructions: str | None) -> tuple[Item, ...]:
    if not instructions:
        return ()
    return ({"type": "message", "role": "system", "content": [{"text": instructions}]},)


def _or(value: float | None, otherwise: float) -> float:
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
        "temperature": _or(body.temperature, 1.0),
        "text": {"format": (body.text and body.text.format) or {"type": "text"}},
        "tool_choice": choice,
        "tools": [tool.model_dump() for tool in body.tools or []],
        "top_logprobs": 0,
        "top_p": _or(body.top_p, 1.0),
        "truncation": "disabled",
        "usage": None,
        "user": body.user,
    }


def renamed(error: TinyAgentError) -> TinyAgentError:
    """The error with the parameter at fault as the client wrote it."""
    error.param = _NAMES.get(error.param or "", error.param)
    return error
