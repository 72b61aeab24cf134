"""A text that a GGUF model writes after a prompt, token by token."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_worker import Stopped
from tinyagent.ports import Usage

Choose = Callable[[npt.NDArray[np.float32]], int]
"""The next token, by the model's scores of all."""


class LlamaText:
    """One prompt and what the model writes after it. Used in the model's thread."""

    def __init__(self, model: LlamaModel, prompt: Sequence[int], stopped: Stopped) -> None:
        self._model, self._prompt, self._stopped = model, prompt, stopped
        self._known = 0
        self._prompt_s = self._writing_s = 0.0
        self.tokens = 0
        """Written so far."""
        self.ended = False
        """Whether the model itself came to an end."""

    @property
    def room(self) -> int:
        """Tokens that can be written after the prompt; less than 1 when it is too long."""
        return self._model.context - len(self._prompt) - 1

    def write(self, choose: Choose, limit: int) -> Iterator[str]:
        """Read the prompt, then yield at most `limit` tokens, each as the characters that it completes.

        Stops early when stopped. The last token is not read by the model.
        """
        started = time.perf_counter()
        known = self._model.read(self._prompt, self._stopped)
        self._prompt_s = time.perf_counter() - started
        if known is None:
            return
        self._known = known
        started = time.perf_counter()
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while not self._stopped():
            token = choose(self._model.logits())
            self.ended = self._model.is_end(token)
            if not self.ended:
                self.tokens += 1
            whole = self.ended or self.tokens >= limit
            self._writing_s = time.perf_counter() - started
            yield decoder.decode(b"" if self.ended else self._model.piece(token), final=whole)
            if whole:
                return
            self._model.extend([token])

    def usage(self) -> Usage:
        """Tokens and times so far."""
        return Usage(
            len(self._prompt), self.tokens, self._known, self._prompt_s * 1000, self._writing_s * 1000
        )
