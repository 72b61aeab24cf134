"""Rules about what a variable holds: lists that cannot be asked for a property, words that mean two things,
and names of Objective-C that AppleScript would read as its own or spell otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.applescripts.names import is_own
from tests.applescripts.structure import Fault, Statement, handlers
from tests.applescripts.vocabulary import APPLICATIONS, SELECTORS

_OF_ANY_LIST = frozenset({"count", "item", "items", "end"})
"""What a list itself has; the rest is asked of the application, which knows no lists of a script."""


def check_references(statements: list[Statement]) -> Iterator[Fault]:
    for _, inside in handlers(statements):
        yield from _kept_lists(inside)
    for statement in statements:
        yield from _selectors(statement)
        yield from _message_id(statement)
    yield from _spellings(statements)


def _kept_lists(inside: list[Statement]) -> Iterator[Fault]:
    """`subject of theMessages` is an error, where `subject of messages 1 thru 9 of theMailbox` is not."""
    kept: set[str] = set()
    for statement in inside:
        tokens = statement.tokens
        terms = (APPLICATIONS.get(statement.application or "", frozenset[str]()) | {"id"}) - _OF_ANY_LIST
        for place in range(1, len(tokens) - 1):
            before, of, name = (token.text for token in tokens[place - 1 : place + 2])
            if of == "of" and name in kept and before in terms:
                yield Fault(statement.line, f"{name!r} is a list: ask the application for '{before}' itself")
        match statement.words:
            case ("set", name, "to", "every", *_) if is_own(name):
                kept.add(name)
            case ("set", name, "to", plural, *rest) if is_own(name) and plural in terms and "thru" in rest:
                kept.add(name)
            case _:
                pass


def _selectors(statement: Statement) -> Iterator[Fault]:
    """A method such as `count` or a label such as `error:` has to stand between pipes."""
    if statement.application is not None:
        return
    for place, token in enumerate(statement.tokens):
        after = statement.tokens[place + 1].text if place + 1 < len(statement.tokens) else ""
        foreign = after == ":" or (place and statement.tokens[place - 1].text == "'s")
        if token.kind != "word" or not foreign or token.text in SELECTORS or token.text.startswith("NS"):
            continue
        if token.text[1:].islower() or token.text.isupper():
            message = f"{token.text!r} of Objective-C may be a word of AppleScript: |{token.text}|"
            yield Fault(statement.line, message)


def _message_id(statement: Statement) -> Iterator[Fault]:
    """In Mail these two words are the Message-ID, never the way to a message by its number."""
    if statement.application != "Mail":
        return
    words = (*statement.words, "")
    for place, pair in enumerate(pairwise(words)):
        if pair == ("message", "id") and words[place + 2] != "of" and "outgoing" not in words[:place]:
            yield Fault(statement.line, "'message id' is the Message-ID of a message, and no way to one")


def _spellings(statements: list[Statement]) -> Iterator[Fault]:
    """AppleScript writes a name everywhere as it met it first, which breaks a method of Objective-C."""
    first: dict[str, str] = {}
    for statement in statements:
        for token in statement.tokens:
            if token.kind != "word":
                continue
            known = first.setdefault(token.text.lower(), token.text)
            if known != token.text:
                yield Fault(statement.line, f"{token.text!r} is written {known!r} elsewhere")
