"""Contacts over CardDAV (RFC 6352), kept in memory and brought up to date by versions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tinyagent.apps.base import Contact
from tinyagent.apps.formats.vcard import parse_cards
from tinyagent.apps.matching.misses import Misses
from tinyagent.apps.matching.people import Person, best_matches
from tinyagent.apps.network._collections import Collection, Home, collections, find_home
from tinyagent.apps.network._xml import CARDDAV, DAV
from tinyagent.apps.network.dav import DavServer, DavSession

_ETAG = f"{DAV}getetag"
_DATA = f"{CARDDAV}address-data"
_MULTIGET = f"{CARDDAV}addressbook-multiget"
_CARDS_A_REQUEST = 50


@dataclass
class _Book:
    """An address book as it was read: each file's version and the people in it."""

    ctag: str = ""
    files: dict[str, tuple[str, list[Person]]] = field(default_factory=dict[str, tuple[str, list[Person]]])


class CardDavContacts:
    """Implements `apps.base.Contacts` on all address books of an account.

    `owner` is the user's own mail address, by which the user's own card is known. What was read is
    trusted for `lifetime` seconds, or until nobody has a name; then only what has changed is read again.
    """

    def __init__(
        self,
        server: DavServer,
        owner: str = "",
        *,
        lifetime: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._owner = owner
        self._lifetime = lifetime
        self._clock = clock
        self._home: Home | None = None
        self._books: dict[str, _Book] = {}
        self._read_at: float | None = None
        self._misses = Misses()
        self._lock = asyncio.Lock()

    async def check(self) -> None:
        """Log in and look where the address books are. Raises NotConfigured when there are none."""
        async with self._server.session() as session:
            await self._found_home(session)

    async def find(self, name: str) -> Sequence[Contact]:
        """The contacts that tie for the best match with the name; empty when none does."""
        if not name.strip():
            return []
        asked_at = self._clock()
        found = await self._matching(name)
        age = asked_at - (asked_at if self._read_at is None else self._read_at)
        if not found and self._misses.is_reason_to_read(name, age):
            self._read_at = None
            found = await self._matching(name)
        return [person.contact for person in found]

    async def all(self) -> Sequence[Contact]:
        return [person.contact for person in await self._people()]

    async def _matching(self, name: str) -> Sequence[Person]:
        people = await self._people()
        return await asyncio.to_thread(best_matches, name, people, self._owner)

    async def _people(self) -> list[Person]:
        async with self._lock:
            if self._read_at is None or self._clock() - self._read_at >= self._lifetime:
                async with self._server.session() as session:
                    self._books = await self._refreshed(session)
                self._read_at = self._clock()
            files = [file for book in self._books.values() for file in book.files.values()]
        return [person for _, people in files for person in people]

    async def _refreshed(self, session: DavSession) -> dict[str, _Book]:
        home = await self._found_home(session)
        found = await collections(session, home, "addressbook")
        return {one.url: await self._book(session, one, self._books.get(one.url, _Book())) for one in found}

    async def _found_home(self, session: DavSession) -> Home:
        if self._home is None:
            self._home = await find_home(self._server, session, "addressbook")
        return self._home

    async def _book(self, session: DavSession, collection: Collection, known: _Book) -> _Book:
        """The book as it is now; files whose version is known are not read again."""
        if collection.ctag and collection.ctag == known.ctag:
            return known
        listed = await session.properties(collection.url, 1, (_ETAG,)) or []
        versions = {
            one.url: one.text(_ETAG)
            for one in listed
            if one.found and one.text(_ETAG) and one.url != collection.url
        }
        kept = {url: file for url, file in known.files.items() if versions.get(url) == file[0]}
        missing = [url for url in versions if url not in kept]
        for start in range(0, len(missing), _CARDS_A_REQUEST):
            kept.update(await self._files(session, collection, missing[start : start + _CARDS_A_REQUEST]))
        return _Book(collection.ctag, kept)

    async def _files(
        self, session: DavSession, collection: Collection, urls: Sequence[str]
    ) -> Mapping[str, tuple[str, list[Person]]]:
        paths = [urlsplit(url).path for url in urls]
        read = await session.report(_MULTIGET, collection.url, (_ETAG, _DATA), paths)
        texts = {one.url: (one.text(_ETAG), one.text(_DATA)) for one in read if one.found and one.text(_DATA)}
        return await asyncio.to_thread(_parsed, texts)


def _parsed(texts: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, list[Person]]]:
    return {
        url: (etag, [Person(card) for card in parse_cards(text, urlsplit(url).path)])
        for url, (etag, text) in texts.items()
    }
