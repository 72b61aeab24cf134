"""The hand in which a request is written: capitals, final marks; the plan follows where it copies words."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from tinyagent.planners.dictation import capitalised
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import field_of
from tinyagent.training.rows import Row

_START = re.compile(r"\^(\s*)(\S*)")
_FILE_LIKE = re.compile(r"[./_\\@]\w|^\W*$")
_DROPPED = re.compile(r"[?]$|(?<=[a-z])(?<!\b[dm][rs])(?<!\bmrs)(?<!\bprof)[.](?= )")
_LAST_MARK = re.compile(r"(?<=\w)[.](?=$)|(?<=[\"'”])\.(?=$)")


def written(text: str, calls: Sequence[DraftCall], chance: random.Random) -> Row:
    """The request in some hand; `^` in the text stands where a sentence begins."""
    drawn = chance.random()
    if drawn < 0.68:
        query = _START.sub(_capitalised, text)
        if chance.random() < 0.35:
            query = _LAST_MARK.sub("", query)
        return Row(query, tuple(calls), ())
    query = _LAST_MARK.sub("", text.replace("^", ""))
    if drawn < 0.82:
        return Row(query, tuple(calls), ())
    query = query.lower()
    if chance.random() < 0.35:
        query = _DROPPED.sub("", query)
    return Row(query, tuple(_lowered(call, query) for call in calls), ())


def _capitalised(match: re.Match[str]) -> str:
    word = match[2]
    return match[1] + (word if _FILE_LIKE.search(word) else word[:1].upper() + word[1:])


def _lowered(call: DraftCall, query: str) -> DraftCall:
    arguments: dict[str, str | list[str]] = {}
    for name, value in call.arguments.items():
        kind = field_of(call.tool, name).kind
        if kind == "choice":
            arguments[name] = value
        elif isinstance(value, list):
            arguments[name] = [item.lower() for item in value]
        else:
            low = value.lower()
            capital = kind == "text" and value[:1].isupper()
            arguments[name] = capitalised(low, query) if capital else low
    return DraftCall(call.tool, arguments)
