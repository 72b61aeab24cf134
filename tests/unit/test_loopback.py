"""What is on this computer is known by its names and numbers."""

from __future__ import annotations

import pytest

from tinyagent.loopback import is_local_url, is_loopback


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "::"]
)
def test_others(host: str) -> None:
    assert not is_loopback(host)


def test_addresses() -> None:
    assert is_local_url("http://[::1]:8765/v1")
    assert is_local_url("http://localhost:11434/v1")
    assert not is_local_url("https://user@example.com:443/127.0.0.1")
