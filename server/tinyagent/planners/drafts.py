"""From the decoder's symbols to calls with texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyagent.domain.plan import escape_dollars
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import ITEM, JOIN, field_of
from tinyagent.planners.words import Piece, Word, join_pieces, with_pictures

_LOOKUPS = frozenset({"get_email_address", "get_phone_number", "open_and_get_file_path"})
_MARKED = re.compile(r"\ue000(\d+)\ue001(?=(\d)?)")
"""A reference between marks of the private use area while a text is put together."""


class DraftReader:
    """Takes the symbols of a plan one by one and gives its calls.

    Each person and file is looked up once: a repeated lookup is left out, and what used it uses
    the first one. References are numbered as the calls are given out.
    """

    def __init__(self, words: Sequence[Word], text: str) -> None:
        self._words = words
        self._text = text
        self._tool = ""
        self._arguments: dict[str, list[list[Piece]]] = {}
        self._current: list[list[Piece]] = [[]]
        self._public: list[int] = []
        self._seen: dict[tuple[str, str], int] = {}
        self._given = 0

    def take(self, name: str, source: int, complete: bool) -> DraftCall | None:
        """Take a symbol, or the copy of the word `source`; the call that it ends, if it ends one.

        `complete` says whether the open call could end before this symbol; one that is cut off is dropped.
        """
        mark, _, value = name.partition(":")
        if name == JOIN or mark == "T":
            draft = self._close() if self._tool and complete else None
            self._tool, self._arguments = value, {}
            return draft
        if mark == "A":
            self._current = self._arguments.setdefault(value, [[]])
        elif name == ITEM:
            self._current.append([])
        elif mark == "R":
            self._current[-1].append(Piece(f"\ue000{self._public[int(value) - 1]}\ue001"))
        else:
            self._current[-1].append(Piece(self._words[source].text, source) if source >= 0 else Piece(value))
        return None

    def _close(self) -> DraftCall | None:
        draft = self._draft()
        key = (self._tool, "|".join(f"{name}={value}" for name, value in draft.arguments.items()).lower())
        if self._tool in _LOOKUPS and key in self._seen:
            self._public.append(self._seen[key])
            return None
        self._given += 1
        self._seen.setdefault(key, self._given)
        self._public.append(self._given)
        return draft

    def _draft(self) -> DraftCall:
        arguments: dict[str, str | list[str]] = {}
        for name, items in self._arguments.items():
            field = field_of(self._tool, name)
            if field.kind == "text":
                items = [with_pictures(pieces, self._words) for pieces in items]
            texts = [text for pieces in items if (text := self._join(pieces))]
            if texts:
                arguments[name] = texts if field.is_list else texts[0]
        return DraftCall(self._tool, arguments)

    def _join(self, pieces: list[Piece]) -> str:
        """The text in the plan language: dollars are doubled, save those of references."""
        text = escape_dollars(join_pieces(pieces, self._words, self._text))
        return _MARKED.sub(lambda match: f"${{{match[1]}}}" if match[2] else f"${match[1]}", text)
