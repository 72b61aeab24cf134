"""A client in a process of its own: each line of standard input is a step, each line of output its result.

A step that fails tells which exception the client raised, with its bases and what it carries.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

BASE_URL = os.environ["CLIENT_BASE_URL"]
TOKEN = os.environ["CLIENT_TOKEN"]
MAX_TURNS = 8

Steps = dict[str, Callable[..., Any]]


def serve(steps: Steps) -> None:
    """Carry out steps until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        step = json.loads(line)
        try:
            told = {"result": steps[step["step"]](**step["arguments"])}
        except Exception as error:
            told = {"failure": failure(error)}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


def failure(error: BaseException) -> dict[str, Any]:
    """An exception as the test sees it."""
    response = getattr(error, "response", None)
    carried = carried_by(response)
    return {
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "status": getattr(error, "status_code", None),
        "code": carried.get("code"),
        "param": carried.get("param"),
        "message": str(error),
        "headers": dict(getattr(response, "headers", None) or {}),
    }


def carried_by(response: Any) -> dict[str, Any]:
    """The error as the server wrote it; older clients do not read all of it."""
    try:
        return response.json()["error"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def results_of(calls: list[dict[str, str]], results: dict[str, str]) -> list[dict[str, str]]:
    """A `tool` message for each call: what `results` says for the tool, `{...}` being its arguments."""
    return [
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": results[call["name"]].format(**json.loads(call["arguments"])),
        }
        for call in calls
    ]
