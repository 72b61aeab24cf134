"""Texts without a language model: what the user said, laid out, and nothing invented.

Only words that the request itself holds are touched. What came from elsewhere (a link, a note's
text) is passed on as it is, since a capital letter or a full stop may change what it means.
"""

from __future__ import annotations

import re

from tinyagent.ports import Writer, WritingTask, Written
from tinyagent.writers.extractive import ExtractiveSummarizer
from tinyagent.writers.literals import said_in, words

_EDGE = 3
"""Words at an end of a text that have to be the user's for that end to be touched."""

_PLAIN_WORD = r"[A-Za-zÀ-ɏ]+(?:['’-][A-Za-zÀ-ɏ]+)*"
_BEGINNING = re.compile(rf"{_PLAIN_WORD}(?=[\s,.;:!?]|$)")
_END = re.compile(rf"(?:^|[\s,;:“‘(\"]){_PLAIN_WORD}$")
_LIST_LINE = re.compile(r"[ \t]*(?:[-*•–—]|\(?\w{1,2}[.)])[ \t]")
_ITEM = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,2}")
_FEWEST_ITEMS = 3
_LIST_WORDS = frozenset({"list", "lists", "checklist"})
_JOINED = frozenset({"and", "or"})
_GREETINGS = frozenset({"hi", "hello", "dear", "hey", "good", "greetings"})
_QUESTION_LIST = (
    "am are can could did do does had has have how is may might shall should was were what when where "
    "which who whom whose why will would"
)
_QUESTIONS = frozenset(_QUESTION_LIST.split())
"""What begins with one of these may be a question, to which no full stop is given."""


class ComposedWriter(Writer):
    """Implements `ports.Writer` without a language model; answers are left to the engine."""

    def __init__(self, summarizer: ExtractiveSummarizer) -> None:
        self._summarizer = summarizer

    async def write(self, task: WritingTask) -> Written:
        match task.role:
            case "email":
                return Written(compose_email(task.material, task.query, task.facts.get("name", "")))
            case "note":
                return Written(compose_note(task.material, f"{task.query}\n{task.facts.get('name', '')}"))
            case "summary":
                return Written(await self._summarizer.summarize(task.material))
            case "answer":
                return Written("")

    async def close(self) -> None:
        """Nothing is held open."""


def compose_email(material: str, query: str, name: str = "") -> str:
    """The body of a mail in the user's words; a greeting when the recipient's name is known."""
    body = _tidied(material.strip(), query)
    greeted = words(body)[:1]
    if not body or not name.strip() or (greeted and greeted[0] in _GREETINGS):
        return body
    return f"Hello {name.strip()},\n\n{body}"


def _tidied(text: str, query: str) -> str:
    """With a capital letter and a full stop, where these ends are the user's own words."""
    own = words(text)
    first = _BEGINNING.match(text)
    if first and first[0].islower() and said_in(own[:_EDGE], query):
        text = text[0].upper() + text[1:]
    may_ask = bool(own) and own[0].partition("'")[0] in _QUESTIONS
    last_line = text.rpartition("\n")[2]
    is_sentence = _END.search(last_line) and not _LIST_LINE.match(last_line)
    return f"{text}." if is_sentence and not may_ask and said_in(own[-_EDGE:], query) else text


def compose_note(material: str, request: str) -> str:
    """The note's text; what the user plainly calls a list, and separates by commas alone, as one."""
    items = [item.strip() for item in material.split(",")]
    is_list = (
        len(items) >= _FEWEST_ITEMS
        and all(_ITEM.fullmatch(item) for item in items)
        and _JOINED.isdisjoint(words(material))
        and not _LIST_WORDS.isdisjoint(words(request))
        and said_in(words(material), request)
    )
    return "\n".join(f"- {item}" for item in items) if is_list else material
