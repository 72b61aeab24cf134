"""Notes as the HTML that Notes takes: the title on the first line, then one line of text each.

Lists stay lines with a dash. Notes keeps checklists as lists and shows them to scripts without their
marks, so a note with a real list can never be told from a checklist, nor be changed without harm.
"""

from __future__ import annotations

import html
import re

_EXTRA_SPACE = re.compile(r"(?<= ) |^ ", re.MULTILINE)
_TAB = '<span class="Apple-tab-span" style="white-space:pre">\t</span>'
_PICTURES = re.compile(r"<(?:img|object|table|video|audio|attachment)\b", re.IGNORECASE)
_LISTS = re.compile(r"<ul(?![^>]*Apple-dash-list)", re.IGNORECASE)


def note_html(title: str, text: str) -> str:
    """The body of a new note."""
    return f"<div><h1>{_escaped(title)}</h1></div>" + lines_html(text)


def lines_html(text: str) -> str:
    """Text as lines of a note; empty text has none."""
    if not text:
        return ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "".join(f"<div>{_escaped(line) or '<br>'}</div>" for line in lines)


def body_text(text: str, name: str) -> str:
    """The text of a note below its title."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    first, _, rest = plain.partition("\n")
    return rest if " ".join(first.split()) == " ".join(name.split()) else plain


def harmed_by_writing(body: str) -> str:
    """What of a note would be lost if its body was written by a script; empty when nothing is."""
    if _PICTURES.search(body):
        return "pictures, tables or files"
    return "a bulleted list, which may be a checklist" if _LISTS.search(body) else ""


def _escaped(line: str) -> str:
    escaped = html.escape(_EXTRA_SPACE.sub("\u00a0", line))
    return escaped.replace("\u00a0", "&nbsp;").replace("\t", _TAB)
