"""Errors as the events carry them."""

from __future__ import annotations

import asyncio
from typing import Any

from tinyagent.domain.events import Fault
from tinyagent.errors import TinyAgentError


def fault_of(error: TinyAgentError) -> Fault:
    """The error's code, message, hint and candidates."""
    return Fault(code=error.code, message=error.message, hint=error.hint, candidates=error.candidates)


def keep_out_of_log(task: asyncio.Task[Any]) -> None:
    """Have asyncio log nothing when the task fails and nobody asks why: the error's text may be private."""
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
