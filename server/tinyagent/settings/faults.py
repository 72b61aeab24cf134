"""What is wrong with the settings, in plain sentences that name the setting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

TAG_POSITION = 2
"""Where the place of a fault in `planners.NAME` and `writer.model` has the kind, which no file has there."""
KINDS = ("llama", "openai")
SECTIONS = frozenset({"model_type", "model_attributes_type", "dict_type"})


def fault_sentences(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """A sentence for each fault, with the place of the setting below `root`. Values are never repeated."""
    return [f"{_place(fault['loc'])}: {_told(fault, root)}" for fault in error.errors(include_input=False)]


def faulty_variable(error: SettingsError, prefix: str) -> str:
    """The environment variable that is neither plain text nor JSON."""
    field = re.search(r'field "(\w+)"', str(error))
    return f"{prefix}{field[1].upper()}" if field else f"A {prefix}* variable"


def _place(location: tuple[int | str, ...]) -> str:
    kept = [part for at, part in enumerate(location) if at != TAG_POSITION or part not in KINDS]
    return ".".join(map(str, kept)) or "settings"


def _told(fault: ErrorDetails, root: type[BaseModel]) -> str:
    kind, known, place = fault["type"], fault.get("ctx", {}), _place(fault["loc"])
    if kind == "extra_forbidden":
        return _unknown(fault["loc"], root)
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(known["error"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"kind must be {' or '.join(map(repr, KINDS))}"
    if kind in SECTIONS:
        return f"must be a section [{place}]"
    if kind == "list_type":
        return 'must be a list, such as ["one", "two"]'
    return fault["msg"].replace("Input should be", "must be").partition(", unable to parse")[0]


def _unknown(location: Sequence[int | str], root: type[BaseModel]) -> str:
    """That there is no such setting, and which one has a name like it."""
    *section, name = [part for part in location if part not in KINDS]
    close = get_close_matches(str(name), _names(root, section), n=1)
    return "there is no such setting" + (f"; is {close[0]} meant?" if close else "")


def _names(model: type[BaseModel], section: Sequence[int | str]) -> list[str]:
    """The settings of a section, of every kind that it may be."""
    models: list[type[BaseModel]] = [model]
    for part in section:
        inner = [one.model_fields.get(str(part)) for one in models]
        models = [found for field in inner if field for found in _models(field)] or models
    return [name for one in models for name in one.model_fields]


def _models(field: FieldInfo) -> list[type[BaseModel]]:
    """The sections that a setting may hold, also those of a table or of one of several kinds."""
    found: list[type[BaseModel]] = []
    waiting: list[Any] = [field.annotation]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found.append(kind)
        waiting += get_args(kind)
    return found
