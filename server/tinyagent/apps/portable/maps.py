"""Maps in whatever program shows links."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from tinyagent.apps.local.map_links import MapLinks, Provider
from tinyagent.apps.local.opening import start
from tinyagent.errors import AccessDenied


class PortableMaps(MapLinks):
    """Implements `apps.base.Maps`. `opener` is the argv that shows a link; empty, nothing is ever shown."""

    def __init__(self, provider: Provider = "apple", opener: Sequence[str] = ()) -> None:
        super().__init__(provider)
        self._opener = tuple(opener)

    async def show(self, url: str) -> None:
        if not self._opener:
            return
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AccessDenied("Only links to web pages are shown.")
        await asyncio.to_thread(start, [*self._opener, url])
