"""A chat completion request: what each mode obeys, what is refused, and what is asked of the engine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from tinyagent import ports
from tinyagent.api.chat_messages import ChatMessage, turns_of
from tinyagent.api.modes import Mode
from tinyagent.api.text_parts import whole_characters
from tinyagent.api.tool_params import (
    MAX_TOOLS,
    FunctionTool,
    Metadata,
    Strict,
    choice_schema,
    client_tools,
    format_schema,
    schema_of,
    tool_choice_of,
)
from tinyagent.engine.calling import CallingRequest, Said, ToolChoice, Wording
from tinyagent.engine.exchange import chat_of
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import InvalidRequest, TinyAgentError

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
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_options": (),
    "prompt_cache_retention": ("in_memory",),
    "reasoning_effort": (),
    "service_tier": ("auto", "default"),
    "top_logprobs": (),
    "verbosity": ("medium",),
    "web_search_options": (),
}
"""Parameters of the OpenAI API that are not supported, with the values that ask for nothing: those, and null,
are no reason to refuse a request."""

_INSTEAD = {"functions": "Send `tools`.", "function_call": "Send `tool_choice`."}

_NAMES = {"query": "messages", "turns": "messages", "planner": "model", "schema": "response_format"}
"""What the engine's parameters are called in a chat request."""

Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_STOP = {"type": "string", "minLength": 1}
Stops = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(lambda stop: [stop] if isinstance(stop, str) else stop),
    WithJsonSchema({"anyOf": [_STOP, {"type": "array", "items": _STOP, "maxItems": MAX_STOPS}]}),
]


