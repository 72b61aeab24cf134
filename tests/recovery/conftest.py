"""One server behind a proxy for all tests of cut connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cut_off import Place, serve_behind_proxy
from tests.support.held_model import HeldModel, held_model
from tests.support.server import tinyagent


@pytest.fixture(scope="session")
def model() -> Iterator[HeldModel]:
    with held_model() as model:
        yield model


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, model: HeldModel) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = tinyagent(home, "demo")
    assert made.returncode == 0, made.stderr
    (home / "config.toml").write_text(model.settings())
    return home


@pytest.fixture(scope="session")
def place(home: Path) -> Iterator[Place]:
    with serve_behind_proxy(home, TINYAGENT_DEMO="1") as place:
        yield place
