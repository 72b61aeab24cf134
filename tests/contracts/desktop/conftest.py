"""The world of each desktop."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.contracts.desktop.backends import BACKENDS
from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import World


@pytest.fixture(params=BACKENDS)
def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[World]:
    """Every desktop in turn."""
    built = BACKENDS[request.param](tmp_path / "home", monkeypatch)
    yield built
    if isinstance(built, MacWorld):
        assert built.mac.faults() == []


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[MacWorld]:
    """The desktop of macOS alone, for what no other has."""
    built = MacWorld(tmp_path / "home", monkeypatch)
    yield built
    assert built.mac.faults() == []
