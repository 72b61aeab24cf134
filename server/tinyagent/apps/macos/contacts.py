"""The address book of macOS, by the Contacts framework where it may be used, by scripts otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tinyagent.apps.base import Contact
from tinyagent.apps.formats.vcard import Card
from tinyagent.apps.macos._cards import card_of, entry_of
from tinyagent.apps.macos._cncontacts import contact_store
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.apps.matching.misses import Misses
from tinyagent.apps.matching.people import Person, best_matches
from tinyagent.apps.matching.text import words
from tinyagent.errors import AppFailed

MAX_CONTACTS = 10_000
MAX_NAMED = 50
"""How many contacts one word may name where the whole address book cannot be had."""

FRESH_SECONDS = 60.0
"""How long a copy of the address book serves before it is read again."""

_SHORTEST_WORD = 3
_MOST_WORDS = 4


class MacContacts:
    """Implements `apps.base.Contacts`. `owner` is the user's own address, by which the user's card is known.

    The whole address book is compared with a name, since the application's own search knows neither
    nicknames nor accents, and would hide that a name means several people.
    """

    def __init__(self, scripts: Scripts, owner: str = "") -> None:
        self._scripts = scripts
        self._owner = owner
        self._people: list[Person] = []
        self._read_at = float("-inf")
        self._misses = Misses()
        self._lock = asyncio.Lock()

    async def find(self, name: str) -> Sequence[Contact]:
        if not name.strip():
            return []
        asked_at = time.monotonic()
        found = await asyncio.to_thread(best_matches, name, await self._everyone(name), self._owner)
        if not found and self._misses.is_reason_to_read(name, asked_at - self._read_at):
            everyone = await self._everyone(name, since=asked_at)
            found = await asyncio.to_thread(best_matches, name, everyone, self._owner)
        return [person.contact for person in found]

    async def all(self) -> Sequence[Contact]:
        return [person.contact for person in await self._everyone()]

    async def _everyone(self, name: str = "", since: float | None = None) -> list[Person]:
        """All contacts, read after `since`; those with the words of `name` where all are too many."""
        async with self._lock:
            if self._read_at < (time.monotonic() - FRESH_SECONDS if since is None else since):
                try:
                    cards, whole = await self._read()
                except AppFailed:
                    if not name:
                        raise
                    cards, whole = [], False
                if not whole:
                    named = await self._named(name) if name else []
                    return [Person(card) for card in {card.id: card for card in (*cards, *named)}.values()]
                self._people = [Person(card) for card in cards]
                self._read_at = time.monotonic()
            return self._people

    async def _read(self) -> tuple[list[Card], bool]:
        """The address book, and whether it is the whole of it."""
        store = contact_store()
        if store is not None:
            return await asyncio.to_thread(store.cards), True
        answer = await self._scripts.read("contacts_all", {"limit": MAX_CONTACTS})
        return _cards(answer["contacts"]), len(answer["contacts"]) < MAX_CONTACTS

    async def _named(self, name: str) -> list[Card]:
        parts = [word for word in words(name) if len(word) >= _SHORTEST_WORD][:_MOST_WORDS] or [name.strip()]
        cards: dict[str, Card] = {}
        for part in parts:
            answer = await self._scripts.read("contacts_find", {"name": part, "limit": MAX_NAMED})
            cards.update((card.id, card) for card in _cards(answer["contacts"]))
        return list(cards.values())


def _cards(records: Sequence[dict[str, object]]) -> list[Card]:
    return [card for record in records if (card := card_of(entry_of(record))) is not None]
