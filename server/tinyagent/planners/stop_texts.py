"""Ends an answer before the first of some texts, in whatever pieces it comes."""

from __future__ import annotations

from collections.abc import Sequence


class StopTexts:
    """Lets an answer through up to the first stop text, which is never shown, not even in part.

    What may be the beginning of one is held back until it is known.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.found = False
        """Whether the answer has come to a stop text."""

    def feed(self, text: str) -> str:
        """Take the next piece; what may be shown now."""
        if self.found:
            return ""
        self._held += text
        places = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if places:
            self.found = True
            shown, self._held = self._held[: min(places)], ""
            return shown
        kept = len(self._held) - self._beginning()
        shown, self._held = self._held[:kept], self._held[kept:]
        return shown

    def close(self) -> str:
        """What was held back, once the answer has ended."""
        held, self._held = self._held, ""
        return held

    def _beginning(self) -> int:
        """How many of the last characters may be the beginning of a stop text."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
