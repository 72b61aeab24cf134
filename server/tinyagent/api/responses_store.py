"""Responses that are kept for a while, so that later ones can go on from them: in memory, never on disk."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tinyagent.api.responses_items import Item

KEEP_S = 3_600.0
MAX_KEPT = 1_000
MAX_BYTES = 64_000_000


@dataclass(frozen=True)
class Kept:
    """A response with the items that it answered: `before` are those of the responses that it went on from.

    Of an agent's response the body is only what the request said, and the rest is in the journal; unless its
    answer was worded for this response alone: then it is the whole.
    """

    caller: str
    body: Mapping[str, Any]
    given: tuple[Item, ...]
    before: tuple[Item, ...] = ()

    @property
    def conversation(self) -> tuple[Item, ...]:
        """All items that a following response goes on from; plans are not part of what was said."""
        output = cast("list[Item]", self.body["output"])
        return (*self.before, *self.given, *(item for item in output if item["type"] != "reasoning"))


class ResponseStore:
    """Responses by id, each for the caller that it was made for; the oldest go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, int, Kept]] = OrderedDict()
        self._bytes = 0

    def keep(self, response: str, kept: Kept) -> None:
        """Remember a response for an hour, unless others need the room before."""
        self.forget(response)
        size = len(json.dumps([kept.body, kept.given, kept.before]))
        self._kept[response] = (self._clock(), size, kept)
        self._bytes += size
        while (
            len(self._kept) > MAX_KEPT or self._bytes > MAX_BYTES or self._oldest() < self._clock() - KEEP_S
        ):
            self.forget(next(iter(self._kept)))

    def find(self, response: str, caller: str) -> Kept | None:
        """The response, if this caller's and not too old."""
        at, _, kept = self._kept.get(response, (0.0, 0, None))
        mine = kept is not None and kept.caller == caller and at >= self._clock() - KEEP_S
        return kept if mine else None

    def item(self, item: str, caller: str) -> Item | None:
        """The item with this id out of one of the caller's responses, the latest first."""
        for response in reversed(self._kept):
            kept = self.find(response, caller)
            for found in (*kept.given, *cast("list[Item]", kept.body["output"])) if kept else ():
                if found["id"] == item:
                    return found
        return None

    def forget(self, response: str) -> bool:
        """Drop a response, whoever's it is; False when there is none."""
        _, size, kept = self._kept.pop(response, (0.0, 0, None))
        self._bytes -= size
        return kept is not None

    def _oldest(self) -> float:
        return next(iter(self._kept.values()))[0] if self._kept else self._clock()
