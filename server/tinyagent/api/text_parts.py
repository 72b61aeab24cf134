"""Content of messages: a text, or a list of parts that are texts."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Annotated, Any, cast

from pydantic import WithJsonSchema

from tinyagent.errors import InvalidRequest

TextContent = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"type": {"type": "string"}, "text": {"type": "string"}},
                        "required": ["type", "text"],
                    },
                },
                {"type": "null"},
            ]
        }
    ),
]
"""Content that `joined_text` reads: as JSON it came, so that a refusal can name the part at fault."""


def joined_text(content: object, where: str, kinds: Collection[str] = ("text",)) -> str:
    """The text, or the parts' texts on lines of their own. `kinds` are the types of parts that are text, the
    usual one first; `where` is the place of the content. Raises InvalidRequest, naming the part at fault."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InvalidRequest(f"`{where}` is neither a text nor a list of text parts.", param=where)
    parts = cast("list[object]", content)
    return "\n".join(_text(part, f"{where}[{number}]", kinds) for number, part in enumerate(parts))


def _text(part: object, where: str, kinds: Collection[str]) -> str:
    fields = cast("dict[str, object]", part) if isinstance(part, dict) else {}
    kind = fields.get("type")
    usual = f'{{"type": "{next(iter(kinds))}", "text": "..."}}'
    if kind not in kinds:
        named = f"a part of type {kind!r:.50}" if isinstance(kind, str) else "no part"
        raise InvalidRequest(f"`{where}` is {named}; only texts are read: {usual}.", param=where)
    text = fields.get("text")
    if not isinstance(text, str):
        raise InvalidRequest(f"`{where}.text` is not a text.", hint=f"Send {usual}.", param=f"{where}.text")
    for key, value in fields.items():
        if key not in ("type", "text") and value not in (None, [], {}):
            name = f"{where}.{key}"
            raise InvalidRequest(
                f"`{name}` is not a known field of a text part.", hint="Leave it out.", param=name
            )
    return text


def whole_characters(body: object) -> object:
    """The body, if all of its texts can be written as UTF-8: JSON can spell halves of characters."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text in it holds half of a character, which is no text") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return body
