"""How a model wants to be asked and what it answers: one profile for each family of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tinyagent.domain.plan import format_plan
from tinyagent.domain.tools import ToolSpec
from tinyagent.planners import prompts
from tinyagent.planners.chat_template import Vocabulary, chat_tokens
from tinyagent.planners.compact import ASK, PLAN, TOOLS, read_calls, tag
from tinyagent.planners.compact_sense import makes_sense
from tinyagent.planners.gguf_header import Scalar
from tinyagent.planners.grammar import Limits, compact_grammar, plan_grammar
from tinyagent.planners.inner import PlanCompiler
from tinyagent.planners.namesakes import absent_arguments, by_name, can_be_planned
from tinyagent.planners.prompts import Message
from tinyagent.planners.repeats import merge_repeats
from tinyagent.ports import PlanRequest

ProfileName = Literal["compact", "tinyagent-1.1b", "tinyagent-7b", "chat"]


class Profile(Protocol):
    """A family of models. `translate` is None where a model writes the public plan language itself."""

    @property
    def name(self) -> ProfileName: ...

    @property
    def can_replan(self) -> bool: ...

    @property
    def translate(self) -> Callable[[str, PlanRequest], str] | None: ...

    def knows(self, tool: ToolSpec) -> bool:
        """Whether the model can plan calls of this tool."""
        ...

    def prompt(self, request: PlanRequest, vocabulary: Vocabulary) -> list[int]:
        """The tokens to read before the plan."""
        ...

    def grammar(self, request: PlanRequest, limits: Limits) -> str:
        """The grammar of the text that follows."""
        ...

    def makes_sense(self, text: str, request: PlanRequest) -> bool:
        """Whether the end of a text that the grammar allows is also likely to be meant."""
        ...


# --- the bundled small model -------------------------------------------------------------------


class CompactProfile:
    """The small bundled GGUF: markers, tags and the inner language; dates are resolved by code."""

    name: ProfileName = "compact"
    can_replan = False

    def knows(self, tool: ToolSpec) -> bool:
        return can_be_planned(tool)

    def prompt(self, request: PlanRequest, vocabulary: Vocabulary) -> list[int]:
        shown = "".join(tag(tool.name) for tool in self._tools(request))
        before = vocabulary.tokenize(f"{TOOLS}{shown}{ASK}", special=True)
        return before + vocabulary.tokenize(f" {request.query}") + vocabulary.tokenize(PLAN, special=True)

    def grammar(self, request: PlanRequest, limits: Limits) -> str:
        tools = self._tools(request)
        return compact_grammar(
            [tool.name for tool in tools],
            limits,
            absent=absent_arguments(tools),
            must_call=request.must_call,
        )

    def makes_sense(self, text: str, request: PlanRequest) -> bool:
        return makes_sense(text, request.query)

    def translate(self, text: str, request: PlanRequest) -> str:
        """The public plan. Raises PlanError for a text that is none."""
        compiler = PlanCompiler(request.query, request.now, request.first_index)
        calls = merge_repeats([compiler.compile(draft) for draft in read_calls(text)])
        return format_plan([by_name(call, request.tools) for call in calls])

    def _tools(self, request: PlanRequest) -> list[ToolSpec]:
        return [tool for tool in request.tools if self.knows(tool)]


# --- models that read instructions ---------------------------------------------------------------


@dataclass(frozen=True)
class InstructedProfile:
    """A model that is told the tools and writes the public plan language.

    `template` (Jinja) is how it wants its messages where its file has no chat template. One that
    `reads_schemas` plans with tools that others describe.
    """

    name: ProfileName
    can_replan: bool
    messages: Callable[[PlanRequest], list[Message]]
    template: str
    reads_schemas: bool = False
    translate: None = None

    def knows(self, tool: ToolSpec) -> bool:
        return self.reads_schemas or not tool.described

    def prompt(self, request: PlanRequest, vocabulary: Vocabulary) -> list[int]:
        template = vocabulary.chat_template() or self.template
        return chat_tokens(self.messages(request), template, vocabulary)

    def grammar(self, request: PlanRequest, limits: Limits) -> str:
        known = [task.task for task in request.tasks if task.status == "succeeded"]
        return plan_grammar(request.tools, request.first_index, known, limits, must_call=request.must_call)

    def makes_sense(self, text: str, request: PlanRequest) -> bool:
        return True


_ZEPHYR = """\
{% for message in messages %}<|{{ message['role'] }}|>
{{ message['content'] }}{{ eos_token }}
{% endfor %}<|assistant|>{{ '\n' }}"""
_VICUNA = """\
{{ bos_token }}{% for message in messages %}\
{{ {'user': 'USER: ', 'assistant': 'ASSISTANT: '}.get(message['role'], '') }}{{ message['content'] }} \
{% endfor %}ASSISTANT: """
_CHATML = """\
{% for message in messages %}<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}<|im_start|>assistant{{ '\n' }}"""

PROFILES: dict[ProfileName, Profile] = {
    "compact": CompactProfile(),
    "tinyagent-1.1b": InstructedProfile("tinyagent-1.1b", False, prompts.tinyagent_messages, _ZEPHYR),
    "tinyagent-7b": InstructedProfile("tinyagent-7b", False, prompts.tinyagent_messages, _VICUNA),
    "chat": InstructedProfile("chat", True, prompts.chat_messages, _CHATML, reads_schemas=True),
}
_SMALL_WIDTH = 2048
"""Of the 1.1B model; the 7B one is twice as wide."""


def choose_profile(header: Mapping[str, Scalar]) -> Profile:
    """The profile that fits a file's metadata: its own word, else its name, else `chat`."""
    for name, profile in PROFILES.items():
        if header.get("tinyagent.profile") == name:
            return profile
    if "tinyagent" in str(header.get("general.name", "")).lower():
        width = header.get("llama.embedding_length")
        small = not isinstance(width, int) or width <= _SMALL_WIDTH
        return PROFILES["tinyagent-1.1b" if small else "tinyagent-7b"]
    return PROFILES["chat"]
