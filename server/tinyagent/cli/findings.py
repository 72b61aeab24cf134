"""What a check of `tinyagent doctor` ends in, and how a check that could hang is held to a time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from tinyagent.errors import TinyAgentError

Verdict = Literal["ok", "advice", "fault"]
"""A fault keeps tinyagent from working; advice does not."""

ANSWER_S = 5.0
"""How long another program, a server or a folder may take to answer a check."""

T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """What a check found, and what to do about it."""

    check: str
    verdict: Verdict
    detail: str
    hint: str = ""


def from_error(check: str, verdict: Verdict, error: TinyAgentError) -> Finding:
    """The finding that an error amounts to."""
    return Finding(check, verdict, error.message, error.hint or "")


async def in_time(work: Callable[[], T], seconds: float = ANSWER_S) -> T:
    """Do blocking work in a thread that the program's end does not wait for.

    Raises TimeoutError when it takes longer than `seconds`, and what `work` raises.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Callable[[], T]] = loop.create_future()

    def tell(outcome: Callable[[], T]) -> None:
        if not ended.done():
            ended.set_result(outcome)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # raised again where it is waited for
            failure = error

            def outcome() -> T:
                raise failure
        else:

            def outcome() -> T:
                return result

        with contextlib.suppress(RuntimeError):  # nobody waits any more, and the loop is closed
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=run, daemon=True).start()
    async with asyncio.timeout(seconds):
        return (await ended)()
