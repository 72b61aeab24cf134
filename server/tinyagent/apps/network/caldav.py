"""Events and reminders over CalDAV (RFC 4791).

A server that schedules (RFC 6638) sends the invitations itself when it stores an event that names its
organizer and its attendees; that is how people are really invited. Where nobody is to be told, the attendees
are marked as told by somebody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote, urljoin
from zoneinfo import ZoneInfo

from tinyagent.apps.base import EventDraft, Made, ReminderDraft, UndoRecord
from tinyagent.apps.formats.entries import event_file, reminder_file
from tinyagent.apps.matching.text import key
from tinyagent.apps.network._collections import Account, Collection
from tinyagent.apps.network._xml import DAV
from tinyagent.apps.network.dav import DavServer, DavSession
from tinyagent.errors import AccessDenied, Ambiguous, ChangedSince, NoMatch, NotConfigured, ToolError

_ETAG = f"{DAV}getetag"
_VERSION_S = 5.0
"""How long a stored file's version is waited for, which only serves to take it back."""


class CalDavStore:
    """An account's collections of events and reminders. Its methods raise the errors of `apps.base`."""

    def __init__(self, server: DavServer) -> None:
        self._server = server
        self._account = Account(server, "calendar")

    async def check(self) -> None:
        """Log in and look where the calendars are. Raises NotConfigured when there are none."""
        async with self._server.session() as session:
            await self._account.home(session)

    async def add(self, component: str, name: str, uid: str, content: bytes) -> UndoRecord | None:
        """Store a file in the collection `name`, the first one for such components without a name.

        Returns how to take it back, where the server tells the version that it stored.
        """
        async with self._server.session() as session:
            collection = await self._choose(session, component, name)
            url = urljoin(collection.url, f"{quote(uid)}.ics")
            headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
            answer = await session.change("PUT", url, headers, content)
            if not answer.is_success:
                raise self._server.failed(answer.status_code, f"write to {collection.name}")
            etag = answer.headers.get("ETag", "")
        etag = etag or await self._etag(url)
        # A weak version says that two files are alike, not that they are the same.
        return {"url": url, "etag": etag} if etag and not etag.startswith("W/") else None

    async def remove(self, record: UndoRecord, what: str) -> None:
        """Delete what was stored. Raises NoMatch when it is gone, ChangedSince when it was changed."""
        url, etag = record.get("url", ""), record.get("etag", "")
        if not (url and etag and self._server.trusts(url)):
            raise AccessDenied(f"{what} lies in another account.", hint="Delete it there.")
        async with self._server.session() as session:
            answer = await session.change("DELETE", url, {"If-Match": etag})
        if answer.status_code in (404, 410):
            raise NoMatch(f"{what} is gone already.", hint="Nothing is left to take back.")
        if answer.status_code == 412:
            raise ChangedSince(f"{what} was changed since, so it was left alone.", hint="Delete it by hand.")
        if not answer.is_success:
            raise self._server.failed(answer.status_code, "delete it")

    async def organizer(self, own: str) -> str:
        """The address to invite from: the account's own ones count, and `own` where it tells none."""
        async with self._server.session() as session:
            addresses = (await self._account.home(session)).addresses
        known = own.casefold() in map(str.casefold, addresses)
        return own if known or not addresses else addresses[0]

    async def _etag(self, url: str) -> str:
        """The version of a file, empty when the server does not tell; the file is stored all the same."""
        try:
            async with asyncio.timeout(_VERSION_S), self._server.session() as session:
                found = await session.properties(url, 0, (_ETAG,))
        except (ToolError, TimeoutError):
            return ""
        return found[0].text(_ETAG) if found else ""

    async def _choose(self, session: DavSession, component: str, name: str) -> Collection:
        found = await self._account.collections(session)
        taking = [one for one in found if not one.components or component in one.components]
        kind = "calendar" if component == "VEVENT" else "list of reminders"
        if name.strip():
            return _chosen(taking, name, kind)
        first = next((one for one in taking if one.writable), None)
        if first is None:
            raise NotConfigured(
                f"The account at {self._server.host} has no {kind} that can be written to.",
                hint="Make one there.",
            )
        return first


class CalDavCalendar:
    """Implements `apps.base.Calendar`.

    `zone` is the user's, without one the times are floating; `organizer` the user's mail address.
    """

    def __init__(self, store: CalDavStore, zone: ZoneInfo | None = None, organizer: str = "") -> None:
        self._store = store
        self._zone = zone
        self._organizer = organizer

    def invites(self) -> bool:
        return True

    async def create(self, event: EventDraft) -> Made:
        """Store the event. With `invite`, a server that schedules tells the attendees. `id` is its UID."""
        organizer = await self._store.organizer(self._organizer) if event.invitees else ""
        if event.invitees and not organizer:
            raise NotConfigured(
                "Nobody can be invited, for your own address is not known.",
                hint="Set sender to your address.",
            )
        uid, content = event_file(event, self._zone, organizer, quiet=not event.invite)
        return Made(uid, await self._store.add("VEVENT", event.calendar, uid, content))

    async def undo(self, record: UndoRecord) -> str:
        """Delete the event. Raises NoMatch when it is gone, ChangedSince when it was changed."""
        await self._store.remove(record, "The event")
        return "Deleted the event."


class CalDavReminders:
    """Implements `apps.base.Reminders`; `zone` is the user's, without one the times are floating."""

    def __init__(self, store: CalDavStore, zone: ZoneInfo | None = None) -> None:
        self._store = store
        self._zone = zone

    async def create(self, reminder: ReminderDraft) -> Made:
        """Store the reminder with an alarm. `id` is its UID."""
        uid, content = reminder_file(reminder, self._zone)
        return Made(uid, await self._store.add("VTODO", reminder.list_name, uid, content))

    async def undo(self, record: UndoRecord) -> str:
        """Delete the reminder. Raises NoMatch when it is gone, ChangedSince when it was changed or done."""
        await self._store.remove(record, "The reminder")
        return "Deleted the reminder."


def _chosen(taking: Sequence[Collection], name: str, kind: str) -> Collection:
    """The collection of this name, whatever its case. Raises NoMatch, Ambiguous or AccessDenied."""
    named = [one for one in taking if key(one.name) == key(name) or one.url == name.strip()]
    writable = [one for one in named if one.writable]
    if len(writable) == 1:
        return writable[0]
    if writable:
        raise Ambiguous(
            f"There is more than one {kind} called {name}.", candidates=[one.url for one in writable]
        )
    if named:
        raise AccessDenied(f"The {kind} {named[0].name} cannot be written to.", hint="Choose another one.")
    others = [one.name for one in taking if one.writable]
    raise NoMatch(f"There is no {kind} called {name}.", hint="Choose one that exists.", candidates=others)
