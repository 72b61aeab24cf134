"""How near a request is to tools that no classifier learnt, by their names and descriptions.

Two signs are put together: the cosine of the encoder's vectors (two thirds), and the words that both
have in common (one third), since the encoder was trained for other tools and its vectors alone miss one
request in four. What all texts of this encoder share is taken out of the vectors first.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyagent.domain.tools import ToolSpec

Vectors = NDArray[np.float32]
Embed = Callable[[list[str]], Vectors]
"""One vector of length 1 for each text, row by row."""

REMEMBERED = 1024
"""Texts whose vectors are kept."""
MAX_CHARACTERS = 300

_COSINE, _WORDS = 2 / 3, 1 / 3
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ing", "ed", "es", "s", "e")
_COMMON = frozenset(
    {
        "a", "all", "an", "and", "are", "as", "at", "be", "by", "did", "do", "does", "for", "from",
        "get", "how", "i", "in", "is", "it", "its", "list", "me", "my", "not", "of", "on", "or",
        "please", "that", "the", "this", "to", "what", "which", "will", "with", "you",
    }
)  # fmt: skip


class Descriptions:
    """Scores tools by what is said of them."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, Vectors] = {}
        self._turn = threading.Lock()

    async def scores(
        self, query: str, tools: Sequence[ToolSpec], learnt: Sequence[str]
    ) -> Mapping[str, float]:
        """From 0 to 1 for each of `tools`; `learnt` are the names of the tools that the encoder knows."""
        if not tools:
            return {}
        return await asyncio.to_thread(self._scores, query, tools, learnt)

    def _scores(self, query: str, tools: Sequence[ToolSpec], learnt: Sequence[str]) -> dict[str, float]:
        texts = [text_of(tool) for tool in tools]
        names = [_spoken(name) for name in learnt]
        known = self._learnt([*texts, *names])
        shared = np.mean([known[name] for name in names], axis=0) if names else np.float32(0)
        vectors = np.stack([known[text] for text in texts])
        cosines = _centred(self._embed([query]), shared) @ _centred(vectors, shared).T
        words = _in_common(query, texts, names)
        return {
            tool.name: float(np.clip(_COSINE * cosine + _WORDS * word, 0, 1))
            for tool, cosine, word in zip(tools, cosines[0], words, strict=True)
        }

    def _learnt(self, texts: Sequence[str]) -> Mapping[str, Vectors]:
        """The vectors of these texts, those that are missing computed. Several requests do so at once.

        Where too many are kept, those of texts that are not used now are forgotten.
        """
        with self._turn:
            known = {text: self._known[text] for text in texts if text in self._known}
            new = [text for text in dict.fromkeys(texts) if text not in known]
            if new:
                known.update(zip(new, self._embed(new), strict=True))
            self._known = known if len(self._known) > REMEMBERED else {**self._known, **known}
        return known


def text_of(tool: ToolSpec) -> str:
    """What is read of a tool."""
    return f"{_spoken(tool.name)}: {tool.description[:MAX_CHARACTERS]}"


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _centred(vectors: Vectors, shared: Vectors | np.float32) -> Vectors:
    moved = vectors - shared
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)


def _in_common(query: str, texts: Sequence[str], others: Sequence[str]) -> list[float]:
    """How much the words say that the request shares with each text: a rare one more than a common one."""
    asked = _stems(query)
    held = [_stems(text) for text in texts]
    counts = Counter(stem for stems in (*held, *map(_stems, others)) for stem in stems)
    total = len(texts) + len(others)

    def weight(stems: Iterable[str]) -> float:
        return sum(math.log(1 + total / counts[stem]) for stem in stems) / math.log(1 + total)

    return [min(weight(asked & stems), 1.0) for stems in held]


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.casefold()) if word not in _COMMON}


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
