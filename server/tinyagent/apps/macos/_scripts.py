"""Running the AppleScripts: a file an operation, its data in a private file, its answer a line of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

from tinyagent.apps.local.processes import Finished, OutputTooLarge, run
from tinyagent.apps.macos._errors import NOT_RUNNING, error_for, error_number, outcome_unknown
from tinyagent.apps.macos._header import (
    ScriptHeader,
    applescripts_folder,
    check_answer,
    check_payload,
    read_header,
)
from tinyagent.errors import AppFailed, NotConfigured, ToolError

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 2**20
"""A mail with its attachments is the largest answer."""

LAUNCH_SECONDS = 15.0

LEFTOVER_SECONDS = 600.0
"""No script runs so long: a payload of this age was left by a process that was killed."""

_PAYLOADS = "tinyagent-payload-"


class Scripts:
    """Runs the scripts in `folder`, the calls to one application one after another.

    A script ends by itself after the seconds that its header names; it is killed `grace_seconds` later.
    A call waits `queue_seconds` at most for the ones before it, so that it says that nothing was done before
    its own deadline, after which nobody would know.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        grace_seconds: float = 3.0,
        queue_seconds: float = 20.0,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._folder = folder or applescripts_folder()
        self._grace = grace_seconds
        self._queue = queue_seconds
        self._max_bytes = max_bytes
        self._locks: dict[str, asyncio.Lock] = {}

    async def read(self, operation: str, payload: Mapping[str, Any], *, app: str = "") -> dict[str, Any]:
        """Run a script that changes nothing; its answer. An application that is not running is started.

        `app` is the application that is told, where the script serves several. Raises ToolError.
        """
        try:
            return await self._run(operation, payload, app, writes=False)
        except _NotRunning:
            return await self._run(operation, payload, app, writes=False, launched=True)

    async def write(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Run a script that changes something, once; its answer.

        Raises ToolError, OutcomeUnknown when it cannot be known whether it took effect.
        """
        try:
            return await self._run(operation, payload, "", writes=True)
        except _NotRunning as error:
            raise error_for(NOT_RUNNING, error.app, writes=True) from None

    async def _run(
        self, operation: str, payload: Mapping[str, Any], app: str, *, writes: bool, launched: bool = False
    ) -> dict[str, Any]:
        path = self._folder / f"{operation}.applescript"
        header = _header(path)
        check_payload(header, payload)
        app = app or header.app.partition(",")[0].strip()
        async with self._turn(app):
            with _private_file(payload) as data:
                finished = await self._osascript(path, data, header, app, writes)
            if finished.code:
                number = error_number(finished.errors)
                if number == NOT_RUNNING and not launched:
                    await _launch(app)
                    raise _NotRunning(app)
                logger.info("%s failed with the error %s", operation, number)
                raise error_for(number, app, writes=writes)
        return _answer(header, finished.output, app, writes)

    @asynccontextmanager
    async def _turn(self, app: str) -> AsyncGenerator[None]:
        lock = self._locks.setdefault(app, asyncio.Lock())
        try:
            async with asyncio.timeout(self._queue):
                await lock.acquire()
        except TimeoutError:
            raise AppFailed(
                f"{app} is still busy with earlier calls; nothing was done.", hint="Ask again later."
            ) from None
        try:
            yield
        finally:
            lock.release()

    async def _osascript(
        self, script: Path, data: Path, header: ScriptHeader, app: str, writes: bool
    ) -> Finished:
        argv = ("osascript", str(script), str(data))
        try:
            return await run(argv, seconds=header.seconds + self._grace, max_bytes=self._max_bytes)
        except FileNotFoundError:
            raise NotConfigured(
                "osascript was not found: the applications of macOS are there on a Mac alone.",
                hint='Set apps = "portable" in the settings.',
            ) from None
        except TimeoutError:
            logger.info("%s was stopped after %d seconds", header.operation, header.seconds)
            if writes:
                raise outcome_unknown(app) from None
            raise AppFailed(
                f"{app} did not answer within {header.seconds} seconds.",
                hint=f"Look for a question or a dialog of {app} that waits behind other windows.",
            ) from None
        except OutputTooLarge:
            raise _odd_answer(header, app, writes) from None


class _NotRunning(Exception):
    def __init__(self, app: str) -> None:
        super().__init__(app)
        self.app = app


@lru_cache(maxsize=128)
def _header(path: Path) -> ScriptHeader:
    try:
        return read_header(path)
    except OSError as error:
        raise AppFailed(
            f"The script {path.name} cannot be read: {error.strerror}.", hint="Install tinyagent again."
        ) from None


@contextmanager
def _private_file(payload: Mapping[str, Any]) -> Generator[Path]:
    """The payload in a file that no other user can read, gone at the end."""
    _remove_leftovers(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix=_PAYLOADS) as folder:
        path = Path(folder) / "payload.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))
        yield path


@cache
def _remove_leftovers(folder: str) -> None:
    """Delete the payloads of processes that were killed, once in the life of this one."""
    latest = time.time() - LEFTOVER_SECONDS
    for payload in Path(folder).glob(f"{_PAYLOADS}*"):
        with contextlib.suppress(OSError):
            if payload.lstat().st_mtime < latest:
                shutil.rmtree(payload)


async def _launch(app: str) -> None:
    """Start the application behind the others; a failure shows when it is told something."""
    try:
        await run(("open", "-g", "-a", app), seconds=LAUNCH_SECONDS, max_bytes=2**16)
    except (OSError, TimeoutError, OutputTooLarge):
        logger.info("%s could not be started", app)


def _answer(header: ScriptHeader, output: bytes, app: str, writes: bool) -> dict[str, Any]:
    try:
        line = output.decode("utf-8").removesuffix("\n")
        if "\n" in line:
            raise ValueError("more than one line")
        answer: Any = json.loads(line)
        if not isinstance(answer, dict):
            raise ValueError("no object")
        check_answer(header, cast("dict[str, Any]", answer))
    except (ValueError, RecursionError):
        raise _odd_answer(header, app, writes) from None
    return cast("dict[str, Any]", answer)


def _odd_answer(header: ScriptHeader, app: str, writes: bool) -> ToolError:
    logger.warning("%s gave an answer that does not fit its header", header.operation)
    if writes:
        return outcome_unknown(app)
    return AppFailed(f"The script {header.operation} gave no answer that can be read.", hint="Ask again.")
