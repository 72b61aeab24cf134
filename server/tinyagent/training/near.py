"""Whether a request repeats another one: by its words, or by most of its stretches of four words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

MAX_OVERLAP = 0.5
"""Share of four-word stretches that a request may have in common with another one."""
_STRETCH = 4


def normalised(text: str) -> str:
    """The words of a text in lower case, so that spaces and marks make no difference."""
    return " ".join(re.findall(r"\w+", text.lower()))


class NearIndex:
    """Requests by their stretches; grows one by one."""

    def __init__(self, queries: Iterable[str] = ()) -> None:
        self._holders: dict[str, list[int]] = defaultdict(list)
        self._sizes: list[int] = []
        for query in queries:
            self.add(query)

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, query: str) -> None:
        stretches = _stretches(query)
        for stretch in stretches:
            self._holders[stretch].append(len(self._sizes))
        self._sizes.append(len(stretches))

    def has_near(self, query: str) -> bool:
        """Whether a known request shares more than half of the shorter one's stretches."""
        own = _stretches(query)
        shared = Counter(index for stretch in own for index in self._holders.get(stretch, ()))
        return any(count > MAX_OVERLAP * min(len(own), self._sizes[index]) for index, count in shared.items())


def _stretches(text: str) -> frozenset[str]:
    words = normalised(text).split()
    return frozenset(" ".join(words[at : at + _STRETCH]) for at in range(max(1, len(words) - _STRETCH + 1)))
