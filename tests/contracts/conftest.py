"""Real servers for the apps that work over the network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.imap_server import ImapServer, imap_server
from tests.support.radicale_server import RadicaleServer, radicale_server
from tests.support.smtp_server import SmtpServer, smtp_server


@pytest.fixture(scope="session")
def running_radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadicaleServer]:
    with radicale_server(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def radicale(running_radicale: RadicaleServer) -> RadicaleServer:
    """A CalDAV and CardDAV server whose user has no collections."""
    running_radicale.clear()
    return running_radicale


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    """A server of its own for every test, which starts in a few milliseconds."""
    with imap_server() as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A server of its own for every test, which starts in a few milliseconds."""
    with smtp_server() as server:
        yield server
