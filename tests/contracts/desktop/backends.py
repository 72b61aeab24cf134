"""The desktops that have to behave alike. To test another one, add what builds its world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.network_world import NetworkWorld
from tests.contracts.desktop.portable_world import PortableWorld
from tests.contracts.desktop.worlds import World
from tinyagent.apps.base import Desktop

ALL_APPS = frozenset(field.name for field in fields(Desktop))


@dataclass(frozen=True)
class Backend:
    """`build` makes a world in a new folder, with the fixtures of the test.

    `apps` are the applications that are its own. The others are those of the portable desktop, which are
    tested there.
    """

    build: Callable[[Path, pytest.FixtureRequest], World]
    apps: frozenset[str] = ALL_APPS


BACKENDS = {
    "portable": Backend(lambda home, _: PortableWorld(home)),
    "macos": Backend(
        lambda home, request: MacWorld(home, request.getfixturevalue("monkeypatch")),
        ALL_APPS - {"documents", "meetings"},
    ),
    "network": Backend(
        lambda home, request: NetworkWorld(
            home, *(request.getfixturevalue(name) for name in ("radicale", "imap", "smtp"))
        ),
        frozenset({"calendar", "contacts", "mail", "reminders"}),
    ),
}
