"""The blocks of a script: which statement stands in which handler, tell and timeout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.applescripts.tokens import Line, Token


@dataclass(frozen=True)
class Fault:
    line: int
    message: str


@dataclass(frozen=True)
class Block:
    """An open block: `kind` is the word that ends it, `opening` the statement that began it."""

    kind: str
    opening: tuple[Token, ...]
    line: int


@dataclass(frozen=True)
class Statement:
    """A simple statement, the condition of an `if`, or what opens a block, with the blocks around it."""

    line: int
    tokens: tuple[Token, ...]
    around: tuple[Block, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(token.text if token.kind != "string" else "" for token in self.tokens)

    def innermost(self, kind: str) -> Block | None:
        return next((block for block in reversed(self.around) if block.kind == kind), None)

    @property
    def application(self) -> str | None:
        """The application whose terms are understood here."""
        for block in reversed(self.around):
            if block.kind == "tell" and (name := told_application(block.opening)):
                return name
        return None


@dataclass
class Structure:
    statements: list[Statement] = field(default_factory=list[Statement])
    faults: list[Fault] = field(default_factory=list[Fault])


def told_application(opening: tuple[Token, ...]) -> str | None:
    """The name in `tell application "NAME"`."""
    match opening:
        case (Token(text="tell"), Token(text="application"), Token(kind="string", text=name), *_):
            return name
        case _:
            return None


def structure(lines: list[Line]) -> Structure:
    """Read the lines; faults of nesting and of indentation are collected."""
    result = Structure()
    stack: list[Block] = []
    for line in lines:
        _read(line, stack, result)
    result.faults.extend(Fault(block.line, f"this {block.kind} is not ended") for block in stack)
    return result


def _read(line: Line, stack: list[Block], result: Structure) -> None:
    first = line.tokens[0].text
    words = tuple(token.text for token in line.tokens)
    depth = len(stack)
    if first == "end":
        depth -= 1
        _end(line, words, stack, result)
    elif first == "else" or words[:2] == ("on", "error"):
        depth -= 1
        _clause(line, first, stack, result)
    elif kind := _opened(line.tokens):
        result.statements.append(Statement(line.number, line.tokens, tuple(stack)))
        stack.append(Block(kind, line.tokens, line.number))
    else:
        _simple(line.number, line.tokens, tuple(stack), result)
    if line.indent != max(depth, 0):
        message = f"{depth} blocks are open, but {line.indent} tabs stand here"
        result.faults.append(Fault(line.number, message))


def _end(line: Line, words: tuple[str, ...], stack: list[Block], result: Structure) -> None:
    if not stack:
        result.faults.append(Fault(line.number, "nothing is open here"))
        return
    block = stack.pop()
    if words != ("end", block.kind):
        wanted = f"'end {block.kind}' for line {block.line}"
        result.faults.append(Fault(line.number, f"{wanted} was expected, not {' '.join(words)!r}"))


def _clause(line: Line, first: str, stack: list[Block], result: Structure) -> None:
    wanted = "if" if first == "else" else "try"
    if not stack or stack[-1].kind != wanted:
        result.faults.append(Fault(line.number, f"{first!r} stands outside of {wanted!r}"))
        return
    if first == "else" and line.tokens[1:2] and (line.tokens[1].text, line.tokens[-1].text) != ("if", "then"):
        result.faults.append(Fault(line.number, "'else' stands alone or as 'else if … then'"))
    result.statements.append(Statement(line.number, line.tokens, tuple(stack)))


def _opened(tokens: tuple[Token, ...]) -> str | None:
    """The kind of the block that a line opens, None for a simple statement."""
    texts = [token.text for token in tokens]
    match texts:
        case ["on" | "to", name, *_]:
            return name
        case ["tell", *rest]:
            return None if "to" in rest else "tell"
        case ["if", *rest]:
            return "if" if rest[-1:] == ["then"] else None
        case ["with", "timeout", *_]:
            return "timeout"
        case ["repeat" | "try" | "considering" | "ignoring" | "script" | "using" as kind, *_]:
            return kind
        case _:
            return None


def _simple(number: int, tokens: tuple[Token, ...], around: tuple[Block, ...], result: Structure) -> None:
    """A statement, taken out of the one-line `if` or `tell` that may stand before it."""
    keyword = {"if": "then", "tell": "to"}.get(tokens[0].text)
    if keyword is None:
        result.statements.append(Statement(number, tokens, around))
        return
    place = next((n for n, token in enumerate(tokens) if token == Token("word", keyword)), None)
    if place is None or place == len(tokens) - 1:
        result.faults.append(Fault(number, f"{tokens[0].text!r} without {keyword!r}"))
        return
    result.statements.append(Statement(number, tokens[: place + 1], around))
    if keyword == "to":
        around = (*around, Block("tell", tokens[:place], number))
    _simple(number, tokens[place + 1 :], around, result)


def handlers(statements: list[Statement]) -> Iterator[tuple[Statement, list[Statement]]]:
    """Each handler's opening with the statements in it."""
    for opening in statements:
        if opening.around or opening.tokens[0].text not in ("on", "to"):
            continue
        inside = [
            statement
            for statement in statements
            if statement.around and statement.around[0].line == opening.line
        ]
        yield opening, inside
