"""Maps are links, and shown in Maps where that is there."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import World
from tinyagent.errors import AccessDenied, AppFailed, ToolError

pytestmark = pytest.mark.app("maps")

PLACE = 'Café "Zur Post" & Söhne? #1/2\\'


async def test_a_place_stands_whole_in_its_link(world: World) -> None:
    url = world.desktop.maps.location(PLACE)

    assert parse_qs(urlsplit(url).query)["query"] == [PLACE]


async def test_a_way_names_its_start_its_end_and_the_means(world: World) -> None:
    url = world.desktop.maps.directions("", PLACE, "w")

    query = parse_qs(urlsplit(url).query)
    assert (query["destination"], query["mode"], "source" in query) == ([PLACE], ["walking"], False)
    with pytest.raises(ToolError):
        world.desktop.maps.directions("", PLACE, "rocket")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "x-apple:1", "-a Terminal", ""])
async def test_other_links_are_not_shown(mac: MacWorld, url: str) -> None:
    with pytest.raises(AccessDenied):
        await mac.desktop.maps.show(url)

    assert mac.mac.calls("open") == []


async def test_a_map_is_shown_in_maps(mac: MacWorld) -> None:
    url = mac.desktop.maps.location("Oslo")

    await mac.desktop.maps.show(url)

    assert [call["argv"] for call in mac.mac.calls("open")] == [["-a", "Maps", url]]


async def test_maps_itself_is_told_of_a_map_that_cannot_be_opened(mac: MacWorld) -> None:
    mac.mac.plan("open", {"exit": 1})

    await mac.desktop.maps.show(mac.desktop.maps.location("Oslo"))

    assert mac.mac.operations() == ["maps_open"]
    assert mac.mac.faults() == []


async def test_a_map_that_cannot_be_shown_is_told(mac: MacWorld) -> None:
    mac.mac.plan("open", {"exit": 1})
    mac.mac.plan("maps_open", {"error": -1712})

    with pytest.raises(AppFailed):
        await mac.desktop.maps.show(mac.desktop.maps.location("Oslo"))
