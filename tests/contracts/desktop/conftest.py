"""The world of each desktop.

A test of `world` runs on every desktop, and with the marker `app` on those that have this application
themselves.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.contracts.desktop.backends import BACKENDS
from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import World


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "app(name): the application of the desktop that is tested")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("app")
        tested = [name for name, one in BACKENDS.items() if marker is None or marker.args[0] in one.apps]
        metafunc.parametrize("world", tested, indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[World]:
    """Every desktop in turn."""
    built = BACKENDS[request.param].build(tmp_path / "home", request)
    yield built
    if isinstance(built, MacWorld):
        assert built.mac.faults() == []


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[MacWorld]:
    """The desktop of macOS alone, for what no other has."""
    built = MacWorld(tmp_path / "home", monkeypatch)
    yield built
    assert built.mac.faults() == []
