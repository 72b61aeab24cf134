"""Composed answers cut by `stop` and `max_tokens`: a model cuts its own, code has to."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from tinyagent.api.pieces import broken_off
from tinyagent.engine.completion import Ending, Piece, Text

_TOKEN = re.compile(r"\w{1,4}|[^\w\s]")
"""The answer is composed without a model, so its tokens are counted by the rule of thumb: up to
four letters of a word, or a sign."""


class Answer:
    """The answer as far as the client may see it.

    Text that may be the beginning of a stop string is held back until it is known.
    """

    def __init__(self, stops: Sequence[str], limit: int | None) -> None:
        self._stops = tuple(stops)
        self._limit = limit
        self._held = ""
        self._ended = False
        self.text = ""
        self.cut_short = False
        """Whether the limit ended it."""

    @property
    def tokens(self) -> int:
        return len(_TOKEN.findall(self.text))

    def feed(self, text: str) -> str:
        """Take the next piece of the answer; the text to send now."""
        return self._release(text, last=False)

    def close(self) -> str:
        """Say that the answer is whole; the text that is still to be sent."""
        return self._release("", last=True)

    def _release(self, text: str, last: bool) -> str:
        if self._ended:
            return ""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self._held, self._ended = self._held[: min(found)], True
        kept = 0 if found or last else self._beginning_of_stop()
        sent, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        sent = self._cut(sent)
        self.text += sent
        return sent

    def _beginning_of_stop(self) -> int:
        """How many of the last characters may be the beginning of a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0

    def _cut(self, text: str) -> str:
        """`text` as far as the limit allows. Tokens are counted over the whole answer."""
        if self._limit is None:
            return text
        whole = self.text + text
        over = [match.start() for match in _TOKEN.finditer(whole)][self._limit : self._limit + 1]
        if not over:
            return text
        self._ended = self.cut_short = True
        return whole[len(self.text) : over[0]]


async def cut(pieces: AsyncGenerator[Piece], answer: Answer) -> AsyncGenerator[Piece]:
    """The pieces with their text cut; what is planned and done stays whole. `answer` counts what was sent.

    Raises what the pieces do, and PlannerFailed when they have no end.
    """
    async with aclosing(pieces):
        async for piece in pieces:
            match piece:
                case Text(text=text):
                    sent = answer.feed(text)
                    if sent:
                        yield Text(sent)
                case Ending():
                    rest = answer.close()
                    if rest:
                        yield Text(rest)
                    yield replace(piece, finish_reason="length") if answer.cut_short else piece
                    return
                case _:
                    yield piece
    raise broken_off()
