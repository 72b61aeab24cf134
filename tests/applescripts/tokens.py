"""AppleScript's text as tokens on logical lines, without comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "piped", "string", "number", "symbol"]

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)
      | (?P<comment>--[^\n]*|\#[^\n]*)
      | (?P<continuation>¬[ \t]*\n)
      | (?P<newline>\n)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<piped>\|[^|\n]+\|)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<possessive>'s\b)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<symbol>[-+*/^&=<>≠≤≥(){},:])""",
    re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"\(\*|\*\)")


class LexicalError(ValueError):
    """Text that AppleScript cannot read, with its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    """As written; a string's without its quotes."""


@dataclass(frozen=True)
class Line:
    """A statement on one line, or on several that `¬` joins; `indent` counts its leading tabs."""

    number: int
    indent: int
    tokens: tuple[Token, ...]


def logical_lines(source: str) -> list[Line]:
    """The lines that hold something. Raises LexicalError."""
    lines: list[Line] = []
    tokens: list[Token] = []
    position, number, first = 0, 1, 1
    start = 0
    while position < len(source):
        if source.startswith("(*", position):
            end = _comment_end(source, position, number)
            number += source.count("\n", position, end)
            position = end
            continue
        match = _TOKEN.match(source, position)
        if match is None:
            raise LexicalError(number, f"this cannot be read: {source[position : position + 12]!r}")
        kind, text = str(match.lastgroup), match.group()
        position = match.end()
        if kind == "newline":
            _close(lines, first, source[start:], tokens)
            number, first, start = number + 1, number + 1, position
        elif kind == "continuation":
            number += 1
        elif kind not in ("blank", "comment"):
            tokens.append(_token(kind, text))
    _close(lines, first, source[start:], tokens)
    return lines


def _close(lines: list[Line], number: int, text: str, tokens: list[Token]) -> None:
    if tokens:
        lines.append(Line(number, len(text) - len(text.lstrip("\t")), tuple(tokens)))
        tokens.clear()


def _token(kind: str, text: str) -> Token:
    if kind == "string":
        return Token("string", text[1:-1])
    if kind == "possessive":
        return Token("symbol", text)
    for known in ("word", "piped", "number", "symbol"):
        if kind == known:
            return Token(known, text)
    raise AssertionError(kind)


def _comment_end(source: str, position: int, number: int) -> int:
    """Comments in `(* *)` hold others of their kind."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(source, position):
        depth += 1 if edge.group() == "(*" else -1
        if depth == 0:
            return edge.end()
    raise LexicalError(number, "a comment is not closed")
