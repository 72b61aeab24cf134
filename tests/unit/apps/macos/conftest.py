"""A fake Mac whose scripts have a short deadline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.fake_mac import SCRIPTS, FakeMac
from tinyagent.apps.macos._scripts import Scripts


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMac:
    folder = tmp_path / "scripts"
    folder.mkdir()
    for script in SCRIPTS.glob("[a-z]*.applescript"):
        text = re.sub(r"^-- seconds: \d+$", "-- seconds: 1", script.read_text("utf-8"), flags=re.MULTILINE)
        (folder / script.name).write_text(text, "utf-8")
    mac = FakeMac(tmp_path / "mac", folder)
    monkeypatch.setenv("PATH", mac.path())
    return mac


@pytest.fixture
def scripts(mac: FakeMac) -> Scripts:
    """Waits longer than the scripts' own deadline unless a test cuts it short."""
    return Scripts(mac.scripts, grace_seconds=20.0)


@pytest.fixture
def hasty(mac: FakeMac) -> Scripts:
    """Stops what does not answer at once."""
    return Scripts(mac.scripts, grace_seconds=0.0, queue_seconds=30.0)
