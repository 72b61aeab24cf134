"""A home folder of its own for every test, and no settings from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.api.conftest import make_api as make_api
from tests.api.conftest import serve as serve


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands of this test use."""
    for name in [name for name in os.environ if name.startswith("TINYAGENT_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("TINYAGENT_HOME", str(home))
    return home
