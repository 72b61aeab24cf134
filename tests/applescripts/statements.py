"""Rules about single statements: known words, nothing that reaches outside, everything bounded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.applescripts.names import is_foreign, is_own
from tests.applescripts.structure import Fault, Statement
from tests.applescripts.tokens import Line, Token
from tests.applescripts.vocabulary import (
    APPLICATIONS,
    CAPITALISED_TERMS,
    FORBIDDEN,
    LANGUAGE,
    LOOKED_UP,
    MANY,
)

_REFUSED = -10000
"""The number by which an Apple event that was not carried out is known."""


def check_line(line: Line) -> Iterator[Fault]:
    """Parentheses and braces, which have to close on the line that opens them."""
    closing = {")": "(", "}": "{"}
    stack: list[str] = []
    for token in line.tokens:
        if token.kind != "symbol":
            continue
        if token.text in closing.values():
            stack.append(token.text)
        elif token.text in closing and (not stack or stack.pop() != closing[token.text]):
            yield Fault(line.number, f"{token.text!r} closes nothing")
            return
    if stack:
        yield Fault(line.number, f"{stack[-1]!r} is not closed")


def check_statement(statement: Statement, seconds: int) -> Iterator[Fault]:
    messages = [
        *_forbidden(statement),
        *_unknown_words(statement),
        *_outside_reach(statement, seconds),
        *_inside_tell(statement),
        *_unbounded(statement),
        *_error_number(statement),
    ]
    yield from (Fault(statement.line, message) for message in messages)


def _forbidden(statement: Statement) -> Iterator[str]:
    words = statement.words
    for sequence, reason in FORBIDDEN.items():
        size = len(sequence)
        if any(words[at : at + size] == sequence for at in range(len(words))):
            yield f"{' '.join(sequence)!r}: {reason}"
    for token in statement.tokens:
        if token.kind == "string" and token.text == "System Events":
            yield "'System Events': other programs' windows are not touched"
    for one, other in pairwise(statement.tokens):
        if one.text == "date" and other.kind == "string":
            yield "a date in a text is read by the user's language: set its parts"


def _unknown_words(statement: Statement) -> Iterator[str]:
    tokens = statement.tokens
    if tokens[0].text in ("on", "use") and tokens[1].text != "error":
        return
    terms = APPLICATIONS.get(statement.application or "", frozenset[str]())
    for place, token in enumerate(tokens):
        if token.kind != "word" or is_own(token.text) or is_foreign(tokens, place):
            continue
        if token.text not in LANGUAGE and token.text not in terms and token.text not in CAPITALISED_TERMS:
            where = f" of {statement.application}" if statement.application else ""
            yield f"{token.text!r} is no known word{where}"


def _outside_reach(statement: Statement, seconds: int) -> Iterator[str]:
    words, tokens = statement.words, statement.tokens
    for place, word in enumerate(words):
        if word != "application" or words[place - 1] == "current":
            continue
        named = tokens[place + 1] if place + 1 < len(tokens) else None
        if named is None or named.kind != "string":
            yield "an application is named by a text, never by what a variable holds"
        elif statement.innermost("timeout") is None:
            yield f"{named.text} is told something without 'with timeout'"
    if words[:2] == ("with", "timeout") and words != ("with", "timeout", "of", str(seconds), "seconds"):
        yield f"the timeout is not the {seconds} seconds of the header"


def _inside_tell(statement: Statement) -> Iterator[str]:
    if statement.application is None:
        return
    words = statement.words
    if "'s" in words or ("current", "application") in set(pairwise(words)):
        yield "Objective-C is called inside a tell: put it into a handler"
    if ("current", "date") in set(pairwise(words)):
        yield "a date is made inside a tell: put it into a handler"
    for one, other in pairwise(statement.tokens):
        if one.text in LOOKED_UP and other.kind == "string":
            yield f"the {one.text} {other.text!r} is looked up, not named"


def _unbounded(statement: Statement) -> Iterator[str]:
    words = statement.words
    for one, other in pairwise(words):
        if one == "every" and other in MANY and "whose" not in words:
            yield f"every {other} is asked for without a filter"
    if "whose" in words and {"message", "messages"} & set(words) and "outgoing" not in words:
        yield "Mail filters messages by reading all of them: take the newest"
    if words[0] == "repeat":
        counted = words[1] == "with" and words[3:4] == ("from",)
        if not counted and not (len(words) == 3 and words[2] == "times"):
            yield "a loop counts ('from … to' or 'times'), so that it ends"


def _error_number(statement: Statement) -> Iterator[str]:
    if statement.tokens[0].text != "error":
        return
    words = statement.words
    if "number" not in words:
        yield "an error needs a number"
        return
    number = statement.tokens[words.index("number") + 1 :]
    if len(number) == 1 and is_own(number[0].text):
        return
    text = "".join(token.text for token in number)
    if not text.lstrip("-").isdecimal() or not (1001 <= int(text) <= 1099 or int(text) == _REFUSED):
        yield f"{text!r} is no number of an own error"


def check_uses(lines: list[Line]) -> Iterator[Fault]:
    """The three lines that say what a script is written in."""
    wanted = [
        ("use", "AppleScript", "version", "2.4"),
        ("use", "framework", "Foundation"),
        ("use", "scripting", "additions"),
    ]
    if [_texts(line.tokens) for line in lines[: len(wanted)]] != wanted:
        yield Fault(1, "the header is not followed by the three 'use' lines")
    for line in lines[len(wanted) :]:
        if line.tokens[0].text == "use":
            yield Fault(line.number, f"{' '.join(_texts(line.tokens))!r} is not needed")


def _texts(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    return tuple(token.text for token in tokens)
