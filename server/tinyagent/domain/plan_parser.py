"""Plans from text to objects, whole or as they are written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import cast

from tinyagent.domain.plan import END_OF_PLAN, Call, Plan, Reference, Template, Value
from tinyagent.domain.text import whole_characters
from tinyagent.errors import PlanReferenceError, PlanSyntaxError

MAX_CALL_CHARACTERS = 20_000

_REFERENCE = re.compile(r"\$\$(?=\d|\{\d)|\$(\d{1,6})(?!\d)|\$\{(\d{1,6})\}")
_HEAD = re.compile(r"\s*(\d{1,6})\s*\.\s*([A-Za-z_]\w*)\s*\(")
_THOUGHT = re.compile(r"\s*Thought\s*:(.*)", re.DOTALL)


def read_string(text: str) -> str | Template:
    """A string of the plan language: `$n` and `${n}` become references, `$$5` the text `$5`."""
    parts: list[str | Reference] = []
    literal = ""
    position = 0
    for match in _REFERENCE.finditer(text):
        literal += text[position : match.start()]
        position = match.end()
        number = match[1] or match[2]
        if number is None:
            literal += "$"
            continue
        if literal:
            parts.append(literal)
        literal = ""
        parts.append(Reference(int(number)))
    literal += text[position:]
    if not parts:
        return literal
    if literal:
        parts.append(literal)
    return Template(tuple(parts))


_JSON_CONSTANTS = {"true": True, "false": False, "null": None}
"""What models that think in JSON write for True, False and None."""


class _Pythonic(ast.NodeTransformer):
    """Reads JSON's constants as Python's."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_JSON_CONSTANTS[node.id]) if node.id in _JSON_CONSTANTS else node


def _literal(node: ast.expr) -> object:
    return ast.literal_eval(_Pythonic().visit(node))


def _read_value(node: object, line: str) -> Value:
    if isinstance(node, str):
        return read_string(whole_characters(node))
    if node is None or isinstance(node, (bool, int, float)):
        return node
    if isinstance(node, (list, tuple)):
        return [_read_value(item, line) for item in cast("list[object]", node)]
    if isinstance(node, dict) and all(isinstance(key, str) for key in cast("dict[object, object]", node)):
        fields = cast("dict[str, object]", node)
        return {whole_characters(key): _read_value(item, line) for key, item in fields.items()}
    raise PlanSyntaxError(f"A plan's argument is neither text, number, flag, list nor object: {line!r}.")


def parse_call(line: str, thought: str = "") -> Call:
    """Read one call, `3. tool("a", ["$1"], 2, True)` or `3. tool(name="a")`.

    Raises PlanSyntaxError when the line is not of the plan language and PlanReferenceError
    when it refers to itself or to a later call.
    """
    text = line.strip().removesuffix(END_OF_PLAN).rstrip()
    head = _HEAD.match(text)
    if head is None:
        raise PlanSyntaxError(f"A plan's line is not a numbered call: {text[:200]!r}.")
    index, tool = int(head[1]), head[2]
    try:
        node = ast.parse(f"{tool}({_escape_newlines(text[head.end() :])}", mode="eval").body
        if not isinstance(node, ast.Call):
            raise ValueError("not a call")
        literals = [_literal(argument) for argument in node.args]
        named = [(_name(keyword), _literal(keyword.value)) for keyword in node.keywords]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PlanSyntaxError(f"Call {index} of the plan cannot be read: {text[:200]!r}.") from error
    values = tuple(_read_value(item, text) for item in literals)
    keywords = tuple((name, _read_value(item, text)) for name, item in named)
    call = Call(index, tool, values, thought, keywords)
    late = [number for number in call.references if number >= index or number < 1]
    if late:
        raise PlanReferenceError(f"Call {index} refers to ${late[0]}, which does not come before it.")
    return call


def _name(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("an argument without a name behind **")
    return keyword.arg


def _escape_newlines(text: str) -> str:
    """Make raw line breaks inside string literals readable for Python's parser."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text:
        return text
    scanner = _Scanner()
    escaped = ""
    for character in text:
        inside = scanner.quote and not scanner.escaped
        escaped += "\\n" if character == "\n" and inside else character
        scanner.closes(character)
    return escaped


class _Scanner:
    """Finds where a call ends: brackets are balanced and no string is open."""

    def __init__(self) -> None:
        self.depth = 0
        self.quote = ""
        self.escaped = False

    def closes(self, character: str) -> bool:
        """Take one character; True when it closes the outermost bracket."""
        if self.quote:
            if self.escaped:
                self.escaped = False
            elif character == "\\":
                self.escaped = True
            elif character == self.quote:
                self.quote = ""
        elif character in "\"'":
            self.quote = character
        elif character in "([{":
            self.depth += 1
        elif character in ")]}":
            self.depth -= 1
            return self.depth == 0
        return False


class PlanParser:
    """Reads a plan as it is written: `feed` text of any size, receive the calls that it ends.

    A call ends with its closing bracket, not with the line, so that strings may hold line
    breaks. Anything after `join()` is ignored. Errors are raised by the `feed` or `close` that
    meets them; calls before them were returned by then.
    """

    def __init__(self) -> None:
        self._text = ""
        self._thought = ""
        self._scanner: _Scanner | None = None
        self._scanned = 0
        self.finished = False

    def feed(self, text: str) -> Iterator[Call]:
        """Yield the calls, `join` included, that end within the text so far."""
        self._text += text
        while not self.finished:
            call = self._next()
            if call is None:
                return
            self.finished = call.is_join
            yield call

    def close(self) -> None:
        """Say that no more text comes. Raises PlanSyntaxError when a call is left unfinished."""
        rest = self._text.strip()
        if not self.finished and rest and rest != END_OF_PLAN and not _THOUGHT.match(rest):
            raise PlanSyntaxError(f"The plan ends in the middle of a line: {rest[:200]!r}.")

    def _next(self) -> Call | None:
        while self._scanner is None:
            if not self._start_call():
                return None
        for position in range(self._scanned, len(self._text)):
            if self._scanner.closes(self._text[position]):
                return self._take(position + 1)
        self._scanned = len(self._text)
        if self._scanned > MAX_CALL_CHARACTERS:
            raise PlanSyntaxError(f"A call of the plan is longer than {MAX_CALL_CHARACTERS} characters.")
        return None

    def _start_call(self) -> bool:
        """Find the next call's head; take whole lines before it as thoughts."""
        head = _HEAD.match(self._text)
        if head is not None:
            self._scanner = _Scanner()
            self._scanned = head.end() - 1
            return True
        stripped = self._text.lstrip()
        line, newline, rest = stripped.partition("\n")
        if not newline:
            if len(line) > MAX_CALL_CHARACTERS:
                raise PlanSyntaxError("The planner writes text without calls.")
            return False
        thought = _THOUGHT.match(line)
        if thought is None and line.strip() not in ("", END_OF_PLAN):
            raise PlanSyntaxError(f"A plan's line is neither a thought nor a call: {line[:200]!r}.")
        self._thought = thought[1].strip() if thought else self._thought
        self._text = rest
        return True

    def _take(self, end: int) -> Call:
        line, self._text = self._text[:end], self._text[end:]
        thought, self._thought = self._thought, ""
        self._scanner = None
        return parse_call(line, thought)


def parse_plan(text: str) -> Plan:
    """Read a whole plan. Raises PlanSyntaxError or PlanReferenceError."""
    parser = PlanParser()
    calls = list(parser.feed(text))
    parser.close()
    return Plan(tuple(call for call in calls if not call.is_join))
