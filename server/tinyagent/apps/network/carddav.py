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
from tinyagent.apps.network._collections import Account, Collection
from tinyagent.apps.network._xml import CARDDAV, DAV
from tinyagent.apps.network.dav import DavServer, DavSession

_ETAG = f"{DAV}getetag"
_DATA = f"{CARDDAV}address-data"
_MULTIGET = f"{CARDDAV}addressbook-multiget"
_CARDS_A_REQUEST = 50
_REQUESTS_AT_ONCE = 4


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
        self._account = Account(server, "addressbook")
        self._books: dict[str, _Book] = {}
        self._read_at: float | None = None
        self._misses = Misses()
        self._lock = asyncio.Lock()

    async def check(self) -> None:
        """Log in and look where the address books are. Raises NotConfigured when there are none."""
        async with self._server.session() as session:
            await self._account.home(session)

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
                    await self._refresh(session)
                self._read_at = self._clock()
            files = [file for book in self._books.values() for file in book.files.values()]
        return [person for _, people in files for person in people]

    async def _refresh(self, session: DavSession) -> None:
        """Bring all books up to date. What was read before a failure is not read again."""
        found = await self._account.collections(session)
        self._books = {one.url: self._books.get(one.url, _Book()) for one in found}
        for one in found:
            await self._bring_up_to_date(session, one, self._books[one.url])

    async def _bring_up_to_date(self, session: DavSession, collection: Collection, book: _Book) -> None:
        """Read the files whose version is not known."""
        if collection.ctag and collection.ctag == book.ctag:
            return
        listed = await session.properties(collection.url, 1, (_ETAG,)) or []
        versions = {
            one.url: one.text(_ETAG)
            for one in listed
            if one.found and one.text(_ETAG) and one.url != collection.url
        }
        book.ctag = ""
        book.files = {url: file for url, file in book.files.items() if versions.get(url) == file[0]}
        missing = [url for url in versions if url not in book.files]
        batches = [
            missing[start : start + _CARDS_A_REQUEST] for start in range(0, len(missing), _CARDS_A_REQUEST)
        ]
        for start in range(0, len(batches), _REQUESTS_AT_ONCE):
            several = batches[start : start + _REQUESTS_AT_ONCE]
            await asyncio.gather(*(self._read(session, collection, book, urls) for urls in several))
        book.ctag = collection.ctag

    async def _read(
        self, session: DavSession, collection: Collection, book: _Book, urls: Sequence[str]
    ) -> None:
        paths = [urlsplit(url).path for url in urls]
        read = await session.report(_MULTIGET, collection.url, (_ETAG, _DATA), paths)
        texts = {one.url: (one.text(_ETAG), one.text(_DATA)) for one in read if one.found and one.text(_DATA)}
        book.files.update(await asyncio.to_thread(_parsed, texts))


def _parsed(texts: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, list[Person]]]:
    return {
        url: (etag, [Person(card) for card in parse_cards(text, urlsplit(url).path)])
        for url, (etag, text) in texts.items()
    }