class StreamOptions(Strict):
    """What a stream tells besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class ChatRequest(BaseModel):
    """The parameters that some mode obeys; whatever else was sent is held apart and refused by `check`."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, use_attribute_docstrings=True)

    model: str
    """`tinyagent` or `tinyagent:<planner>` for the agent or, with `tools`, function calling; a model's own id
    for its own chat."""
    messages: list[ChatMessage] = Field(min_length=1)
    """The conversation. In agent mode the last message is the user's request, those before are context, and
    `system` and `developer` messages are instructions. Every call has its result before the next message that
    is no result; a message may be sent back as it was received."""
    tools: list[FunctionTool] | None = Field(None, max_length=MAX_TOOLS)
    """The client's functions, each with a name of its own; with any of them the answer is calls of these."""
    tool_choice: Any = Field(None, json_schema_extra=choice_schema)
    """`none`, `auto`, `required`, a function, or `allowed_tools`; without `tools` only `none` and `auto`."""
    parallel_tool_calls: bool | None = None
    """`false`: never more than one call in an answer. Needs `tools`."""
    response_format: Any = Field(None, json_schema_extra=format_schema)
    """`text`; where the model can chat `json_object` and `json_schema` too. In agent mode it writes that when
    the run has ended, from its answer and the results of its tasks."""
    stream: bool | None = None
    """`true`: chunks as server-sent events."""
    stream_options: StreamOptions | None = None
    """`include_usage`, with `stream`; `include_obfuscation` only as `false`."""
    max_tokens: int | None = Field(None, ge=1)
    """The most tokens of the answer, by its older name; the lower one counts."""
    max_completion_tokens: int | None = Field(None, ge=1)
    """The most tokens of the answer. A model stops there; an answer composed without a model is cut, its
    tokens counted by rule: up to four letters of a word, or a sign."""
    stop: Annotated[Stops, Field(max_length=MAX_STOPS)] | None = None
    """A text, or up to four; the answer ends before the first that occurs."""
    n: Literal[1] | None = None
    """Only 1: there is one answer."""
    temperature: float | None = Field(None, ge=0, le=2)
    """For what a chat model words, 1 unless given, in agent mode 0; plans are decoded greedily whatever it
    says."""
    top_p: float | None = Field(None, ge=0, le=1)
    """For what a chat model words, 1 unless given; plans are decoded greedily whatever it says."""
    seed: Seed | None = None
    """For what a chat model words; the same request gives the same plan without one."""
    store: bool | None = None
    """In agent mode `true` only, since every run is kept; else `false` only, since nothing is."""
    user: str | None = None
    """Checked, then without effect: for the caller's own bookkeeping, and not kept."""
    safety_identifier: str | None = None
    """Checked, then without effect: for the caller's own bookkeeping, and not kept."""
    prompt_cache_key: str | None = None
    """Checked, then without effect: prompts are remembered whatever it says."""
    metadata: Metadata | None = None
    """Checked, then without effect: for the caller's own bookkeeping, and not kept."""

    _whole = model_validator(mode="before")(whole_characters)

    @property
    def limit(self) -> int | None:
        """The most tokens that the answer may have."""
        limits = [limit for limit in (self.max_tokens, self.max_completion_tokens) if limit is not None]
        return min(limits, default=None)

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def check(self) -> None:
        """Refuse what no mode obeys. Raises InvalidRequest."""
        extra: dict[str, Any] = self.model_extra or {}
        for name, value in extra.items():
            if name not in NEUTRAL:
                raise InvalidRequest(f"`{name}` is not a known parameter.", hint="Leave it out.", param=name)
            if value is not None and value not in NEUTRAL[name]:
                hint = _INSTEAD.get(name, "Leave it out.")
                raise InvalidRequest(f"`{name}` is not supported.", hint=hint, param=name)
        if self.stream_options is not None and not self.stream:
            raise InvalidRequest(
                "`stream_options` needs `stream: true`.", hint="Leave it out.", param="stream_options"
            )
        if self.parallel_tool_calls is not None and not self.tools:
            raise InvalidRequest(
                "`parallel_tool_calls` needs `tools`.", hint="Leave it out.", param="parallel_tool_calls"
            )

    def renamed(self, error: TinyAgentError) -> TinyAgentError:
        """The error with the parameter at fault as the client wrote it."""
        error.param = _NAMES.get(error.param or "", error.param)
        if error.param == "max_tokens" and self.max_tokens is None:
            error.param = "max_completion_tokens"
        return error

    # --- what the engine is asked for --------------------------------------------------------

    def run_request(self, mode: Mode) -> RunRequest:
        """Agent mode. Raises InvalidRequest."""
        self._check_for_agent()
        self._choice(())
        said = [turn for turn in turns_of(self.messages) if isinstance(turn, Said)]
        spoken = [turn for turn in said if turn.role != "system"]
        if not spoken or spoken[-1].role != "user" or not spoken[-1].text.strip():
            raise InvalidRequest(
                "The last message must be the user's, with text in it.",
                hint="It is the request.",
                param="messages",
            )
        return RunRequest(
            query=spoken[-1].text,
            planner=mode.model,
            instructions="\n\n".join(turn.text for turn in said if turn.role == "system"),
            history=tuple((turn.role, turn.text) for turn in spoken[:-1]),
        )

    def engine_request(self, mode: Mode, caller: str) -> CallingRequest | ports.ChatRequest:
        """Function calling, or a model's own chat. Raises InvalidRequest."""
        self._check_not_stored()
        wording = self.wording(mode)
        if mode.name == "plain":
            self._choice(())
            return wording.of(chat_of(turns_of(self.messages)))
        tools = client_tools([tool.function for tool in self.tools or ()], "tools[{}].function")
        return CallingRequest(
            turns=turns_of(self.messages),
            tools=tools,
            planner=mode.model,
            choice=self._choice([tool.name for tool in tools]),
            parallel=self.parallel_tool_calls is not False,
            wording=wording,
            caller=caller,
        )

    def wording(self, mode: Mode) -> Wording:
        """How the answer is to be written. Raises InvalidRequest."""
        usual = 0.0 if mode.name == "agent" else 1.0
        return Wording(
            self.limit,
            usual if self.temperature is None else self.temperature,
            1.0 if self.top_p is None else self.top_p,
            self.seed,
            tuple(self.stop or ()),
            schema_of(self.response_format, nested=True, param="response_format"),
        )

    def _choice(self, offered: list[str] | tuple[()]) -> ToolChoice:
        return tool_choice_of(self.tool_choice, offered, nested=True)

    def _check_for_agent(self) -> None:
        if self.store is False:
            raise InvalidRequest(
                "`store: false` is not supported in agent mode: every run is kept in the journal.",
                hint="Leave it out, and delete the run afterwards.",
                param="store",
            )
        for number, message in enumerate(self.messages):
            field = "role" if message.role == "tool" else "tool_calls" if message.tool_calls else ""
            if field:
                name = f"messages[{number}].{field}"
                raise InvalidRequest(
                    f"`{name}`: agent mode calls its own tools and reads no calls and results of others.",
                    hint="Send `tools`, or leave these messages out.",
                    param=name,
                )

    def _check_not_stored(self) -> None:
        if self.store:
            raise InvalidRequest(
                "`store: true` is not supported in this mode: nothing of the answer is kept.",
                hint="Leave it out.",
                param="store",
            )
