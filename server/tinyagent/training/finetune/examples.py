"""In-context examples for training prompts: other training requests, chosen as in serving."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.planners.examples.finder import Embed
from tinyagent.planners.examples.index import ExampleIndex as ServingIndex
from tinyagent.ports import Example
from tinyagent.training.rows import Request
from tinyagent.training.storage import whole_file

_SAME = 0.985
"""Cosine above which a request counts as a variant of the one asked for, whose answer must not be shown."""
_CANDIDATES = 64
"""Of the nearest requests, so many are left to the serving planner's choice."""


class ExampleIndex(Protocol):
    """Finds examples for a request."""

    def nearest(self, query: str, tools: Collection[str], count: int) -> Sequence[Example]:
        """At most `count` examples that call offered tools only, the best first."""
        ...


class NoExamples:
    """An index that finds nothing."""

    def nearest(self, query: str, tools: Collection[str], count: int) -> Sequence[Example]:
        return ()


class CorpusIndex:
    """The training requests by the cosine of their embeddings; variants of a query are passed over."""

    def __init__(self, requests: Sequence[Request], vectors: NDArray[np.float32], embed: Embed) -> None:
        """`vectors` are the embeddings of the requests in their order."""
        self._examples = [example_of(number, request) for number, request in enumerate(requests)]
        self._needs = [frozenset(example.tools) for example in self._examples]
        self._vectors, self._embed = vectors, embed
        self._places = {request.query: place for place, request in enumerate(requests)}

    def nearest(self, query: str, tools: Collection[str], count: int) -> Sequence[Example]:
        place = self._places.get(query)
        vector = self._embed([query])[0] if place is None else self._vectors[place]
        similarity = self._vectors @ vector
        offered = frozenset(tools)
        near = [
            int(index)
            for index in np.argsort(-similarity, kind="stable")
            if similarity[index] < _SAME and self._needs[int(index)] <= offered
        ][:_CANDIDATES]
        index = ServingIndex([self._examples[each] for each in near], self._vectors[near])
        return index.nearest(vector, tools, count)


def example_of(number: int, request: Request) -> Example:
    """A solved request as an example."""
    tools = tuple(sorted(call.tool for call in parse_plan(request.plan).calls))
    return Example(number, request.query, request.now, request.plan, tools)


def embed_requests(requests: Sequence[Request], embed: Embed, store: Path) -> NDArray[np.float32]:
    """The embeddings of the requests; kept in `store`, since they take minutes for thousands."""
    queries = np.array([request.query for request in requests])
    if store.is_file():
        try:
            with np.load(store) as kept:
                if np.array_equal(kept["queries"], queries):
                    return np.asarray(kept["vectors"], dtype=np.float32)
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            pass  # it is made anew
    vectors = embed([request.query for request in requests])
    with whole_file(store) as partial, partial.open("wb") as file:
        np.savez(file, queries=queries, vectors=vectors)
    return vectors
