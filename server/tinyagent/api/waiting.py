"""Work for a client that may leave before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from tinyagent.api.sse import until_disconnect
from tinyagent.engine.faults import keep_out_of_log

T = TypeVar("T")

GONE_STATUS = 499
"""What is recorded of an answer that nobody reads."""


class ClientGone(Exception):
    """The client left before its answer was there."""


async def unless_gone(work: Coroutine[Any, Any, T], request: Request) -> T:
    """What the work comes to. Call after the body was read. Raises ClientGone when the client leaves before;
    the work is stopped then."""
    working = asyncio.create_task(work)
    keep_out_of_log(working)
    gone = asyncio.create_task(until_disconnect(request.receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
