"""The codes of errors for `docs/troubleshooting.md`.

`PYTHONPATH=server:. python -m tests.docs.errors_table` writes them into the page.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from tinyagent import errors
from tinyagent.errors import TinyAgentError

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
START, END = "<!-- table errors -->\n", "<!-- end -->"

INTERNAL = "A defect of tinyagent."
"""What the code of the base class means to a user."""

_SECTION = re.compile(r"^# --- ([\w ,-]+?) -+$", re.MULTILINE)
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


def table(page: str) -> str:
    """A heading and a table for each section of `errors.py`; codes with advice in the page lead to it."""
    advised = set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    _, *parts = _SECTION.split(inspect.getsource(errors))
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    lines: list[str] = []
    for title, source in sections.items():
        lines += [
            f"### {title[0].upper()}{title[1:]}",
            "",
            "| code | HTTP | meaning |",
            "| --- | --- | --- |",
        ]
        lines += [_row(kind, advised) for kind in map(_kind, _CLASS.findall(source)) if "code" in vars(kind)]
        lines.append("")
    lines += ["### Anything else", "", "| code | HTTP | meaning |", "| --- | --- | --- |"]
    return "\n".join([*lines, _row(TinyAgentError, advised), ""])


def _kind(name: str) -> type[TinyAgentError]:
    kind = getattr(errors, name)
    assert issubclass(kind, TinyAgentError)
    return kind


def _row(kind: type[TinyAgentError], advised: set[str]) -> str:
    shown = f"[`{kind.code}`](#{kind.code})" if kind.code in advised else f"`{kind.code}`"
    return f"| {shown} | {kind.status} | {INTERNAL if kind is TinyAgentError else _first_sentence(kind)} |"


def _first_sentence(kind: type[TinyAgentError]) -> str:
    text = " ".join((kind.__doc__ or "").split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text)[0]


def filled(page: str) -> str:
    """The page with the generated table as it should be."""
    before, rest = page.split(START, 1)
    return f"{before}{START}\n{table(page)}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
