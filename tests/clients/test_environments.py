"""Tests without their client are skipped on a computer that lacks it, and fail where it is required."""

from __future__ import annotations

import pytest

from tests.support.clients import environment


def test_an_absent_environment_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYAGENT_CLIENTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="tests/clients/install"):
        environment("of-nobody")


def test_an_absent_environment_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_CLIENTS", "required")
    with pytest.raises(pytest.fail.Exception, match="tests/clients/install"):
        environment("of-nobody")
