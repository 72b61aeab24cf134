"""Sanity checks of a request with its calls: what the rules of the plan language let a machine verify.

In the manner of the TinyAgent paper (arXiv:2409.00608, section 3.1): feasible graph, known names,
types, dates; beyond it, that names, files and date phrases stand in the request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyagent.domain.plan import Template
from tinyagent.domain.plan_parser import read_string
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS, Field
from tinyagent.planners.words import split_words

_LOOKUPS = ("get_phone_number", "get_email_address")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"\+?\d[\d ().-]{4,}\d")
MAX_CALLS = 14
MAX_QUERY = 1200


def draft_faults(query: str, calls: Sequence[DraftCall]) -> list[str]:
    """Everything that is wrong, in words; empty for a sound request."""
    faults: list[str] = []
    if not query.strip() or len(query) > MAX_QUERY:
        faults.append(f"the request is empty or longer than {MAX_QUERY} characters")
    if len(calls) > MAX_CALLS:
        faults.append(f"more than {MAX_CALLS} calls")
    words = _words(query)
    for index, call in enumerate(calls, 1):
        faults += [
            f"call {index}, {call.tool}: {reason}" for reason in _call_faults(call, index, calls, words)
        ]
    return faults + _repeated_calls(calls)


def _words(text: str) -> str:
    return " " + " ".join(word.text.lower() for word in split_words(text)) + " "


def _call_faults(call: DraftCall, index: int, calls: Sequence[DraftCall], words: str) -> list[str]:
    faults: list[str] = []
    for field in FIELDS[call.tool]:
        value = call.arguments.get(field.name)
        if not value:
            if field.required:
                faults.append(f"{field.name} is missing")
            continue
        for item in value if isinstance(value, list) else [value]:
            faults += _references(field, item, index, calls)
            faults += _content(call, field, item, words)
    return faults


def _references(field: Field, text: str, index: int, calls: Sequence[DraftCall]) -> list[str]:
    value = read_string(text)
    faults: list[str] = []
    for number in value.references if isinstance(value, Template) else ():
        if not 1 <= number < index:
            faults.append(f"{field.name} refers to ${number}, which is no earlier call")
        elif calls[number - 1].tool not in field.sources:
            faults.append(f"{field.name} cannot hold the result of {calls[number - 1].tool}")
    return faults


def _content(call: DraftCall, field: Field, text: str, words: str) -> list[str]:
    if "$" in text.replace("$$", ""):
        plain = field.kind in ("people", "files") and not re.fullmatch(r"\$\d+|\$\{\d+\}", text)
        return [f"{field.name} mixes a result with other text"] if plain else []
    if field.kind == "choice":
        return [] if text in field.choices else [f"{field.name} is none of {', '.join(field.choices)}"]
    if field.kind == "people":
        wanted = _NUMBER if call.tool == "send_sms" else _ADDRESS
        if not wanted.fullmatch(text):
            return [f'"{text}" in {field.name} is neither a literal address or number nor a lookup']
    if field.kind == "date":
        missing = _unsaid(text, words)
        return [f'the words "{missing}" of {field.name} are not in the request'] if missing else []
    if field.kind in ("name", "files", "people") and _words(text.replace("$$", "$")) not in words:
        return [f'{field.name} "{text}" is not in the request']
    return []


def _unsaid(phrase: str, words: str) -> str:
    """What of a phrase is not in the request, when it is taken apart into at most three stretches."""
    tokens = _words(phrase).split()
    for _ in range(3):
        said = (size for size in range(len(tokens), 0, -1) if f" {' '.join(tokens[:size])} " in words)
        length = next(said, 0)
        tokens = tokens[length:]
        if not length:
            break
    return " ".join(tokens)


def _repeated_calls(calls: Sequence[DraftCall]) -> list[str]:
    """Rule 2: the same person, file or place is looked up once."""
    seen: set[tuple[str, str]] = set()
    faults: list[str] = []
    for call in calls:
        if call.tool in (*_LOOKUPS, "open_and_get_file_path", "summarize_pdf", "maps_open_location"):
            key = (call.tool, str(next(iter(call.arguments.values()), "")).lower())
            if key in seen:
                faults.append(f"{call.tool}({key[1]!r}) is called twice")
            seen.add(key)
    return faults
