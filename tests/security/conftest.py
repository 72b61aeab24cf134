"""One real server for all attacks that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server, serve


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home: Path = tmp_path_factory.mktemp("served") / "home"
    with serve(home, TINYAGENT_REQUESTS_PER_MINUTE="1000000") as started:
        yield started
        assert "Traceback" not in started.log.read_text()
