"""Work of a tool host, which may hang or fail in ways that nobody foresaw."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from tinyagent.errors import AppFailed, DeadlineExceeded, TinyAgentError, log_unexpected

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def bounded(
    work: Awaitable[T], what: str, seconds: float, unexpected: type[TinyAgentError] = AppFailed
) -> T:
    """What the work brings. Raises TinyAgentError alone: DeadlineExceeded, or `unexpected` for a fault in it.

    `what` names the work in sentences for people.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise DeadlineExceeded(
            f"{what} did not finish within {seconds:g} seconds and was stopped.",
            hint="Look whether the application waits for you (a dialog, a permission), then try again.",
        ) from None
    except TinyAgentError:
        raise
    except Exception as error:
        log_unexpected(logger, what, error)
        raise unexpected(f"{what} failed unexpectedly.", hint="The server's log has the details.") from None
