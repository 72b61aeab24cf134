"""What the planner `nano` needs from a network, as protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Encoded(Protocol):
    """A request as the network read it."""

    @property
    def offsets(self) -> Sequence[tuple[int, int]]:
        """The characters that each wordpiece covers."""
        ...

    @property
    def counts(self) -> Floats:
        """For each tool the probabilities that it is called 0, 1, 2 or more times."""
        ...

    @property
    def milliseconds(self) -> float:
        """How long reading took."""
        ...


class Writer(Protocol):
    """The network's decoder at work on one request, on several plans at once."""

    def step(
        self, symbols: Sequence[int], sources: Sequence[int], parents: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """Go on with plans: each takes a symbol, or copies the request's word `source` (-1: none).

        `parents` says which plan of the step before each goes on from. Gives, a row for each plan,
        the log-probabilities of the next symbols and of copying each word.
        """
        ...


EncodedT = TypeVar("EncodedT", bound=Encoded)


class PointerNetwork(Protocol[EncodedT]):
    """An encoder, a classifier and a pointer decoder."""

    @property
    def symbols(self) -> Sequence[str]:
        """The output vocabulary; the second symbol begins a plan."""
        ...

    @property
    def labels(self) -> Sequence[str]:
        """The tools that the counts speak of, in their order."""
        ...

    @property
    def max_steps(self) -> int:
        """How many symbols a plan may have."""
        ...

    async def encode(self, text: str) -> EncodedT:
        """Read a request, or remember it."""
        ...

    def write(self, encoded: EncodedT, first: Sequence[int], last: Sequence[int]) -> Writer:
        """Begin a plan; word i of the request reaches from wordpiece first[i] to last[i]."""
        ...
