"""Readiness says in one line what can be done, by whom, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.support.scripted import FakeHost, spec
from tinyagent.engine.readiness import check_host
from tinyagent.ports import ToolStatus


class Host(FakeHost):
    def __init__(self, *off: str, workers: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._workers = workers
        for name in ("get", "put", "send"):
            self.add(spec(name))
        for name in off:
            self.switch_off(name, "nobody is there")

    def tools(self) -> Sequence[ToolStatus]:
        return [replace(one, workers=self._workers if one.enabled else ()) for one in super().tools()]


@pytest.mark.parametrize(
    ("host", "ok", "detail"),
    [
        (Host(), True, "3 tools"),
        (Host(workers=("mac", "attic")), True, "3 tools by attic, mac"),
        (Host("put", "send"), True, "1 tool; put, send: nobody is there"),
        (Host("get", "put", "send"), False, "all tools: nobody is there"),
    ],
)
def test_the_tools_are_counted_and_what_is_off_is_told_once(host: Host, ok: bool, detail: str) -> None:
    check = check_host(host)
    assert (check.ok, check.detail) == (ok, detail)


def test_an_exception_for_a_tool_that_does_not_exist_is_told() -> None:
    check = check_host(Host(), {"get": "ask", "house_lock": "ask"})
    assert check.ok
    assert check.detail == "3 tools; approvals.tools names house_lock: no such tool is known now"
