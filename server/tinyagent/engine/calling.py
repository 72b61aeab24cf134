"""Function calling: a plan over tools that the client carries out, wave by wave.

The client sends the whole conversation each time and needs to know nothing of plans. Calls that do not
depend on each other come together; those that use their results come when these are there, with `$n`
filled in. LLMCompiler (arXiv:2312.04511) with the client as its executor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import ChatRequest, ChatRole, ChatTurn


@dataclass(frozen=True)
class Said:
    """A message in words."""

    role: ChatRole
    text: str


@dataclass(frozen=True)
class Called:
    """A call that the assistant asked for; `name` is the client's for the tool."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Returned:
    """What the client says that a call brought."""

    id: str
    text: str


Turn = Said | Called | Returned


@dataclass(frozen=True)
class ClientTool:
    """A tool of the client's. `spec` is described by the client's JSON schema and named for plans;
    with `strict` every call fits the schema exactly."""

    name: str
    spec: ToolSpec
    strict: bool = False


@dataclass(frozen=True)
class ToolChoice:
    """Whether tools must be called (`required`), may be or must not; `names` are those that are allowed."""

    mode: Literal["auto", "none", "required"] = "auto"
    names: frozenset[str] | None = None


@dataclass(frozen=True)
class Wording:
    """How words are to be written: as in `ports.ChatRequest`."""

    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None

    def of(self, messages: tuple[ChatTurn, ...]) -> ChatRequest:
        """These messages, to be continued so."""
        return ChatRequest(
            messages, self.max_tokens, self.temperature, self.top_p, self.seed, self.stop, self.schema
        )


@dataclass(frozen=True)
class CallingRequest:
    """One turn of a conversation with tools. `planner` None is the default one.

    With `parallel` False there is never more than one call in an answer. `caller` keeps the plans of
    different tokens apart.
    """

    turns: tuple[Turn, ...]
    tools: tuple[ClientTool, ...]
    planner: str | None = None
    choice: ToolChoice = ToolChoice()
    parallel: bool = True
    wording: Wording = field(default_factory=Wording)
    caller: str = ""
