"""Rules about the header: it names the file, real tools and applications, and just what the script
reads from its payload and writes into its answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.applescripts.structure import Fault, Statement, handlers, told_application
from tests.applescripts.tokens import Token
from tinyagent.apps.macos._header import ScriptHeader
from tinyagent.tools.registry import BUILT_IN

_READERS = {
    "textIn": "text",
    "integerIn": "integer",
    "booleanIn": "boolean",
    "listIn": "list",
    "dateIn": "moment",
}


def check_header(header: ScriptHeader, operation: str) -> Iterator[Fault]:
    if header.operation != operation:
        yield Fault(1, f"the operation is {header.operation!r}, but the file is {operation!r}")
    known = {tool.spec.name for tool in BUILT_IN}
    for tool in header.tools:
        if tool not in known:
            yield Fault(1, f"there is no tool {tool!r}")
    several = "," in header.app
    if header.permission != ("Automation" if several else f"Automation:{header.app}"):
        yield Fault(1, f"{header.permission!r} is not the permission to tell {header.app}")


def check_applications(header: ScriptHeader, statements: list[Statement]) -> Iterator[Fault]:
    told = {name for statement in statements if (name := told_application(statement.tokens))}
    named = {name.strip() for name in header.app.split(",")}
    if told != named:
        yield Fault(1, f"the script tells {sorted(told)}, but its header names {sorted(named)}")


def check_arguments(
    header: ScriptHeader, statements: list[Statement], own_lines: frozenset[int]
) -> Iterator[Fault]:
    read: Counter[str] = Counter()
    declared = {field.name: field.kind for field in header.arguments}
    for statement in statements:
        if statement.line not in own_lines:
            continue
        for reader, key in _reads(statement.tokens):
            read[key] += 1
            if key not in declared:
                yield Fault(statement.line, f"{key!r} is read, but not declared")
            elif declared[key] != _READERS.get(reader):
                yield Fault(statement.line, f"{key!r} is {declared[key]}, but read by {reader!r}")
        if any(token.text in ("objectForKey", "valueIn") for token in statement.tokens):
            yield Fault(statement.line, "a payload is read by the handlers for its types alone")
    for name in declared:
        if read[name] != 1:
            yield Fault(1, f"the argument {name!r} is read {read[name]} times")


def _reads(tokens: tuple[Token, ...]) -> Iterator[tuple[str, str]]:
    """Each reading of the payload: the handler, and the key."""
    for place in range(len(tokens) - 4):
        match tokens[place : place + 5]:
            case (
                Token(text=reader),
                Token(text="("),
                Token(text="thePayload"),
                Token(text=","),
                Token(kind="string", text=key),
            ):
                yield reader, key
            case _:
                pass


def check_answer(header: ScriptHeader, statements: list[Statement]) -> Iterator[Fault]:
    runs = [(opening, inside) for opening, inside in handlers(statements) if _is_run(opening)]
    if len(runs) != 1 or not runs[0][1]:
        yield Fault(1, "a script has one 'on run theArguments'")
        return
    inside = runs[0][1]
    first, last = inside[0], inside[-1]
    if first.words[-5:] != ("my", "readPayload", "(", "theArguments", ")"):
        yield Fault(first.line, "the run begins with reading its payload")
    if last.words[:4] != ("return", "my", "answerFrom", "(") or len(last.around) != 1:
        yield Fault(last.line, "the run ends with 'return my answerFrom(…)'")
        return
    keys, declared = _keys(last.tokens), [field.name for field in header.returns]
    if keys != declared:
        yield Fault(last.line, f"the answer holds {keys}, but the header says {declared}")
    for statement in inside[:-1]:
        if statement.tokens[0].text == "return":
            yield Fault(statement.line, "the run returns an answer at its end alone")


def _is_run(opening: Statement) -> bool:
    return opening.words == ("on", "run", "theArguments")


def _keys(tokens: tuple[Token, ...]) -> list[str]:
    """The keys of `{{"key", value}, …}`, in order."""
    keys: list[str] = []
    depth = 0
    for place, token in enumerate(tokens):
        text = token.text if token.kind == "symbol" else ""
        depth += (text in ("{", "(")) - (text in ("}", ")"))
        if text == "{" and depth == 3:
            keys.append(tokens[place + 1].text if tokens[place + 1].kind == "string" else "?")
    return keys
