"""How the process logs: lines for people or JSON for programs, always to the standard error."""

from __future__ import annotations

import logging
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _OneLine(logging.Formatter):
    """Keeps a record on one line, whatever it holds, so that nobody can forge another one."""

    def format(self, record: logging.LogRecord) -> str:
        return "".join(_visible(character) for character in super().format(record))


def _visible(character: str) -> str:
    return character if character.isprintable() else f"\\x{ord(character):02x}"


def set_up_logging(form: Literal["text", "json"], level: str) -> None:
    """Log everything of this process from `level` on. Other libraries' notes come from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.ERROR if level == "error" else logging.WARNING)
    logging.getLogger("tinyagent").setLevel(level.upper())


def _formatter(form: Literal["text", "json"]) -> logging.Formatter:
    if form == "text":
        return _OneLine(_TEXT)
    names = {"levelname": "level", "asctime": "time", "name": "logger"}
    return JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=names)
