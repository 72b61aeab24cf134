"""How long the prompt of a planner that reads instructions is, whatever planner is evaluated.

`nano` reads the request alone, so its own tokens say nothing about what retrieval saves. These
do: the messages of `planners.prompts.chat_messages` in wordpieces of MiniLM (uncased). Other
models' tokenizers count differently, by a fifth or so; the proportions stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from tinyagent.domain.tools import ToolSpec
from tinyagent.evaluation.runner import Outcome
from tinyagent.planners.prompts import chat_messages
from tinyagent.ports import PlanRequest
from tinyagent.toolrag.files import load_tokenizer, readable

UNIT = "wordpieces of MiniLM"
_NO_LIMIT = 10**9


class PromptSize:
    """Counts the wordpieces of prompts."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._count = lru_cache(4096)(self._count_text)

    @classmethod
    def load(cls, folder: Path) -> PromptSize:
        """With the tokenizer of the bundled network's folder. Raises ModelUnavailable."""
        return cls(load_tokenizer(folder / "tokenizer.json", _NO_LIMIT))

    def mean(self, outcomes: Sequence[Outcome], tools: Sequence[ToolSpec]) -> float:
        """Wordpieces a case; 0 for cases without a retrieved tool, as no planner is asked then."""
        return sum(self._of(outcome, tools) for outcome in outcomes) / len(outcomes)

    def _of(self, outcome: Outcome, tools: Sequence[ToolSpec]) -> int:
        offered = tuple(spec for spec in tools if spec.name in outcome.tools)
        if not offered:
            return 0
        request = PlanRequest(outcome.case.query, outcome.case.now, offered)
        return sum(self._count(message.content) for message in chat_messages(request))

    def _count_text(self, text: str) -> int:
        return len(self._tokenizer.encode(readable(text), add_special_tokens=False).ids)
