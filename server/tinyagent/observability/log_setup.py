"""How the process logs: lines for people or JSON for programs, always to the standard error.

Of a failure the log has the kind and the places: what an exception says may quote what a person wrote.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from tinyagent.errors import log_unexpected

logger = logging.getLogger("tinyagent")

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_FRAMES = 6
"""The innermost places of a failure that are told."""

_Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _WithoutWords(logging.Formatter):
    """Tells of an exception what it is and where, not what it says."""

    def formatException(self, ei: _Failure) -> str:  # noqa: N802 - the library's name
        kind, _, place = ei
        frames = reversed(traceback.extract_tb(place)[-_FRAMES:])
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        return f"{kind.__name__ if kind else 'nothing'} at {places or 'an unknown place'}"


class _OneLine(_WithoutWords):
    """Keeps a record on one line, whatever it holds, so that nobody can forge another one."""

    def format(self, record: logging.LogRecord) -> str:
        return "".join(_visible(character) for character in super().format(record))


class _Json(_WithoutWords, JsonFormatter):
    """One JSON object for each record, with the time in UTC."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: _finite(value) for name, value in log_data.items()}


def _finite(value: object) -> object:
    """JSON has no infinite numbers, though Python writes them."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _visible(character: str) -> str:
    return character if character.isprintable() else f"\\x{ord(character):02x}"


def set_up_logging(form: Literal["text", "json"], level: str) -> None:
    """Log everything of this process from `level` on. Other libraries' notes come from `warning` on.

    What Python itself would print, such as warnings and failures of threads, becomes part of the log.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.ERROR if level == "error" else logging.WARNING)
    logger.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable


def log_lost_failures(loop: asyncio.AbstractEventLoop) -> None:
    """Log what nobody waits for and failed, without the words that asyncio would repeat."""
    loop.set_exception_handler(_task_failed)


def _formatter(form: Literal["text", "json"]) -> logging.Formatter:
    if form == "text":
        return _OneLine(_TEXT)
    names = {"levelname": "level", "asctime": "time", "name": "logger"}
    return _Json("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=names)


def _task_failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    task, failure = context.get("future"), context.get("exception")
    name = f"the task {task.get_name()}" if isinstance(task, asyncio.Task) else "a callback"
    if failure is None:
        logger.error("%s: %s", name, context["message"])
    else:
        log_unexpected(logger, name, failure)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        log_unexpected(logger, f"the thread {failed.thread.name if failed.thread else ''}", failed.exc_value)


def _unraisable(failed: Any) -> None:
    if failed.exc_value is not None:
        log_unexpected(logger, "the end of an object", failed.exc_value)
