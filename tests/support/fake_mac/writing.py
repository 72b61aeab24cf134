"""Notes: bodies of HTML that the application lays out its own way, names from the first line."""

from __future__ import annotations

from html.parser import HTMLParser

from .store import identifier
from .trouble import ScriptError

# Types alone need it, and the programs start often.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Data = dict[str, Any]

_LINES = {"div", "h1", "h2", "li", "p"}


def plain(html: str) -> str:
    """The text of a body, a line for every block."""
    reader = _Lines()
    reader.feed(html)
    reader.close()
    return "\n".join(reader.lines)


class _Lines(HTMLParser):
    """Only what stands in a block is text; what stands between blocks is layout."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LINES:
            if self._depth == 0:
                self.lines.append("")
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _LINES:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.lines[-1] += data


def laid_out(html: str) -> str:
    """A body as the application gives it back: never quite as it was set."""
    return html.replace("</div><div>", "</div>\n<div>")


def _name(html: str) -> str:
    return plain(html).partition("\n")[0].replace("\u00a0", " ").strip() or "New Note"


def notes_find(data: Data, asked: Data) -> Data:
    if asked["folder"] and asked["folder"] not in data["folders"]:
        raise ScriptError(1004)
    found = [
        {"id": id, "name": note["name"], "folder": note["folder"], "locked": note["locked"]}
        for id, note in data["notes"].items()
        if asked["folder"] in ("", note["folder"]) and asked["name"].casefold() in note["name"].casefold()
    ]
    return {"notes": found[: asked["limit"]]}


def notes_create(data: Data, asked: Data) -> Data:
    folder = asked["folder"] or "Notes"
    if folder not in data["folders"]:
        raise ScriptError(1004)
    id = f"x-coredata://{identifier(data)}/ICNote/p1"
    html = laid_out(asked["html"])
    data["notes"][id] = {
        "name": _name(html), "folder": folder, "html": html, "locked": False, "attachments": 0,
    }  # fmt: skip
    return {"id": id, "name": _name(html), "folder": folder}


def notes_read(data: Data, asked: Data) -> Data:
    note = _note(data, asked["id"])
    if note["locked"]:
        return {
            "id": asked["id"], "name": note["name"], "folder": note["folder"],
            "text": "", "html": "", "locked": True, "attachments": 0,
        }  # fmt: skip
    return {"id": asked["id"], **note, "text": plain(note["html"])}


def notes_write(data: Data, asked: Data) -> Data:
    note = _unchanged(data, asked)
    note["html"] = laid_out(asked["html"])
    note["name"] = _name(note["html"])
    return {"id": asked["id"]}


def notes_delete(data: Data, asked: Data) -> Data:
    _unchanged(data, asked)
    del data["notes"][asked["id"]]
    return {"deleted": True}


def _note(data: Data, id: str) -> Data:
    if id not in data["notes"]:
        raise ScriptError(1001)
    return data["notes"][id]


def _unchanged(data: Data, asked: Data) -> Data:
    note = _note(data, asked["id"])
    if note["locked"]:
        raise ScriptError(1003)
    if note["html"] != asked["expected"]:
        raise ScriptError(1002)
    return note


NOTES: dict[str, Callable[[Data, Data], Data]] = {
    one.__name__: one for one in (notes_find, notes_create, notes_read, notes_write, notes_delete)
}
