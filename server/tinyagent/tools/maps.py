"""Tools for maps."""

from __future__ import annotations

from tinyagent.errors import ToolError
from tinyagent.ports import ToolResult
from tinyagent.tools.context import ToolContext

_MEANS = {"w": "on foot", "r": "by public transit"}


async def maps_open_location(context: ToolContext, location: str) -> ToolResult:
    """Show a place on the map.

    Args:
        location: The place or address.

    Returns:
        The map's URL.
    """
    url = context.desktop.maps.location(location)
    remark = await _show(context, url)
    return ToolResult(url, f"Map of {location.strip()}.{remark}", link=url)


async def maps_show_directions(
    context: ToolContext, start_location: str, end_location: str, transport: str
) -> ToolResult:
    """Show the way to a place.

    Args:
        start_location: Where the way begins; empty for the current position.
        end_location: Where it leads.
        transport: d to drive, w to walk, r for public transit.

    Returns:
        The directions' URL.
    """
    url = context.desktop.maps.directions(start_location, end_location, transport)
    origin = f"from {start_location.strip()} " if start_location.strip() else ""
    means = _MEANS.get(transport.strip().casefold(), "by car")
    remark = await _show(context, url)
    return ToolResult(url, f"Directions {origin}to {end_location.strip()} {means}.{remark}", link=url)


async def _show(context: ToolContext, url: str) -> str:
    """Show the map; a remark when that failed, for the link serves as well."""
    if context.demo:
        return ""
    try:
        await context.desktop.maps.show(url)
    except ToolError as error:
        return f" It was not opened: {error.message}"
    return ""
