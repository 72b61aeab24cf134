"""A map link holds the place and nothing else, whatever the place is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tinyagent.apps.base import Maps
from tinyagent.apps.portable.maps import PortableMaps
from tinyagent.errors import AccessDenied, AppFailed, NotConfigured, ToolError

HOSTILE = (
    "Central Park, New York",
    "Café & Bar #1?x=y;z",
    "a&destination=elsewhere",
    "https://evil.example/@x",
    "../../etc",
    "-rf",
    "東京駅 🎉",
    "\u202eelcyc",
    "'\"<script>",
    "100% real+fake",
    "$1 ${2}",
)


@pytest.fixture(params=["apple", "openstreetmap"])
def maps(request: pytest.FixtureRequest) -> Maps:
    return PortableMaps(request.param)


def query_of(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    assert parts.scheme == "https"
    assert parts.hostname in ("maps.apple.com", "www.openstreetmap.org")
    assert url.isascii() and " " not in url
    pairs = parse_qsl(parts.query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("place", HOSTILE)
def test_a_place_is_one_parameter_of_the_link(maps: Maps, place: str) -> None:
    assert query_of(maps.location(place)) == {"query": place}


@pytest.mark.parametrize("place", HOSTILE)
def test_both_ends_of_a_way_are_kept(maps: Maps, place: str) -> None:
    values = list(query_of(maps.directions(place, f"to {place}", "w")).values())

    assert values[:2] == [place, f"to {place}"]
    assert len(values) == 3


def test_line_breaks_in_a_place_become_spaces(maps: Maps) -> None:
    assert (
        query_of(maps.location(" 14 Alder Street\r\nSpringfield "))["query"] == "14 Alder Street Springfield"
    )


def test_an_empty_start_is_left_to_the_map(maps: Maps) -> None:
    query = query_of(maps.directions(" ", "Harbour", ""))

    assert len(query) == 2 and "Harbour" in query.values()


def test_means_of_transport_differ() -> None:
    modes = {query_of(PortableMaps("apple").directions("", "Harbour", mode))["mode"] for mode in "dwr"}
    engines = {query_of(PortableMaps("openstreetmap").directions("", "x", mode))["engine"] for mode in "dw"}

    assert modes == {"driving", "walking", "transit"}
    assert len(engines) == 2


def test_transit_is_refused_where_there_is_none() -> None:
    with pytest.raises(NotConfigured, match="public transit"):
        PortableMaps("openstreetmap").directions("", "Harbour", "r")


@pytest.mark.parametrize("transport", ["x", "fly", "d&x=1"])
def test_unknown_means_of_transport_are_refused(maps: Maps, transport: str) -> None:
    with pytest.raises(ToolError, match="transport"):
        maps.directions("", "Harbour", transport)


@pytest.mark.parametrize("place", ["", "  \n"])
def test_no_place_is_refused(maps: Maps, place: str) -> None:
    with pytest.raises(ToolError, match="No place"):
        maps.location(place)
    with pytest.raises(ToolError, match="No place"):
        maps.directions("Harbour", place, "d")


# --- showing -----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
async def test_a_map_is_shown_by_the_opener_as_one_argument(tmp_path: Path) -> None:
    pipe = tmp_path / "seen"
    os.mkfifo(pipe)
    opener = [sys.executable, "-c", f"import sys; open({str(pipe)!r}, 'w').write('|'.join(sys.argv[1:]))"]
    maps = PortableMaps("apple", opener)
    url = maps.location("Café & Bar; touch pwned")

    await maps.show(url)

    assert pipe.read_text() == url


async def test_without_an_opener_nothing_is_shown(maps: Maps) -> None:
    await maps.show(maps.location("Harbour"))


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "-rf", "", "https://", "x", "mailto:a@x.example"]
)
async def test_only_web_links_are_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(AccessDenied):
        await PortableMaps("apple", ["/no/such/opener"]).show(url)


async def test_an_opener_that_is_missing_is_a_plain_error() -> None:
    with pytest.raises(AppFailed, match="could not be started"):
        await PortableMaps("apple", ["/no/such/opener"]).show("https://maps.apple.com/search?query=x")
