"""Streams that have to end in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from tinyagent.errors import DeadlineExceeded

T = TypeVar("T")


async def within(stream: AsyncIterator[T], deadline: float) -> AsyncGenerator[T]:
    """The pieces of a model's stream that come before a moment of the monotonic clock.

    Raises DeadlineExceeded. The stream is closed at the end.
    """
    try:
        while True:
            try:
                yield await asyncio.wait_for(anext(stream), deadline - time.monotonic())
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise DeadlineExceeded(
                    "The model did not come to an end in the time that a run may take.",
                    hint="Ask for less, or raise run_deadline_s in the settings.",
                ) from None
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
