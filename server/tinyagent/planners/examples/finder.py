"""From a request to its examples. Without usable files planners work on without any."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinyagent.errors import ModelUnavailable
from tinyagent.planners.examples.index import ExampleIndex
from tinyagent.ports import Example, PlanRequest

logger = logging.getLogger(__name__)

Embed = Callable[[list[str]], NDArray[np.float32]]
"""Texts to vectors of length 1, row by row."""

FindExamples = Callable[[PlanRequest], tuple[Example, ...]]
"""The examples for a request, the nearest first. Takes some milliseconds: not for the event loop."""


def no_examples(request: PlanRequest) -> tuple[Example, ...]:
    """Finds nothing."""
    return ()


class ExampleFinder:
    """Finds examples in an index that is loaded by the first request."""

    def __init__(self, load: Callable[[], ExampleIndex], embed: Embed, count: int) -> None:
        """`load` may raise ModelUnavailable; `count` bounds the examples of a request."""
        self._load, self._embed, self._count = load, embed, count

    def __call__(self, request: PlanRequest) -> tuple[Example, ...]:
        """See `FindExamples`."""
        if self._index is None:
            return ()
        vector = self._embed([request.query])[0]
        return self._index.nearest(vector, [tool.name for tool in request.tools], self._count)

    @cached_property
    def _index(self) -> ExampleIndex | None:
        try:
            return self._load()
        except ModelUnavailable as error:
            logger.warning("Planners get no examples. %s", error.message)
            return None
