"""Places and ways in Maps."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from tinyagent.apps.local.map_links import MapLinks, Provider
from tinyagent.apps.macos._opening import open_on_desktop
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import AccessDenied, AppFailed

_APPLE = "maps.apple.com"
_HOSTS = frozenset({_APPLE, "www.openstreetmap.org"})


class MacMaps(MapLinks):
    """Implements `apps.base.Maps`. `opener` is `open` where maps are to be shown, empty otherwise."""

    def __init__(self, scripts: Scripts, provider: Provider = "apple", opener: Sequence[str] = ()) -> None:
        super().__init__(provider)
        self._scripts = scripts
        self._opener = tuple(opener)

    async def show(self, url: str) -> None:
        """Show a link of ours: Apple's in Maps itself, since a browser may take it otherwise.

        Maps is told by a script, which asks for a permission, only where `open` cannot show the link.
        """
        if not self._opener:
            return
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname not in _HOSTS:
            raise AccessDenied("Only links to maps are shown.")
        in_maps = parts.hostname == _APPLE
        program = ("-a", "Maps") if in_maps else ()
        try:
            await open_on_desktop((*self._opener, *program, url), "The map")
        except AppFailed:
            if not in_maps:
                raise
            await self._scripts.read("maps_open", {"url": url})
