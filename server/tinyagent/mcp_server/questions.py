"""How a client's user is asked whether waiting calls may be carried out, and what the answer means.

Values stand as JSON texts, so that text from outside cannot pass for lines of the question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_types import ElicitRequestFormParams, ElicitResult

from tinyagent.domain.events import ApprovalRequestedData
from tinyagent.domain.provenance import Source
from tinyagent.domain.tools import Effect

FIELD = "approve"
WAIT_KEY = "tinyagent/wait_s"
"""Where a result that asks tells in its `_meta` for how many seconds it can be answered."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        FIELD: {
            "type": "boolean",
            "title": "Carry it out",
            "description": "Yes does exactly what is shown, once. No does nothing.",
            "default": False,
        }
    },
    "required": [FIELD],
}

_EFFECTS: dict[Effect, str] = {
    "send": "sends",
    "write": "writes",
    "open": "shows something on this computer",
    "read": "reads",
}
_ORIGINS: dict[Source, str] = {
    "user": "",
    "contacts": " (from your contacts)",
    "apps": " (from an earlier call)",
    "untrusted": " (from text that others wrote)",
}


def question(
    asked: Sequence[ApprovalRequestedData], parameters: Mapping[str, Sequence[str]]
) -> ElicitRequestFormParams:
    """One form for all of these calls: they are carried out, or none is."""
    lines = ["May this be done?" if len(asked) == 1 else "May all of this be done?", ""]
    for one in asked:
        lines += [*_call(one, parameters.get(one.tool, ())), ""]
    lines.append(f"Without an answer by {_expiry(asked).astimezone():%H:%M:%S} it counts as no.")
    return ElicitRequestFormParams(message="\n".join(lines), requested_schema=SCHEMA)


def seconds_left(asked: Sequence[ApprovalRequestedData], now: datetime) -> float:
    """For how long all of it can be answered."""
    return max(0.0, (_expiry(asked) - now).total_seconds())


def _expiry(asked: Sequence[ApprovalRequestedData]) -> datetime:
    return min(one.expires for one in asked)


def approved(answer: ElicitResult) -> bool:
    """Whether the user said yes; everything else is no."""
    return answer.action == "accept" and (answer.content or {}).get(FIELD) is True


def _call(asked: ApprovalRequestedData, names: Sequence[str]) -> Iterator[str]:
    yield f"{asked.task}. {asked.tool} ({_EFFECTS[asked.effect]})"
    for position, value in enumerate(asked.arguments):
        name = names[position] if position < len(names) else f"argument {position + 1}"
        source = asked.sources[position] if position < len(asked.sources) else "untrusted"
        if value not in ("", [], (), None):
            yield f"   {name}{_ORIGINS[source]}: {_shown(value)}"
    for name, detail in asked.details.items():
        yield f"   {name}: {_shown(detail)}"
    yield f"   {asked.reason}"


def _shown(value: Any) -> str:
    """As JSON, what nobody would see of it or what turns lines around written out."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)
