"""Several sequences of tokens side by side in one context: what plans and chats read stays read by turns.

All share the context's cells. The sequence that was not used for longest makes room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llama_cpp as bindings

SEQUENCES = 3
"""For plans, chats and texts."""
_KIN = 64
"""Tokens in common by which a prompt takes over a sequence when no empty one is left."""


class Sequences:
    """What each sequence of a context holds, and which of them is in use."""

    def __init__(self, memory: Any, count: int, cells: int) -> None:
        """`memory` is that of the context, which has room for so many tokens together."""
        self._memory, self._cells = memory, cells
        self._held: list[list[int]] = [[] for _ in range(count)]
        self._by_use = list(range(count))

    @property
    def current(self) -> int:
        """The number of the sequence in use."""
        return self._by_use[-1]

    @property
    def tokens(self) -> list[int]:
        """What the sequence in use holds."""
        return self._held[self.current]

    def begin(self, prompt: Sequence[int]) -> int:
        """Use a sequence for a prompt; how many of its tokens, never the last, stand there already."""
        shared = [_common(held, prompt[:-1]) for held in self._held]
        like = max(reversed(self._by_use), key=lambda number: shared[number])
        chosen, known = self._choose(like, shared[like]), shared[like]
        self._by_use.remove(chosen)
        self._by_use.append(chosen)
        if chosen != like:
            self._drop(chosen)
            bindings.llama_memory_seq_cp(self._memory, like, chosen, 0, known)
            self._held[chosen] = list(prompt[:known])
        elif not bindings.llama_memory_seq_rm(self._memory, chosen, known, -1):
            self._drop(chosen)
            known = 0
        del self._held[chosen][known:]
        return known

    def _choose(self, like: int, shared: int) -> int:
        """The most like sequence, if that costs little of it; else an empty or the longest unused one."""
        if 2 * shared >= len(self._held[like]):
            return like
        empty = next((number for number in self._by_use if not self._held[number]), None)
        if empty is not None:
            return empty
        return like if shared >= _KIN else self._by_use[0]

    def make_room(self, count: int) -> None:
        """Give up other sequences until so many tokens more have room."""
        for number in self._by_use[:-1]:
            if sum(map(len, self._held)) + count <= self._cells:
                return
            self._drop(number)

    def clear(self) -> None:
        """Forget all sequences."""
        bindings.llama_memory_clear(self._memory, True)
        for held in self._held:
            held.clear()

    def _drop(self, number: int) -> None:
        bindings.llama_memory_seq_rm(self._memory, number, -1, -1)
        self._held[number].clear()


def _common(held: Sequence[int], prompt: Sequence[int]) -> int:
    """How many tokens both begin with."""
    for place, (old, new) in enumerate(zip(held, prompt, strict=False)):
        if old != new:
            return place
    return min(len(held), len(prompt))
