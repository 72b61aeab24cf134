"""Whether what a model wrote can stand: it said what it should, and nothing but that."""

from __future__ import annotations

import re

from tinyagent.ports import VERBATIM, WritingRole, WritingTask
from tinyagent.writers.literals import foreign_lines, links, numbers, words

_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_FENCED = re.compile(r"```\w*\n(?P<text>.*?)\n?```", re.DOTALL)
_SUBJECT = re.compile(r"\A(?:\*\*)?subject:[^\n]*\n+", re.IGNORECASE)
_PREAMBLE = re.compile(
    r"\A(?:sure|certainly|absolutely|of course|okay|ok)\b[,!.]?\s+(?:here|i\b|let me)"
    r"|\A(?:here(?:['’]s| is| are)|below is)\b[^\n]*:[ \t]*(?:\n|\Z)",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"^[ \t]*(?:\$?\d+\s*[.)=]\s*)?[a-z]+(?:_[a-z]+)+\s*\([^\n]*\)"
    r"|\bjoin\(\)|<\|?/?tool_call|\"tool_calls?\"",
    re.MULTILINE,
)
_PLACEHOLDER = re.compile(
    r"\[[^\[\]\n]{0,60}\b(?:your|my|name|recipient|date|time|insert)\b[^\[\]\n]{0,60}\]", re.IGNORECASE
)

_LONGEST: dict[WritingRole, tuple[int, int]] = {
    "email": (3, 1_200),
    "note": (2, 600),
    "summary": (0, 3_000),
    "answer": (2, 1_500),
}
"""Characters that a text may have: so many for each of the material's, and so many more."""

_CARRYING: tuple[WritingRole, ...] = ("email", "note")
"""Roles whose text passes the material on, so that nothing of it may be lost."""


def cleaned(role: WritingRole, answer: str) -> str:
    """The text without what models like to put around it: thoughts, a code fence, a subject line."""
    text = _THINKING.sub("", answer).strip()
    fenced = _FENCED.fullmatch(text)
    text = fenced["text"].strip() if fenced else text
    return _SUBJECT.sub("", text).strip() if role == "email" else text


def objection(task: WritingTask, text: str, mark: str) -> str:
    """Why the text cannot stand, or an empty string."""
    if not text:
        return "it answered nothing"
    factor, more = _LONGEST[task.role]
    if len(text) > factor * len(task.material) + more:
        return "it wrote far too much"
    return _stray(task, text, mark) or _invented(task, text) or _lost(task, text)


def _stray(task: WritingTask, text: str, mark: str) -> str:
    """What belongs to the conversation with the model and not to the text."""
    if mark in text:
        return "it repeated its instructions"
    if "```" in text and "```" not in task.material:
        return "it put code around the text"
    if _PREAMBLE.match(text) and words(text)[:2] != words(task.material)[:2]:
        return "it talked about the text"
    carried = task.material if task.role in _CARRYING else ""
    if any(call[0].strip() not in carried for call in _CALL.finditer(text)):
        return "it wrote a command in place of the text"
    if any(place[0] not in task.material for place in _PLACEHOLDER.finditer(text)):
        return "it left a gap to fill in"
    return ""


def _invented(task: WritingTask, text: str) -> str:
    given = "\n".join((task.material, task.query, task.instructions, *task.facts.values()))
    if links(text) - links(given):
        return "it made up an address"
    if task.role in _CARRYING and numbers(text) - numbers(given):
        return "it made up a number"
    return ""


def _lost(task: WritingTask, text: str) -> str:
    due = [line for line in task.facts.get(VERBATIM, "").splitlines() if line.strip()]
    if any(line.strip() not in text for line in due):
        return "it left out what had to be said"
    if task.role not in _CARRYING:
        return ""
    if links(task.material) - links(text):
        return "it lost an address"
    if numbers(task.material) - numbers(text):
        return "it lost a number"
    if any(line not in text for line in foreign_lines(task.material, task.query)):
        return "it changed words that are not yours"
    return ""
