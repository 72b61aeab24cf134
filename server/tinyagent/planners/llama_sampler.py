"""Choosing the next token under a grammar: the best one that the grammar allows.

Masking the whole vocabulary costs more than a step of a small model, and the best token is allowed
nearly always. So that one is checked first, then the best few, then all: the result is the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, cast

import llama_cpp as bindings
import numpy as np
import numpy.typing as npt

from tinyagent.errors import PlannerFailed
from tinyagent.planners.llama_model import LlamaModel

_FEW = 64
_ENTRY = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""The layout of `llama_token_data`."""


class GrammarSampler:
    """Greedy choice under one grammar, for one text that grows with each `choose`.

    `makes_sense` is a wish beyond the grammar: a text that it denies is written only when none of
    the best tokens brings one that it grants.
    """

    def __init__(
        self, model: LlamaModel, grammar: str, root: str, makes_sense: Callable[[str], bool]
    ) -> None:
        self._model = model
        self._makes_sense = makes_sense
        self._sampler: Any = bindings.llama_sampler_init_grammar(
            model.vocabulary, grammar.encode("utf-8"), root.encode("utf-8")
        )
        if not self._sampler:
            raise PlannerFailed("llama.cpp does not accept the grammar of this plan.")
        self._text, self._unfinished = "", b""

    def choose(self, logits: npt.NDArray[np.float32]) -> int:
        """The best allowed token, which is taken into the text."""
        token = self._best_allowed(np.array([logits.argmax()]), logits)
        if token is None:
            few = np.argpartition(logits, -min(_FEW, len(logits)))[-_FEW:]
            token = self._best_allowed(few, logits)
            if token is None:
                token = self._best_allowed(few, logits, sensible=False)
        if token is None:
            token = self._best_allowed(np.arange(len(logits)), logits, sensible=False)
        if token is None:
            raise PlannerFailed("The planner's model has no token that its grammar allows here.")
        bindings.llama_sampler_accept(self._sampler, token)
        extended = self._extended(token)
        if extended is not None:
            self._text, self._unfinished = extended
        return token

    def _best_allowed(
        self, tokens: npt.NDArray[np.int64], logits: npt.NDArray[np.float32], sensible: bool = True
    ) -> int | None:
        order = tokens[np.argsort(-logits[tokens], kind="stable")]
        entries = np.zeros(len(order), dtype=_ENTRY)
        entries["id"], entries["logit"] = order, logits[order]
        pointer = entries.ctypes.data_as(ctypes.POINTER(bindings.llama_token_data))
        array = bindings.llama_token_data_array(pointer, len(order), -1, False)
        bindings.llama_sampler_apply(self._sampler, cast("Any", ctypes.byref(array)))
        allowed = entries["id"][entries["logit"] > -np.inf]
        return next((int(token) for token in allowed if self._fits(int(token), sensible)), None)

    def _fits(self, token: int, sensible: bool) -> bool:
        if self._model.is_end(token):
            return True
        extended = self._extended(token)
        return extended is not None and (not sensible or self._makes_sense(extended[0]))

    def _extended(self, token: int) -> tuple[str, bytes] | None:
        """The text with the token, and bytes of a character that is not whole yet.

        None when the bytes are no strict UTF-8, which llama.cpp reads more leniently than Python.
        """
        data = self._unfinished + self._model.piece(token)
        try:
            return self._text + data.decode("utf-8"), b""
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return None
            return self._text + data[: error.start].decode("utf-8"), data[error.start :]

    def close(self) -> None:
        """Free the grammar's state."""
        if self._sampler:
            bindings.llama_sampler_free(self._sampler)
            self._sampler = None
