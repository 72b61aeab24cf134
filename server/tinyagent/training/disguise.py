"""The same request as another person types or speaks it: slips, no punctuation, fillers, manners.

What the plan holds is never touched, or changes in request and plan alike, so the plan stays right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.planners.dictation import written_file_name
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.words import Word, split_words
from tinyagent.training.recombine import map_texts
from tinyagent.training.rows import Row

_FILLERS = (
    "um",
    "uh",
    "erm",
    "like",
    "you know",
    "so",
    "well",
    "okay",
    "I mean",
    "let's see",
    "hmm",
    "right",
    "err",
)
_OPENINGS = (
    "hey, ", "hi, ", "ok so ", "right, ", "hello, ", "please, ", "quick one: ", "so ", "morning! ", "okay, ",
    "one more thing: ", "hey there, ", "um, ", "when you have a moment: ", "good evening. ", "favour: ",
    "listen, ", "next: ", "now, ", "assistant, ", "before I forget: ", "- ", "* ", "todo: ", "Hiya. ",
)  # fmt: skip
_ASKING = (
    "can you ", "could you ", "please ", "could you please ", "can you please ", "I need you to ",
    "would you ", "I'd like you to ", "pls ", "would you mind: ", "go ahead and ", "kindly ",
    "I want you to ", "you can ", "do me a favour and ", "let's ", "just ", "be so kind as to ",
    "would you be able to ", "help me: ",
)  # fmt: skip
_ENDINGS = (
    " please", ", please", ", thanks", " thanks", ". Thanks!", " thx", " pls", ", cheers", ". Thank you.",
    ", would you", " ok?", ", ok", ". Much appreciated.", ". That's all.", ", ta", " asap", " if you can",
    ", no rush", ". Ta very much", ". Many thanks in advance", ". That would be it.",
)  # fmt: skip
_VERBS = frozenset({
    "text", "tell", "send", "email", "mail", "remind", "create", "make", "add", "put", "schedule", "book",
    "set", "open", "find", "show", "get", "give", "write", "note", "forward", "reply", "answer",
    "summarize", "summarise", "invite", "message", "draft", "drop", "ping", "let", "append", "jot",
    "start", "pull", "look", "attach", "share", "shoot", "compose", "respond", "pass", "block", "arrange",
    "save", "record", "log", "check",
})  # fmt: skip
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_SAID = {"_": " underscore ", ".": " dot ", "-": " dash "}
_MIN_TYPO = 4


@dataclass(frozen=True)
class Habits:
    """How often a request is disguised in which way."""

    slips: float = 0.12
    spoken: float = 0.1
    fillers: float = 0.08
    opening: float = 0.08
    asking: float = 0.12
    ending: float = 0.06
    spelt: float = 0.5
    """Share of the spoken ones in which file names are spelt out."""


def disguise(row: Row, chance: random.Random, habits: Habits | None = None) -> Row:
    """The row in the manner of somebody else; often it stays as it is."""
    habits = habits or Habits()
    if chance.random() < habits.asking:
        row = _asking(row, chance)
    elif chance.random() < habits.opening:
        row = Row(chance.choice(_OPENINGS) + row.query, row.calls)
    if chance.random() < habits.ending:
        row = Row(row.query.rstrip(" .!") + chance.choice(_ENDINGS), row.calls)
    if chance.random() < habits.fillers:
        row = _filled(row, chance)
    if chance.random() < habits.slips:
        row = _slipped(row, chance)
    if chance.random() < habits.spoken:
        row = spoken(row)
        row = _spelt(row) if chance.random() < habits.spelt else row
    return row


def _asking(row: Row, chance: random.Random) -> Row:
    """An order as a question or a wish: "text Ann" becomes "could you text Ann"."""
    first = re.match(r"\w+", row.query)
    if first is None or first.group().lower() not in _VERBS:
        return row
    return Row(chance.choice(_ASKING) + row.query[0].lower() + row.query[1:], row.calls)


def _held(row: Row, words: Sequence[Word]) -> list[bool]:
    """Which words of the request the plan holds, by what they say."""
    used = {
        word.text.lower()
        for call in row.calls
        for value in call.arguments.values()
        for item in (value if isinstance(value, list) else [value])
        for word in split_words(item)
    }
    return [word.text.lower() in used for word in words]


def _filled(row: Row, chance: random.Random) -> Row:
    """A filler or two between words that the plan does not hold."""
    words = split_words(row.query)
    held = _held(row, words)
    gaps = [
        words[at].start
        for at in range(1, len(words))
        if not held[at] and not held[at - 1] and words[at].text.isalpha() and words[at - 1].text.isalpha()
    ]
    query = row.query
    for at in sorted(chance.sample(gaps, min(len(gaps), chance.randint(1, 2))), reverse=True):
        query = f"{query[:at]}{chance.choice(_FILLERS)} {query[at:]}"
    return Row(query, row.calls)


def _slipped(row: Row, chance: random.Random) -> Row:
    """One to three words mistyped that the plan does not hold."""
    words = split_words(row.query)
    held = _held(row, words)
    open_words = [
        word
        for word, taken in zip(words, held, strict=True)
        if not taken and len(word.text) >= _MIN_TYPO and word.text.isascii() and word.text.isalpha()
    ]
    query = row.query
    chosen = chance.sample(open_words, min(len(open_words), chance.randint(1, 3)))
    for word in sorted(chosen, key=lambda word: -word.start):
        query = query[: word.start] + _mistyped(word.text, chance) + query[word.end :]
    return Row(query, row.calls)


def _mistyped(text: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(text) - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    return text[:at] + chance.choice(_NEIGHBOURS.get(text[at].lower(), "e")) + text[at + 1 :]


_MARK = re.compile(r"(?<=[\w)\"'’])[,;:!?.]+(?=[\"”»]?(?:\s|$))|[\"“”«»]|(?<=\s)[-–—]+\s")


def spoken(row: Row) -> Row:
    """The request as dictation software writes it down: lower case, without marks."""
    return Row(_unmarked(row.query).lower(), _unmarked_calls(row.calls))


def _spelt(row: Row) -> Row:
    """File names as people say them: "notes underscore two dot pdf"."""
    query, calls = row.query, row.calls
    for call in row.calls:
        name = call.text("file_name")
        said = re.sub(r"[_.-](?=[A-Za-z0-9])", lambda sign: _SAID[sign.group()], name)
        whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        if name.isascii() and written_file_name(said) == name and len(whole.findall(query)) == 1:
            query = whole.sub(said.lower(), query)
            calls = map_texts(calls, lambda text, old=name, new=said: new if text == old else text)
    return Row(query, calls)


def _unmarked(text: str) -> str:
    return re.sub(r" {2,}", " ", _MARK.sub("", text)).strip()


def _unmarked_calls(calls: Sequence[DraftCall]) -> tuple[DraftCall, ...]:
    return map_texts(calls, _unmarked)
