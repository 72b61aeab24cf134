"""The desktops that have to behave alike. To test another one, add what builds its world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.portable_world import PortableWorld
from tests.contracts.desktop.worlds import World

BACKENDS: dict[str, Callable[[Path, pytest.MonkeyPatch], World]] = {
    "portable": lambda home, _: PortableWorld(home),
    "macos": MacWorld,
}
"""Builds a world in a new folder; the environment may be changed for the time of the test."""
