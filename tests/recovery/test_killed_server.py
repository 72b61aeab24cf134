"""Requests whose answers were lost because their server was killed, repeated to the one that follows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.cut_off import (
    CHAT,
    RETRIED,
    Before,
    Place,
    body_of,
    content_of,
    held,
    notes_about,
    send,
    serve_behind_proxy,
)
from tests.support.cutting_proxy import Cut
from tests.support.held_model import HeldModel, names_about


@dataclass(frozen=True)
class Lost:
    """A request whose answer was lost with its server, and how it is repeated."""

    name: str
    done: bool
    """Whether its run had ended."""
    keyed: bool
    streamed: bool

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotency-Key": self.name} if self.keyed else {}

    @property
    def retry_headers(self) -> dict[str, str]:
        return self.headers or RETRIED

    @property
    def body(self) -> dict[str, Any]:
        if self.done:
            return body_of(f"Make a note called {self.name}: bread", self.name, stream=self.streamed)
        return held(self.name, stream=self.streamed)

    @property
    def notes(self) -> list[str]:
        return [self.name] if self.done else [names_about(self.name)[0]]


LOST = [
    Lost(f"{word}{suffix}", done, keyed, streamed)
    for word, done in (("Groceries", True), ("Garden", False))
    for suffix, keyed, streamed in (("One", False, False), ("Two", False, True), ("Three", True, False))
]


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory, model: HeldModel) -> Iterator[Place]:
    """A server after another one was killed in the middle of these requests."""
    home = tmp_path_factory.mktemp("killed")
    (home / "config.toml").write_text(model.settings())
    with serve_behind_proxy(home) as place:
        for lost in LOST:
            if lost.done:
                place.proxy.cuts = [Cut("before the answer")]
                assert send(place, lost.body, lost.headers) is None
        asking = [threading.Thread(target=lose, args=(place, lost)) for lost in LOST if not lost.done]
        for thread in asking:
            thread.start()
        wait_until(lambda: all(notes_about(place, lost.name) == lost.notes for lost in LOST))
        wait_until(lambda: sum(run["status"] == "completed" for run in place.runs()) == 3)
        place.server.kill()
        for thread in asking:
            thread.join()
    for lost in LOST:
        model.go_on(lost.name)
    with serve_behind_proxy(home) as place:
        yield place


def lose(place: Place, lost: Lost) -> None:
    with suppress(httpx.TransportError):
        place.direct.post(CHAT, json=lost.body, headers=lost.headers)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.name)
def test_the_retry_to_a_server_that_was_killed_repeats_nothing(restarted: Place, lost: Lost) -> None:
    before = Before.of(restarted)
    answer = restarted.direct.post(CHAT, json=lost.body, headers=lost.retry_headers)
    assert {run["run"] for run in restarted.runs()} == before.runs
    assert notes_about(restarted, lost.name) == lost.notes
    if lost.done:
        text = content_of(answer.text) if lost.streamed else content_of_body(answer.json())
        assert lost.name in text
    else:
        assert "interrupted" in answer.text
        assert lost.streamed or (answer.status_code, answer.headers["x-should-retry"]) == (500, "false")


def content_of_body(body: dict[str, Any]) -> str:
    return body["choices"][0]["message"]["content"]
