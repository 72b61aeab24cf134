"""Carries out calls by the user's own functions."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any, cast

from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import (
    AppFailed,
    NotConfigured,
    OutcomeUnknown,
    Overloaded,
    TinyAgentError,
    ToolError,
    UnknownTool,
    log_unexpected,
)
from tinyagent.plugins.functions import OwnTool
from tinyagent.plugins.loading import Fault, Found
from tinyagent.ports import CallContext, ToolResult, ToolStatus

logger = logging.getLogger(__name__)

MAX_THREADS = 32
"""Calls of functions that are no coroutines, under way at once: one that hangs keeps its thread."""

DRAFTS_ONLY = "It sends and makes no drafts, and the settings let nothing be sent."


class OwnToolHost:
    """The user's own tools. What could not be loaded is listed as switched off.

    `sends` tells of a tool that sends whether the settings let it.
    """

    def __init__(self, found: Found, sends: Callable[[str], bool]) -> None:
        self._tools = {tool.spec.name: tool for tool in found.tools}
        self._off = {name: DRAFTS_ONLY for name, tool in self._tools.items() if _mute(tool, sends)}
        self._faults = _listed(found.faults, self._tools)
        self._slots = threading.BoundedSemaphore(MAX_THREADS)

    def tools(self) -> Sequence[ToolStatus]:
        """All tools, the disabled ones with the reason."""
        able = [
            ToolStatus(tool.spec, name not in self._off, self._off.get(name, ""))
            for name, tool in self._tools.items()
        ]
        return [*able, *self._faults]

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        """Nothing beyond the arguments."""
        return {}

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        """Call the function: in a thread, unless it is a coroutine."""
        own = self._find(tool)
        if own.spec.effect == "send" and not context.send:
            raise NotConfigured(f"{tool} was not begun. {DRAFTS_ONLY}")
        values = own.checked(arguments)
        try:
            return own.result(await self._carry_out(own, values))
        except Overloaded:
            raise
        except TinyAgentError as error:
            if own.declared.untrusted:  # the words may be those of others, and planners read faults of plans
                raise AppFailed(error.message, hint=error.hint) from None
            raise
        except (Exception, SystemExit) as error:
            raise _unexpected(own, error) from None

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        """Never possible."""
        raise ToolError(f"What {tool} did cannot be taken back.")

    def _find(self, tool: str) -> OwnTool:
        own = self._tools.get(tool)
        if own is None:
            raise UnknownTool(f"There is no tool called {tool}.")
        if tool in self._off:
            raise NotConfigured(f"{tool} was not begun. {self._off[tool]}")
        return own

    async def _carry_out(self, own: OwnTool, values: dict[str, Any]) -> object:
        if own.is_async:
            return await cast("Coroutine[Any, Any, object]", own.function(**values))
        if not self._slots.acquire(blocking=False):
            raise Overloaded(f"{own.spec.name} was not begun: too many calls of own tools do not end.")
        return await _in_thread(lambda: own.function(**values), self._slots.release)


async def _in_thread(work: Callable[[], object], ended: Callable[[], None]) -> object:
    """What the work brings, from a thread that holds up neither others nor the end of the process."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[tuple[object, BaseException | None]] = loop.create_future()
    context = copy_context()

    def settle(result: object, error: BaseException | None) -> None:
        if not waiting.done():
            waiting.set_result((result, error))

    def do() -> None:
        result, failure = None, None
        try:
            result = context.run(work)
        except BaseException as error:  # it may even try to end the process
            failure = error
        finally:
            ended()
        with suppress(RuntimeError):  # of a loop that is closed
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=do, name="own tool", daemon=True).start()
    result, error = await waiting
    if error is not None:
        raise error if isinstance(error, (Exception, SystemExit)) else RuntimeError(type(error).__name__)
    return result


def _unexpected(own: OwnTool, error: BaseException) -> TinyAgentError:
    """The error for what the function did not foresee: what writes may be done."""
    name = own.spec.name
    log_unexpected(logger, name, error)
    file = own.function.__code__.co_filename if hasattr(own.function, "__code__") else ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" at {Path(file).name}, line {frames[-1].lineno}" if frames else ""
    kind = AppFailed if own.spec.effect in ("read", "open") else OutcomeUnknown
    return kind(f"{name} failed unexpectedly ({type(error).__name__}{where}).")


def _mute(tool: OwnTool, sends: Callable[[str], bool]) -> bool:
    return tool.spec.effect == "send" and not sends(tool.spec.name)


def _listed(faults: Sequence[Fault], tools: Mapping[str, OwnTool]) -> list[ToolStatus]:
    """What could not be loaded, as tools that are off."""
    names = set(tools)
    statuses: list[ToolStatus] = []
    for fault in faults:
        name = identifier(f"{fault.name}_not_loaded", names)
        names.add(name)
        statuses.append(ToolStatus(_nothing(name, fault.name), False, fault.reason))
    return statuses


def _nothing(name: str, stands_for: str) -> ToolSpec:
    return tool_from_schema(name, f"Stands for {stands_for}.", None, effect="read", app="own:")
