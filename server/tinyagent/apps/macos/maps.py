"""Places and ways in Maps."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from tinyagent.apps.macos._opening import open_on_desktop
from tinyagent.apps.portable.maps import PortableMaps, Provider
from tinyagent.errors import AccessDenied

_APPLE = "maps.apple.com"
_HOSTS = frozenset({_APPLE, "www.openstreetmap.org"})


class MacMaps:
    """Implements `apps.base.Maps`. `opener` is the argv that shows things; empty, nothing is ever shown."""

    def __init__(self, provider: Provider = "apple", opener: Sequence[str] = ()) -> None:
        self._links = PortableMaps(provider)
        self._opener = tuple(opener)

    def location(self, place: str) -> str:
        return self._links.location(place)

    def directions(self, start: str, end: str, transport: str) -> str:
        return self._links.directions(start, end, transport)

    async def show(self, url: str) -> None:
        """Show a link of ours: Apple's in Maps itself, since a browser may take it otherwise."""
        if not self._opener:
            return
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname not in _HOSTS:
            raise AccessDenied("Only links to maps are shown.")
        program = ("-a", "Maps") if parts.hostname == _APPLE else ()
        await open_on_desktop((*self._opener, *program, url), "The map")
