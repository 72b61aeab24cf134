"""Choosing the next token: the likeliest one or a draw, and under a grammar the best one that it allows.

Masking the whole vocabulary costs more than a step of a small model, and the best token is allowed
nearly always. So that one is checked first, then the best few, then all: the result is the same.

A draw is the best token too, once random numbers (of Gumbel's distribution) were added to all scores. So
what holds for the best token under a grammar also makes a draw among the tokens that the grammar allows.
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
_SEEDS = 2**64
_COLDEST = 1e-6
"""A lower temperature is none."""
_BEHIND_ALL = 1e4
"""Puts a token behind those that may be drawn, yet before nothing: a grammar may allow no other."""

Scores = npt.NDArray[np.float32]


class Draw:
    """Draws tokens at a temperature, among the likeliest that have `top_p` of the probability together."""

    def __init__(self, temperature: float, top_p: float = 1.0, seed: int | None = None) -> None:
        """`temperature` 0 is always the likeliest token; with `seed` the same draws come again."""
        self._temperature, self._top_p = temperature, top_p
        self._random = np.random.default_rng(None if seed is None else seed % _SEEDS)

    def scores(self, logits: Scores) -> Scores:
        """Scores whose best one is the token that was drawn, the second best the next draw, and so on."""
        if self._temperature < _COLDEST:
            return logits
        scaled = (logits - logits.max()) / np.float64(self._temperature)
        drawn = scaled + self._random.gumbel(size=len(scaled))
        if self._top_p < 1:
            last = np.ones(len(scaled), dtype=bool)
            last[_likeliest(scaled, self._top_p)] = False
            drawn[last] -= _BEHIND_ALL
        return drawn.astype(np.float32)


def _likeliest(scaled: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.int64]:
    """The fewest tokens that have so much of the probability; at least one."""
    probability = np.exp(scaled)
    probability /= probability.sum()
    least = (1 - share) / len(probability)  # all that have less have less than what is left out
    candidates = np.flatnonzero(probability >= least)
    order = candidates[np.argsort(-probability[candidates], kind="stable")]
    count = int(np.searchsorted(np.cumsum(probability[order]), share)) + 1
    return order[:count]


class GrammarSampler:
    """The best choice under one grammar, for one text that grows with each `choose`.

    `makes_sense` is a wish beyond the grammar: a text that it denies is written only when none of
    the best tokens brings one that it grants.
    """

    def __init__(
        self,
        model: LlamaModel,
        grammar: str,
        root: str = "root",
        makes_sense: Callable[[str], bool] = lambda text: True,
    ) -> None:
        self._model = model
        self._makes_sense = makes_sense
        self._sampler: Any = bindings.llama_sampler_init_grammar(
            model.vocabulary, grammar.encode("utf-8"), root.encode("utf-8")
        )
        if not self._sampler:
            raise PlannerFailed("llama.cpp does not accept the grammar of this answer.")
        self._text, self._unfinished = "", b""

    def choose(self, scores: Scores) -> int:
        """The best allowed token, which is taken into the text."""
        token = self._best_allowed(np.array([scores.argmax()]), scores)
        if token is None:
            few = np.argpartition(scores, -min(_FEW, len(scores)))[-_FEW:]
            token = self._best_allowed(few, scores)
            if token is None:
                token = self._best_allowed(few, scores, sensible=False)
        if token is None:
            token = self._best_allowed(np.arange(len(scores)), scores, sensible=False)
        if token is None:
            raise PlannerFailed("The planner's model has no token that its grammar allows here.")
        bindings.llama_sampler_accept(self._sampler, token)
        extended = self._extended(token)
        if extended is not None:
            self._text, self._unfinished = extended
        return token

    def _best_allowed(
        self, tokens: npt.NDArray[np.int64], scores: Scores, sensible: bool = True
    ) -> int | None:
        order = tokens[np.argsort(-scores[tokens], kind="stable")]
        entries = np.zeros(len(order), dtype=_ENTRY)
        entries["id"], entries["logit"] = order, scores[order]
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
