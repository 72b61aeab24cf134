"""Where an account keeps its calendars and address books (RFC 4791, 6352, 6764)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urljoin, urlsplit

from tinyagent.apps.network._xml import CALDAV, CALENDARSERVER, CARDDAV, DAV, Resource
from tinyagent.apps.network.dav import DavServer, DavSession
from tinyagent.errors import AccessDenied, AppFailed, NotConfigured

Kind = Literal["calendar", "addressbook"]

_NAMESPACE = {"calendar": CALDAV, "addressbook": CARDDAV}
_WELL_KNOWN = {"calendar": "/.well-known/caldav", "addressbook": "/.well-known/carddav"}
_PRINCIPAL = f"{DAV}current-user-principal"
_TYPE = f"{DAV}resourcetype"
_PRIVILEGES = f"{DAV}current-user-privilege-set"
_ADDRESSES = f"{CALDAV}calendar-user-address-set"
_COMPONENTS = f"{CALDAV}supported-calendar-component-set"
_CTAG = f"{CALENDARSERVER}getctag"
_WRITING = {f"{DAV}{name}" for name in ("all", "write", "write-content", "bind")}


@dataclass(frozen=True)
class Home:
    """Where the collections are, and the mail addresses by which the account invites."""

    urls: tuple[str, ...]
    is_collection: bool
    """Whether the address is that of one collection, which alone is meant then."""
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Collection:
    """A calendar or an address book. `components` are upper case, empty for any; `ctag` changes with it."""

    url: str
    name: str
    writable: bool
    components: frozenset[str]
    ctag: str


class Account:
    """One kind of collections on a server. Where they are is looked up once, and anew after a failure."""

    def __init__(self, server: DavServer, kind: Kind) -> None:
        self._server = server
        self._kind: Kind = kind
        self._home: Home | None = None

    async def home(self, session: DavSession) -> Home:
        """Where the collections are. Raises NotConfigured when there are none."""
        if self._home is None:
            self._home = await _find_home(self._server, session, self._kind)
        return self._home

    async def collections(self, session: DavSession) -> list[Collection]:
        """The calendars or address books, in the order of the server. Raises as `home`, and AppFailed."""
        home = await self.home(session)
        self._home = None
        wanted = (_TYPE, f"{DAV}displayname", _PRIVILEGES, _COMPONENTS, _CTAG)
        found: list[Collection] = []
        for url in home.urls:
            members = await session.properties(url, 0 if home.is_collection else 1, wanted)
            if members is None:
                what = f"The {_spoken(self._kind)} account at {self._server.host}"
                raise AppFailed(f"{what} is not there any more.", hint="Try again; it may have moved.")
            found.extend(_collection(member) for member in members if _is_kind(member, self._kind))
        self._home = home
        return found


async def _find_home(server: DavServer, session: DavSession, kind: Kind) -> Home:
    """Find the account's collections from the configured address. Raises NotConfigured without any."""
    wanted = (_PRINCIPAL, _TYPE, _home_set(kind), _ADDRESSES)
    refusal: AccessDenied | None = None
    for url in (server.url, urljoin(server.url, _WELL_KNOWN[kind])):
        try:
            found = await session.properties(url, 0, wanted)
        except AccessDenied as error:  # many servers forbid their front page alone
            refusal = refusal or error
            continue
        if not found:
            continue
        start = found[0]
        if f"{_NAMESPACE[kind]}{kind}" in start.names(_TYPE):
            return Home((start.url,), True, await _addresses(session, start))
        for principal in (start, *await _principals(session, start, wanted)):
            homes = tuple(session.joined(principal.url, href) for href in principal.hrefs(_home_set(kind)))
            if homes:
                return Home(homes, False, _mail_addresses(principal))
    if refusal is not None:
        raise refusal
    raise NotConfigured(
        f"There is no {_spoken(kind)} account at {server.host}.",
        hint=f"Set {server.section}.url to the address that the service gives for it.",
    )


def _home_set(kind: Kind) -> str:
    return f"{_NAMESPACE[kind]}{kind}-home-set"


async def _principals(session: DavSession, start: Resource, wanted: Iterable[str]) -> list[Resource]:
    found: list[Resource] = []
    for href in start.hrefs(_PRINCIPAL)[:1]:
        found.extend(await session.properties(session.joined(start.url, href), 0, wanted) or ())
    return found[:1]


async def _addresses(session: DavSession, start: Resource) -> tuple[str, ...]:
    principals = await _principals(session, start, (_ADDRESSES,))
    return tuple(address for principal in principals for address in _mail_addresses(principal))


def _mail_addresses(principal: Resource) -> tuple[str, ...]:
    hrefs = principal.hrefs(_ADDRESSES)
    return tuple(unquote(href[7:]) for href in hrefs if href[:7].casefold() == "mailto:" and "@" in href)


def _is_kind(member: Resource, kind: Kind) -> bool:
    return f"{_NAMESPACE[kind]}{kind}" in member.names(_TYPE)


def _collection(member: Resource) -> Collection:
    components = member.properties.get(_COMPONENTS)
    named = components.iter(f"{CALDAV}comp") if components is not None else ()
    privileges = member.names(_PRIVILEGES)
    return Collection(
        url=member.url if member.url.endswith("/") else f"{member.url}/",
        name=member.text(f"{DAV}displayname")
        or unquote(urlsplit(member.url).path.rstrip("/").split("/")[-1]),
        writable=not privileges or bool(privileges & _WRITING),
        components=frozenset(component.get("name", "").upper() for component in named),
        ctag=member.text(_CTAG),
    )


def _spoken(kind: Kind) -> str:
    return "calendar" if kind == "calendar" else "contacts"
