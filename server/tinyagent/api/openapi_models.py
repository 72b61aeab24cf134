"""Bodies that routes write by hand, as the document describes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tinyagent.api.failures import ErrorBody, ErrorDetail
from tinyagent.api.schemas import RunBody
from tinyagent.domain.events import Event
from tinyagent.engine.completion import FinishReason


class _Told(BaseModel):
    """A body with what its fields mean."""

    model_config = ConfigDict(use_attribute_docstrings=True)


# --- chat completions --------------------------------------------------------------------------


class CalledFunctionBody(_Told):
    """A function and its arguments, a JSON object as text."""

    name: str
    arguments: str


class ToolCallBody(_Told):
    """A call that the client is to carry out."""

    id: str
    type: Literal["function"]
    function: CalledFunctionBody


class AnswerMessage(_Told):
    """The answer; it may be sent back as it is."""

    role: Literal["assistant"]
    content: str | None
    """Null where the answer is calls alone."""
    reasoning_content: str | None
    """The plan."""
    refusal: None
    tool_calls: list[ToolCallBody] = []
    """All calls that are ready, to be carried out in any order or at once."""


class Choice(_Told):
    """The one answer."""

    index: Literal[0]
    message: AnswerMessage
    logprobs: None
    finish_reason: FinishReason


class PromptDetails(_Told):
    """Of the tokens that were read."""

    cached_tokens: int


class CompletionDetails(_Told):
    """Of the tokens that were written."""

    reasoning_tokens: int


class ChatUsage(_Told):
    """Tokens of the planner and of the answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class Timings(_Told):
    """Times of the model, in milliseconds, with llama-server's names."""

    cache_n: int
    prompt_n: int
    prompt_ms: float
    prompt_per_token_ms: float
    prompt_per_second: float
    predicted_n: int
    predicted_ms: float
    predicted_per_token_ms: float
    predicted_per_second: float


class _ChatHead(_Told):
    """What all bodies of one answer begin with."""

    id: str
    created: int
    model: str
    system_fingerprint: str
    service_tier: Literal["default"]


class ChatCompletion(_ChatHead):
    """The answer in one piece."""

    object: Literal["chat.completion"]
    choices: list[Choice]
    usage: ChatUsage
    timings: Timings | None = None
    """Absent where no time is known."""
    tinyagent: RunBody | None = None
    """In agent mode: the whole run."""


class CallDelta(_Told):
    """Part of a call: first its id and name, then its arguments."""

    index: int
    id: str | None = None
    type: Literal["function"] | None = None
    function: dict[Literal["name", "arguments"], str]


class Delta(_Told):
    """What is new in the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[CallDelta] | None = None


class ChunkChoice(_Told):
    """The one answer, as far as it goes on."""

    index: Literal[0]
    delta: Delta
    finish_reason: FinishReason | Literal["error"] | None


class ChatCompletionChunk(_ChatHead):
    """A frame of a stream. Its `data:` is this, and after the last one `[DONE]`."""

    object: Literal["chat.completion.chunk"]
    choices: list[ChunkChoice]
    usage: ChatUsage | None = None
    """With `include_usage` in the last chunk, null in the others."""
    timings: Timings | None = None
    tinyagent: Event | None = None
    """In agent mode: an event of the run, beside an empty delta."""
    error: ErrorDetail | None = None
    """Why the answer broke off."""


# --- responses ---------------------------------------------------------------------------------


class InputDetails(_Told):
    """Of the tokens that were read."""

    cached_tokens: int
    cache_write_tokens: int


class ResponseUsage(_Told):
    """Tokens of the planner and of the answer."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: CompletionDetails
    total_tokens: int


class ResponseFailure(_Told):
    """Why a response came to nothing; `tinyagent` has the server's own code."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str
    param: str | None
    tinyagent: ErrorDetail


class IncompleteDetails(_Told):
    """Why an answer is not whole."""

    reason: Literal["max_output_tokens"]


class OutputItem(_Told):
    """Part of the answer: the plan (`reasoning`), words (`message`), or a call (`function_call`)."""

    id: str
    type: Literal["reasoning", "message", "function_call"]
    status: Literal["in_progress", "completed", "incomplete"]
    summary: list[dict[str, Any]] | None = None
    role: Literal["assistant"] | None = None
    content: list[dict[str, Any]] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class ResponseBody(_Told):
    """A response; what the request said comes back in it."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None = None
    status: Literal["in_progress", "completed", "incomplete", "failed", "cancelled"]
    background: Literal[False]
    error: ResponseFailure | None
    incomplete_details: IncompleteDetails | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: None
    metadata: dict[str, str]
    model: str
    output: list[OutputItem]
    parallel_tool_calls: bool
    previous_response_id: str | None
    prompt_cache_key: str | None
    reasoning: dict[Literal["effort", "summary"], None]
    safety_identifier: str | None
    service_tier: Literal["default"]
    store: bool
    temperature: float
    text: dict[str, Any]
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_logprobs: Literal[0]
    top_p: float
    truncation: Literal["disabled"]
    usage: ResponseUsage | None
    user: str | None
    timings: Timings | None = None
    tinyagent: RunBody | None = None
    """In agent mode, at the end: the whole run."""


class ResponseEvent(_Told):
    """A frame of a stream of OpenAI's typed events; its `event:` is the `type`. That decides which further
    fields there are: `response`, `item`, `part`, `delta`, `text`, `arguments`, and places in the output."""

    model_config = ConfigDict(extra="allow")

    type: str
    sequence_number: int
    response: ResponseBody | None = None
    tinyagent: Event | None = None
    """In agent mode: an event of the run, beside `response.in_progress`."""


# --- the server --------------------------------------------------------------------------------


class Health(_Told):
    """The process answers."""

    status: Literal["ok"]


class CheckBody(_Told):
    """One part of the server."""

    ok: bool
    detail: str


class Readiness(_Told):
    """Every part can work."""

    status: Literal["ready"]
    checks: dict[str, CheckBody]


class Unreadiness(ErrorBody):
    """Some part cannot work."""

    status: Literal["unready"]
    checks: dict[str, CheckBody]
