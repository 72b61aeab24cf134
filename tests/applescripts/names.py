"""Rules about names: variables that cannot be terms of an application, assigned before they are used;
handlers that are there, called with `my` and with all of their arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.applescripts.structure import Fault, Statement, handlers
from tests.applescripts.tokens import Token
from tests.applescripts.vocabulary import CAPITALISED_TERMS

_OWN = re.compile(r"[a-z]+[A-Z]\w*|[ijn]")


def is_own(text: str) -> bool:
    """Whether this may name something of the script: no dictionary has a word with a capital inside."""
    return bool(_OWN.fullmatch(text)) and text not in CAPITALISED_TERMS


def is_foreign(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether the word is Objective-C's, or the label of a property."""
    before = tokens[place - 1].text if place else ""
    after = tokens[place + 1].text if place + 1 < len(tokens) else ""
    return before == "'s" or after == ":"


def check_names(statements: list[Statement], own_lines: frozenset[int]) -> Iterator[Fault]:
    found = {opening.tokens[1].text: opening for opening, _ in handlers(statements)}
    called: set[str] = set()
    for opening, inside in handlers(statements):
        yield from _check_variables(opening, inside)
        for statement in inside:
            yield from _check_calls(statement, found, called)
    for name, opening in found.items():
        if name != "run" and not is_own(name):
            yield Fault(opening.line, f"{name!r} may be a word of an application and cannot be a name")
        if name != "run" and name not in called and opening.line in own_lines:
            yield Fault(opening.line, f"nothing calls {name!r}")


def _check_variables(opening: Statement, inside: list[Statement]) -> Iterator[Fault]:
    known: set[str] = set()
    yield from _assign(opening.line, parameters(opening), known)
    used: set[str] = set()
    set_at: dict[str, int] = {}
    for statement in inside:
        targets = _targets(statement.tokens)
        for place, token in enumerate(statement.tokens):
            if any(token is target for target in targets) or not _is_variable(statement.tokens, place):
                continue
            used.add(token.text)
            if token.text not in known:
                yield Fault(statement.line, f"{token.text!r} is used before anything is put into it")
        yield from _assign(statement.line, targets, known)
        if statement.tokens[0].text == "set":
            set_at.update({target.text: statement.line for target in targets})
    for name in set_at.keys() - used:
        yield Fault(set_at[name], f"{name!r} is not used")


def _assign(line: int, targets: list[Token], known: set[str]) -> Iterator[Fault]:
    for target in targets:
        if not is_own(target.text):
            yield Fault(line, f"{target.text!r} may be a word of an application and cannot be a name")
        known.add(target.text)


def parameters(opening: Statement) -> list[Token]:
    """What a handler is given."""
    return [token for token in opening.tokens[2:] if token.kind != "symbol"]


def _targets(tokens: tuple[Token, ...]) -> list[Token]:
    """The variables that a statement puts something into."""
    texts = [token.text for token in tokens]
    match texts:
        case ["set", _, "to", *_]:
            return [tokens[1]]
        case ["set", "{", *_]:
            return [token for token in tokens[2 : texts.index("}")] if token.kind != "symbol"]
        case ["repeat", "with", *_]:
            return [tokens[2]]
        case ["copy", *_, "to", _]:
            return [tokens[-1]]
        case ["on", "error", *_]:
            return [token for token in tokens[2:] if token.kind == "word" and token.text != "number"]
        case _:
            return []


def _is_variable(tokens: tuple[Token, ...], place: int) -> bool:
    if tokens[place].kind != "word" or not is_own(tokens[place].text) or is_foreign(tokens, place):
        return False
    return not (place and tokens[place - 1].text == "my")


def _check_calls(statement: Statement, found: dict[str, Statement], called: set[str]) -> Iterator[Fault]:
    tokens = statement.tokens
    for place, token in enumerate(tokens):
        opens = place + 1 < len(tokens) and tokens[place + 1].text == "("
        if token.kind != "word" or not opens or is_foreign(tokens, place):
            continue
        by_my = place > 0 and tokens[place - 1].text == "my"
        if not by_my:
            if is_own(token.text):
                yield Fault(statement.line, f"{token.text!r} is called without 'my'")
            continue
        called.add(token.text)
        if token.text not in found:
            yield Fault(statement.line, f"there is no handler {token.text!r}")
        elif (given := _arguments(tokens, place + 1)) != (taken := len(parameters(found[token.text]))):
            yield Fault(statement.line, f"{token.text!r} takes {taken} arguments, not {given}")


def _arguments(tokens: tuple[Token, ...], place: int) -> int:
    """How many arguments stand in the parentheses that open at `place`."""
    depth, commas = 0, 0
    for at in range(place, len(tokens)):
        text = tokens[at].text if tokens[at].kind == "symbol" else ""
        depth += (text in ("(", "{")) - (text in (")", "}"))
        commas += text == "," and depth == 1
        if depth == 0:
            return 0 if at == place + 1 else commas + 1
    return commas + 1
