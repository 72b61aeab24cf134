"""What a client is answered: the run's outcome as text for a model, and structured."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from mcp_types import CallToolResult, ContentBlock, TextContent

from tinyagent.domain.events import Fault
from tinyagent.domain.run import RunState, TaskState, current_tasks
from tinyagent.errors import TinyAgentError, log_unexpected

logger = logging.getLogger(__name__)

UNKNOWN = "Whether it took effect is not known: look before it is tried again."
ENDED = Fault(code="internal", message="The call ended without a result.")


def call_result(state: RunState) -> CallToolResult:
    """The outcome of the one call that the run was given."""
    task = state.tasks.get(1)
    if task is not None and task.status == "succeeded":
        return _result(list(_said(task)), {"run": state.run, **_outcome(task)})
    fault = (task.fault if task else None) or state.fault or _not_there(state) or ENDED
    lines = [fault_text(fault), *([UNKNOWN] if task and task.outcome_unknown else [])]
    return _result(["\n".join(lines)], {"run": state.run, "error": _error(fault)}, is_error=True)


def _not_there(state: RunState) -> Fault | None:
    """Why the tool could not be used any more when its call was to begin."""
    return next((Fault(code="not_configured", message=why) for why in state.unavailable.values()), None)


def run_result(state: RunState) -> CallToolResult:
    """The outcome of a whole request; an error when anything that counts was not done."""
    done = state.status == "completed" and all(
        task.status in ("succeeded", "planned") for task in current_tasks(state)
    )
    texts = [state.answer] if state.answer else []
    if state.mode == "plan" or not (texts or state.fault):
        texts.append(state.plan)
    if state.fault is not None:
        texts.append(fault_text(state.fault))
    structured: dict[str, Any] = {
        "run": state.run,
        "status": state.status,
        "answer": state.answer,
        "plan": state.plan,
        "tasks": [_task(state.tasks[number]) for number in sorted(state.tasks)],
    }
    if state.fault is not None:
        structured["error"] = _error(state.fault)
    return _result(texts, structured, is_error=not done)


def error_result(error: TinyAgentError) -> CallToolResult:
    """A call that did not become a run."""
    fault = Fault(code=error.code, message=error.message, hint=error.hint, candidates=error.candidates)
    return _result([fault_text(fault)], {"error": _error(fault)}, is_error=True)


def unexpected_result(error: Exception) -> CallToolResult:
    """A failure that should not happen: the log keeps its place, and not its text, which may be private."""
    log_unexpected(logger, "a call of an MCP client", error)
    return error_result(TinyAgentError("The call failed unexpectedly.", hint="The log says where."))


def fault_text(fault: Fault) -> str:
    """What happened, the possible meanings if any, and what to do."""
    lines = [fault.message, *(f"- {candidate}" for candidate in fault.candidates)]
    return "\n".join([*lines, *([fault.hint] if fault.hint else [])])


def _result(texts: Sequence[str], structured: dict[str, Any], is_error: bool = False) -> CallToolResult:
    content: list[ContentBlock] = [TextContent(text=text) for text in texts]
    return CallToolResult(content=content, structured_content=structured, is_error=is_error)


def _said(task: TaskState) -> Iterator[str]:
    """The sentence about the call, its value where that says more, and where to look at it."""
    value = task.value or ""
    if task.message:
        yield task.message
    if value and value not in task.message:
        yield value
    if task.link and task.link not in (value, task.message):
        yield f"Link: {task.link}"


def _task(task: TaskState) -> dict[str, Any]:
    return {"task": task.task, "tool": task.tool, "status": task.status, **_outcome(task)}


def _outcome(task: TaskState) -> dict[str, Any]:
    known = {
        "value": task.value,
        "message": task.message or None,
        "link": task.link,
        "untrusted": task.untrusted or None,
        "error": _error(task.fault) if task.fault else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _error(fault: Fault) -> dict[str, Any]:
    return fault.model_dump(mode="json")
