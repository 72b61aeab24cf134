"""A line of the log for whatever begins, ends or fails in a run: ids, names, codes and times, no words."""

from __future__ import annotations

import logging

from tinyagent.domain import events as ev

logger = logging.getLogger("tinyagent.runs")


def log_event(event: ev.Event) -> None:
    """Write the event's line. What people wrote is never part of it."""
    level = logging.WARNING if isinstance(event, ev.RunFailed) else logging.INFO
    if isinstance(event, (ev.PlanDelta, ev.AnswerDelta, ev.TaskProgress)) or not logger.isEnabledFor(level):
        return
    fields = {"run": event.run, "event": event.type, **_fields(event)}
    told = " ".join(f"{name}={value}" for name, value in fields.items())
    logger.log(level, told, extra=fields)


def _fields(event: ev.Event) -> dict[str, object]:
    match event:
        case ev.RunCreated(data=data):
            return {"planner": data.planner, "mode": data.mode}
        case ev.ToolsSelected(data=data):
            return {"tools": len(data.tools), "ms": round(data.milliseconds, 1)}
        case ev.PlanCompleted(data=data):
            return {"round": data.round, "tokens": data.plan_tokens, "ms": round(data.milliseconds, 1)}
        case ev.TaskPlanned(data=data):
            return {"task": data.task, "tool": data.tool}
        case ev.TaskSucceeded(data=data):
            return {"task": data.task, "ms": round(data.milliseconds, 1)}
        case ev.TaskFailed(data=data):
            return {"task": data.task, "code": data.fault.code, "unknown": data.outcome_unknown}
        case ev.RunFailed(data=data):
            return {"code": data.fault.code}
        case ev.TaskStarted() | ev.TaskSkipped() | ev.ApprovalRequested() | ev.TaskUndone():
            return {"task": event.data.task}
        case ev.ApprovalDecided(data=data):
            return {"task": data.task, "approved": data.approved}
        case _:
            return {}
