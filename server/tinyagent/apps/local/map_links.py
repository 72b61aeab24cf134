"""Links to maps: Apple Maps (its unified URLs) or OpenStreetMap."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, urlencode

from tinyagent.errors import NotConfigured, ToolError

Provider = Literal["apple", "openstreetmap"]

_APPLE_MODES = {"d": "driving", "w": "walking", "r": "transit"}
_OSM_ENGINES = {"d": "fossgis_osrm_car", "w": "fossgis_osrm_foot"}


class MapLinks:
    """Makes the links of `apps.base.Maps`; no server is asked."""

    def __init__(self, provider: Provider = "apple") -> None:
        self._provider = provider

    def location(self, place: str) -> str:
        query = {"query": _place(place)}
        if self._provider == "apple":
            return _url("https://maps.apple.com/search", query)
        return _url("https://www.openstreetmap.org/search", query)

    def directions(self, start: str, end: str, transport: str) -> str:
        mode = transport.strip().casefold() or "d"
        if mode not in _APPLE_MODES:
            raise ToolError(
                f"“{transport}” is no means of transport.", hint="Use d (car), w (walk) or r (transit)."
            )
        origin = " ".join(start.split())
        if self._provider == "apple":
            query = {"source": origin, "destination": _place(end), "mode": _APPLE_MODES[mode]}
            return _url("https://maps.apple.com/directions", query)
        if mode not in _OSM_ENGINES:
            raise NotConfigured(
                "OpenStreetMap has no directions by public transit.",
                hint='Set maps = "apple" for them.',
            )
        query = {"from": origin, "to": _place(end), "engine": _OSM_ENGINES[mode]}
        return _url("https://www.openstreetmap.org/directions", query)


def _place(text: str) -> str:
    place = " ".join(text.split())
    if not place:
        raise ToolError("No place was given.", hint="Say which place you mean.")
    return place


def _url(base: str, query: dict[str, str]) -> str:
    filled = {key: value for key, value in query.items() if value}
    return f"{base}?{urlencode(filled, quote_via=quote, safe='', errors='replace')}"
