"""Waits between attempts: growing, bounded, and not the same for everybody."""

from __future__ import annotations

import random

FIRST_S = 0.2
LONGEST_S = 15.0


class Backoff:
    """How long to wait before the next attempt, in seconds."""

    def __init__(self) -> None:
        self._next_s = FIRST_S
        self.fresh = True

    def next(self) -> float:
        """Twice as long as before on average, up to the longest."""
        self.fresh = False
        current, self._next_s = self._next_s, min(self._next_s * 2, LONGEST_S)
        return current * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
