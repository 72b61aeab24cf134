"""Every failure that a user can meet, with a closed code each.

The API, the command line, the events of a run and the troubleshooting page share these codes.
A message says what happened and where; `hint` says what to do next. Neither holds private text
beyond what the user gave in the same request.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import ClassVar


class TinyAgentError(Exception):
    """Base of all expected failures.

    `code` is stable and closed, `status` the HTTP status that the API answers with.
    `param` names the field of a request that is at fault; `candidates` are the possible
    meanings when the failure is an ambiguity that the user can settle.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        param: str | None = None,
        candidates: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param
        self.candidates = tuple(candidates)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


# --- the request -----------------------------------------------------------------------------


class InvalidRequest(TinyAgentError):
    """The request itself is wrong: a missing field, a wrong type, an unsupported parameter."""

    code, status = "invalid_request", 400


class RequestTooLarge(TinyAgentError):
    """The request is longer than the configured limit."""

    code, status = "request_too_large", 413


class UnsupportedMediaType(TinyAgentError):
    """The body is of a type that the route does not take."""

    code, status = "unsupported_media_type", 415


class Unauthorized(TinyAgentError):
    """No token, or a wrong one."""

    code, status = "unauthorized", 401


class Forbidden(TinyAgentError):
    """A known caller from a place, or with a scope, that is not allowed."""

    code, status = "forbidden", 403


class MisdirectedRequest(TinyAgentError):
    """The Host header names another server (a sign of DNS rebinding)."""

    code, status = "misdirected_request", 421


class NotFound(TinyAgentError):
    """An unknown run, model or route."""

    code, status = "not_found", 404


class MethodNotAllowed(TinyAgentError):
    """The route exists, but not for this HTTP method."""

    code, status = "method_not_allowed", 405


class Conflict(TinyAgentError):
    """The state of a run does not allow what was asked."""

    code, status = "conflict", 409


class ModelNotFound(NotFound):
    """A planner that is not configured."""

    code = "model_not_found"


class Overloaded(TinyAgentError):
    """More runs than the server is set to carry at once."""

    code, status = "overloaded", 429


# --- set-up ----------------------------------------------------------------------------------


class ConfigurationError(TinyAgentError):
    """The settings are wrong; all faults are listed at once."""

    code = "configuration"


class ModelUnavailable(TinyAgentError):
    """A model's file is missing, damaged or of the wrong shape."""

    code, status = "model_unavailable", 503


class JournalError(TinyAgentError):
    """The journal cannot be read or written."""

    code, status = "journal", 503


class UnreadableRun(JournalError):
    """The journal is whole, but one of its runs was written by another version."""


class StorageFull(JournalError):
    """The disk is full: nothing was changed."""

    code, status = "storage_full", 507


class AddressInUse(TinyAgentError):
    """Another process listens on the port."""

    code = "address_in_use"


class ServerUnreachable(TinyAgentError):
    """The command line found no server at the configured address."""

    code = "server_unreachable"


# --- planning --------------------------------------------------------------------------------


class PlanError(TinyAgentError):
    """A plan that cannot be understood or carried out."""

    code, status = "invalid_plan", 502


class PlanSyntaxError(PlanError):
    """A line that is not of the plan language."""

    code = "plan_syntax"


class PlanReferenceError(PlanError):
    """A call refers to itself, to a later call or to a call that does not exist."""

    code = "plan_reference"


class UnknownTool(PlanError):
    """A call of a tool that was not offered to the planner."""

    code = "unknown_tool"


class ArgumentError(PlanError):
    """Wrong number or wrong types of arguments."""

    code = "invalid_arguments"


class PlannerFailed(PlanError):
    """The planner stopped with an error or answered nothing usable."""

    code = "planner_failed"


# --- doing -----------------------------------------------------------------------------------


class ToolError(TinyAgentError):
    """A tool could not do its work."""

    code, status = "tool_failed", 422


class NoMatch(ToolError):
    """Nothing of that name exists."""

    code = "no_match"


class Ambiguous(ToolError):
    """Several things match: `candidates` holds them, the user decides."""

    code = "ambiguous"


class DateUnreadable(ToolError):
    """A date or time that cannot be read. It never becomes "now"."""

    code = "date_unreadable"


class NotConfigured(ToolError):
    """The tool needs credentials or a folder that is not configured."""

    code = "not_configured"


class AccessDenied(ToolError):
    """Outside the configured folders, or no permission."""

    code = "access_denied"


class PermissionMissing(AccessDenied):
    """The system asks the user to allow this first; the hint says where the switch is."""

    code = "permission_missing"


class UntrustedRecipient(AccessDenied):
    """A recipient that comes from a mail, a note, a PDF or a file name, not from the user."""

    code = "untrusted_recipient"


class Rejected(ToolError):
    """The user was asked and said no, or did not answer in time."""

    code = "rejected"


class ApprovalUnavailable(ToolError):
    """The call needs the user's approval, and nobody can give it here."""

    code = "approval_unavailable"


class ChangedSince(ToolError):
    """Somebody changed the thing since it was written or approved: it is left alone."""

    code = "changed_since"


class UnreadableFile(ToolError):
    """A file that is damaged, encrypted or of another kind than its name says."""

    code = "unreadable_file"


class AppFailed(ToolError):
    """The application behind a tool answered with an error."""

    code = "app_failed"


class OutcomeUnknown(ToolError):
    """The application stopped answering in the middle: whether the call took effect is unknown."""

    code = "outcome_unknown"


class WorkerUnavailable(ToolError):
    """No worker took the call, so that nothing was done."""

    code, status = "worker_unavailable", 503


class DeadlineExceeded(TinyAgentError):
    """A call or a run took longer than allowed and was stopped."""

    code, status = "deadline_exceeded", 504


class Interrupted(TinyAgentError):
    """The server stopped in the middle; whether the call took effect is unknown."""

    code = "interrupted"


class Cancelled(TinyAgentError):
    """The user or the client stopped the run."""

    code, status = "cancelled", 409


def error_kinds() -> dict[str, type[TinyAgentError]]:
    """Every kind of error by its code, as reports of other processes name it."""
    return _kinds_below(TinyAgentError)


def _kinds_below(root: type[TinyAgentError]) -> dict[str, type[TinyAgentError]]:
    kinds: dict[str, type[TinyAgentError]] = {}
    for kind in root.__subclasses__():
        kinds.update(_kinds_below(kind))
    return {**kinds, root.code: root}


def log_unexpected(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log an error's kind and place. Its text may quote what a person wrote, and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "an unknown place"
    logger.error("%s failed unexpectedly: %s in %s", what, type(error).__name__, place)
