"""Contacts as vCard files: `contacts/*.vcf`, one card or many in each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tinyagent.apps.base import Contact
from tinyagent.apps.local.storage import storage_errors
from tinyagent.apps.matching.people import Person, best_matches
from tinyagent.apps.portable.card_file import read_cards

_Stamp = tuple[int, int, int]


class PortableContacts:
    """The address book of the data folder, read again when a file changes.

    `owner` is the user's own email address, by which the user's own card is known.
    """

    def __init__(self, data: Path, owner: str = "") -> None:
        self._root = data / "contacts"
        self._owner = owner
        self._files: dict[Path, tuple[_Stamp, list[Person]]] = {}

    async def find(self, name: str) -> Sequence[Contact]:
        """The contacts that tie for the best match with the name; empty when none does."""
        return await asyncio.to_thread(self._find, name)

    async def all(self) -> Sequence[Contact]:
        """Every contact of the folder."""
        people = await asyncio.to_thread(self._people)
        return [person.contact for person in people]

    def _find(self, name: str) -> list[Contact]:
        if not name.strip():
            return []
        return [person.contact for person in best_matches(name, self._people(), self._owner)]

    def _people(self) -> list[Person]:
        with storage_errors(self._root):
            read: dict[Path, tuple[_Stamp, list[Person]]] = {}
            for path in self._paths():
                state = path.stat()
                stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
                known = self._files.get(path)
                fresh = known is not None and known[0] == stamp
                read[path] = (
                    known if known and fresh else (stamp, [Person(card) for card in read_cards(path)])
                )
        self._files = read
        return [person for _, people in read.values() for person in people]

    def _paths(self) -> list[Path]:
        """The card files, links to other places left out."""
        if not self._root.is_dir():
            return []
        inside = self._root.resolve()
        files = [path.resolve() for path in sorted(self._root.iterdir()) if path.suffix.casefold() == ".vcf"]
        return [path for path in files if path.is_relative_to(inside) and path.exists()]
