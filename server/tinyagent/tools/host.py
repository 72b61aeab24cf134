"""Carries out calls in this process, on this computer's desktop."""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tinyagent.apps.base import Desktop
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import (
    AccessDenied,
    AppFailed,
    ArgumentError,
    NotConfigured,
    StorageFull,
    TinyAgentError,
    UnknownTool,
    log_unexpected,
)
from tinyagent.ports import Summarizer, ToolResult, ToolStatus
from tinyagent.tools.context import ToolContext
from tinyagent.tools.registry import BUILT_IN, Tool

logger = logging.getLogger(__name__)

_MEETINGS = "meetings"


class LocalToolHost:
    """The tool host of a single computer.

    `region` is the country of phone numbers without a country code. Unless `sending` is on, what
    could be sent is only drafted, so those tools count as `write`. `demo` marks a made-up desktop.
    """

    def __init__(
        self,
        desktop: Desktop,
        summarizer: Summarizer,
        *,
        region: str = "US",
        sending: bool = False,
        demo: bool = False,
        tools: Sequence[Tool] = BUILT_IN,
    ) -> None:
        self._desktop = desktop
        self._summarizer = summarizer
        self._region = region
        self._demo = demo
        self._tools = {tool.spec.name: replace(tool, spec=_spec(tool.spec, sending)) for tool in tools}

    def tools(self) -> Sequence[ToolStatus]:
        """All tools in the order of the registry, the disabled ones with the reason."""
        statuses: list[ToolStatus] = []
        for tool in self._tools.values():
            reason = self._unavailable(tool)
            statuses.append(ToolStatus(tool.spec, not reason, reason))
        return statuses

    async def call(self, tool: str, arguments: Sequence[Any], now: datetime) -> ToolResult:
        """Carry out one call with resolved arguments; `now` is the run's wall-clock time.

        Raises TinyAgentError and nothing else, but for cancellation.
        """
        known = self._tools.get(tool)
        if known is None:
            raise UnknownTool(f"There is no tool called {tool}.")
        known.spec.check(arguments)
        _check_text(tool, arguments)
        if reason := self._unavailable(known):
            raise NotConfigured(reason)
        context = ToolContext(self._desktop, now, self._summarizer, self._region, self._demo)
        try:
            return await known.function(context, *arguments)
        except TinyAgentError:
            raise
        except OSError as error:
            raise _system_error(tool, error) from error
        except Exception as error:
            log_unexpected(logger, tool, error)
            raise AppFailed(
                f"{tool} failed unexpectedly ({type(error).__name__}).", hint="The server's log says where."
            ) from None

    def _unavailable(self, tool: Tool) -> str:
        return self._desktop.meetings.unavailable() if tool.spec.app == _MEETINGS else ""


def _spec(spec: ToolSpec, sending: bool) -> ToolSpec:
    return replace(spec, effect="write") if spec.effect == "send" and not sending else spec


def _check_text(tool: str, arguments: Sequence[Any]) -> None:
    """Raise ArgumentError for text that no file or program can hold (half a surrogate pair)."""
    for argument in arguments:
        for text in argument if isinstance(argument, list) else [argument]:  # pyright: ignore[reportUnknownVariableType]
            if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
                raise ArgumentError(f"{tool}: an argument holds characters that are no valid Unicode.")


def _system_error(tool: str, error: OSError) -> TinyAgentError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFull(f"{tool}: there is no space left.", hint="Free some space and try again.")
    if isinstance(error, PermissionError):
        return AccessDenied(
            f"{tool}: the system does not permit it.", hint="Check the permissions of the data folder."
        )
    return AppFailed(f"{tool}: {error.strerror or type(error).__name__}.")
