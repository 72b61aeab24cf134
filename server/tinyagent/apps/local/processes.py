"""Running a program to its end, within bounds of time and of output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

ERROR_BYTES = 4096
"""How much of the end of what a program says on its error stream is kept."""

_CHUNK = 65536
_LAST_SECONDS = 1.0


class OutputTooLarge(Exception):
    """The program wrote more than it may; it was stopped."""


@dataclass(frozen=True)
class Finished:
    """How a program ended, all of its output and the end of its complaints."""

    code: int
    output: bytes
    errors: bytes


async def run(argv: Sequence[str], *, seconds: float, max_bytes: int) -> Finished:
    """Run a program without input and wait for its end.

    Whatever happens, it and all that it started are gone on return. Raises FileNotFoundError when there is
    no such program, TimeoutError after `seconds`, and OutputTooLarge above `max_bytes` of output.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout and process.stderr
    try:
        async with asyncio.timeout(seconds):
            output, errors = await asyncio.gather(
                _start_of(process.stdout, max_bytes, process), _end_of(process.stderr, ERROR_BYTES)
            )
            code = await process.wait()
    finally:
        await _end(process)
    if len(output) > max_bytes:
        raise OutputTooLarge
    return Finished(code, output, errors)


async def _start_of(
    stream: asyncio.StreamReader, max_bytes: int, process: asyncio.subprocess.Process
) -> bytes:
    """All output; more than `max_bytes` ends the program."""
    output = bytearray()
    while chunk := await stream.read(_CHUNK):
        output += chunk
        if len(output) > max_bytes:
            _kill(process)
            break
    return bytes(output)


async def _end_of(stream: asyncio.StreamReader, size: int) -> bytes:
    kept = b""
    while chunk := await stream.read(_CHUNK):
        kept = (kept + chunk)[-size:]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        _kill(process)
    # The pipes are closed once they are read to their ends; what left the group may keep them open.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_SECONDS):
            await process.communicate()


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the program with everything it started: it leads a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
