"""What a docstring in the usual form (Google's) says of a function and its arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns|Raises|Yields|Example|Examples|Note|Notes):\s*$")
_ARGUMENT = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def describe(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The first paragraph on one line, and the descriptions of arguments by name."""
    text = inspect.getdoc(function) or ""
    first, _, _ = text.partition("\n\n")
    summary = "" if _SECTION.match(first.split("\n")[0]) else " ".join(first.split())
    arguments: dict[str, str] = {}
    inside, name, indent = False, "", 0
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        if section := _SECTION.match(line):
            inside, name, indent = section[1] in ("Args", "Arguments", "Parameters"), "", 0
        elif inside and line.strip():
            indent = indent or depth
            found = _ARGUMENT.match(line.strip())
            if found and depth <= indent:
                name = found[1]
                arguments[name] = found[2]
            elif name:
                arguments[name] = f"{arguments[name]} {line.strip()}".strip()
    return summary, arguments
