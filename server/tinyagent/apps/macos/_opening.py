"""Showing something on the desktop by `open`."""

from __future__ import annotations

from collections.abc import Sequence

from tinyagent.apps.local.processes import OutputTooLarge, run
from tinyagent.errors import AppFailed

SECONDS = 10.0


async def open_on_desktop(argv: Sequence[str], what: str) -> None:
    """Run `open` to its end. Raises AppFailed when it shows nothing; `what` names the thing."""
    try:
        finished = await run(argv, seconds=SECONDS, max_bytes=2**16)
    except (OSError, TimeoutError, OutputTooLarge):
        raise AppFailed(f"{what} could not be shown.", hint=f"Open {what.lower()} yourself.") from None
    if finished.code:
        raise AppFailed(f"{what} could not be shown.", hint="No program for it may be installed.")
