"""Carries out calls in this process, on this computer's desktop."""

from __future__ import annotations

import errno
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tinyagent.apps.base import Desktop, Undoable
from tinyagent.domain.tools import Effect
from tinyagent.errors import (
    AccessDenied,
    AppFailed,
    ArgumentError,
    NotConfigured,
    OutcomeUnknown,
    StorageFull,
    TinyAgentError,
    ToolError,
    UnknownTool,
    log_unexpected,
)
from tinyagent.ports import CallContext, ToolResult, ToolStatus, Writer
from tinyagent.tools.context import ToolContext
from tinyagent.tools.registry import BUILT_IN, Tool

logger = logging.getLogger(__name__)

_MEETINGS = "meetings"


class LocalToolHost:
    """The tool host of a single computer.

    `region` is the country of phone numbers without a country code. `demo` marks a made-up desktop.
    """

    def __init__(
        self,
        desktop: Desktop,
        writer: Writer,
        *,
        region: str = "US",
        demo: bool = False,
        tools: Sequence[Tool] = BUILT_IN,
    ) -> None:
        self._desktop = desktop
        self._writer = writer
        self._region = region
        self._demo = demo
        self._tools = {tool.spec.name: tool for tool in tools}

    def tools(self) -> Sequence[ToolStatus]:
        """All tools in the order of the registry, the disabled ones with the reason."""
        statuses: list[ToolStatus] = []
        for tool in self._tools.values():
            reason = self._unavailable(tool)
            statuses.append(
                ToolStatus(tool.spec, not reason, reason, self._drafts_only(tool), self._invites(tool))
            )
        return statuses

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        """What an approval has to show beyond the arguments: the original of a reply or a forward."""
        known = self._checked(tool, arguments)
        if known.details is None:
            return {}
        with _told_errors(tool, "read"):
            return await known.details(self._surroundings(context), *arguments)

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        """Carry out one call with resolved arguments."""
        known = self._checked(tool, arguments)
        with _told_errors(tool, known.spec.effect):
            return await known.function(self._surroundings(context), *arguments)

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        """Take back a call by the record that its result carried. Raises NoMatch or ChangedSince."""
        app = self._undoable(self._known(tool).spec.app)
        if app is None:
            raise ToolError(f"What {tool} did cannot be taken back.")
        with _told_errors(tool, "write"):
            return await app.undo(record)

    def _known(self, tool: str) -> Tool:
        known = self._tools.get(tool)
        if known is None:
            raise UnknownTool(f"There is no tool called {tool}.")
        return known

    def _checked(self, tool: str, arguments: Sequence[Any]) -> Tool:
        """The tool, which can be used now and with these arguments."""
        known = self._known(tool)
        known.spec.check(arguments)
        _check_text(tool, arguments)
        if reason := self._unavailable(known):
            raise NotConfigured(reason)
        return known

    def _surroundings(self, context: CallContext) -> ToolContext:
        return ToolContext(self._desktop, context, self._writer, self._region, self._demo)

    def _unavailable(self, tool: Tool) -> str:
        return self._desktop.meetings.unavailable() if tool.spec.app == _MEETINGS else ""

    def _invites(self, tool: Tool) -> bool:
        return tool.spec.app == "calendar" and self._desktop.calendar.invites()

    def _drafts_only(self, tool: Tool) -> str:
        if tool.spec.app == "mail":
            return self._desktop.mail.drafts_only()
        return self._desktop.messages.drafts_only() if tool.spec.app == "messages" else ""

    def _undoable(self, app: str) -> Undoable | None:
        desktop = self._desktop
        apps: dict[str, Undoable] = {
            "calendar": desktop.calendar,
            "reminders": desktop.reminders,
            "notes": desktop.notes,
            "mail": desktop.mail,
            "messages": desktop.messages,
            _MEETINGS: desktop.meetings,
        }
        return apps.get(app)


@contextmanager
def _told_errors(tool: str, effect: Effect) -> Generator[None]:
    """Turn every failure into a TinyAgentError that tells nothing private; cancellation passes.

    Nobody knows how far a failure came that nobody foresaw: what writes may be done.
    """
    try:
        yield
    except TinyAgentError:
        raise
    except OSError as error:
        raise _system_error(tool, error) from error
    except Exception as error:
        log_unexpected(logger, tool, error)
        kind = OutcomeUnknown if effect in ("write", "send") else AppFailed
        raise kind(
            f"{tool} failed unexpectedly ({type(error).__name__}).", hint="The server's log says where."
        ) from None


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
