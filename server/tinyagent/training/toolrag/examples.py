"""Rows as wordpieces and tools, for the sampler that the planner's training uses as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tokenizers import Tokenizer

from tinyagent.toolrag.files import readable
from tinyagent.toolrag.labels import CLASSES
from tinyagent.training.examples import Encoder, Example
from tinyagent.training.rows import Row


class ToolEncoder(Encoder):
    """Examples without plans: which tools are called, in whatever way."""

    def __init__(self, tokenizer: Tokenizer, window: int) -> None:
        super().__init__(tokenizer, ())
        self._window = window

    def example(self, row: Row) -> Example | None:
        """None for a row that is longer than the window: a tool may be named beyond it."""
        called = Counter(call.tool for call in row.calls)
        return self.bare(row.query, [called[tool] for tool in CLASSES], ())

    def bare(self, query: str, counts: Sequence[int], one_of: Sequence[int]) -> Example | None:
        """A request with what is known of its tools."""
        pieces = self._tokenizer.encode(readable(query)).ids
        if len(pieces) >= self._window:
            return None
        return Example(tuple(pieces), (), (), (), (), (), (), tuple(counts), tuple(one_of))
