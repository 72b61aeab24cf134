"""One note as a Markdown file with YAML front matter: `name` and `created`, then the text."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import yaml

from tinyagent.apps.local.storage import read_regular, storage_errors
from tinyagent.errors import UnreadableFile

HEAD_BYTES = 8192
"""How far the front matter is looked for; what is longer is text."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def compose(name: str, text: str, created: datetime) -> bytes:
    """The file of a new note. The line end after the text belongs to the file, not to the note."""
    head = {"name": name, "created": created.isoformat(timespec="seconds")}
    front = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6)
    return f"---\n{front}---\n{text}\n".encode()


def with_addition(content: bytes, text: str) -> bytes:
    """The file with `text` on new lines at its end."""
    line_end = b"\n" if content and not content.endswith(b"\n") else b""
    return content + line_end + text.encode() + b"\n"


def read_text(path: Path) -> str:
    """The note's text without front matter. Raises UnreadableFile when it is not UTF-8."""
    return text_of(read_regular(path), path)


def text_of(content: bytes, path: Path) -> str:
    """The text in the content of the file at `path`, which an error names."""
    try:
        whole = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"The note {path.name} in {path.parent} is not UTF-8 text.",
            hint="Save it as UTF-8 and try again.",
        ) from error
    return _split(whole)[1].removesuffix("\n")


def read_name(path: Path) -> str:
    """The note's name: from its front matter, else its file's name."""
    with storage_errors(path.parent), path.open("rb") as file:
        head = file.read(HEAD_BYTES).decode("utf-8-sig", "replace")
    name = _split(head)[0].get("name")
    return name if isinstance(name, str) and name.strip() else path.stem


def _split(whole: str) -> tuple[dict[object, object], str]:
    """Front matter and text; what merely looks like front matter is text."""
    front = _FRONT_MATTER.match(whole)
    if front is None:
        return {}, whole
    try:
        fields: Any = yaml.safe_load(front.group(1))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, whole
    if not isinstance(fields, dict):
        return {}, whole
    return cast("dict[object, object]", fields), whole[front.end() :]
