"""A server behind a proxy that breaks connections, and what happened there: runs and files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.cutting_proxy import CuttingProxy, cutting_proxy
from tests.support.held_model import request_about
from tests.support.server import Server, serve
from tests.support.world import World

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
RETRIED = {"x-stainless-retry-count": "1"}
FRAMES = 21
"""How many the stream of `LOOKED_UP_AND_SENT` has, `[DONE]` included."""
LOOKED_UP_AND_SENT = "Text Jane that dinner is at seven"

REQUESTS = (
    "Make a note called Groceries: milk, bread and figs",
    LOOKED_UP_AND_SENT,
    "Remind me tomorrow at 9 to water the plants",
)
"""Each of them makes one file."""


@dataclass
class Place:
    """A server, a proxy before it that breaks connections, and ways to both."""

    server: Server
    proxy: CuttingProxy
    direct: httpx.Client
    by_proxy: httpx.Client

    def runs(self) -> list[dict[str, Any]]:
        return self.direct.get("/v1/runs", params={"limit": 100}).raise_for_status().json()["data"]

    def files(self) -> set[Path]:
        return {path for path in World(self.server.home).snapshot() if not path.name.startswith(".")}

    def wait_for_end(self, run: str) -> dict[str, Any]:
        """The run when it has ended."""
        self.direct.get(f"/v1/runs/{run}/events").raise_for_status()
        return self.direct.get(f"/v1/runs/{run}").json()


@contextmanager
def serve_behind_proxy(home: Path, **environment: str) -> Iterator[Place]:
    """Start a server on this home with a proxy before it."""
    with (
        serve(home, **environment) as server,
        cutting_proxy(server.port) as proxy,
        server.client() as direct,
        httpx.Client(base_url=proxy.url, headers=server.headers, timeout=60) as by_proxy,
    ):
        yield Place(server, proxy, direct, by_proxy)


@dataclass
class Before:
    """What there was when a case began."""

    place: Place
    runs: set[str]
    files: set[Path]

    @classmethod
    def of(cls, place: Place) -> Before:
        return cls(place, {run["run"] for run in place.runs()}, place.files())

    def the_run(self) -> dict[str, Any]:
        """The one run that was started since, when it has ended."""
        (new,) = [run for run in self.place.runs() if run["run"] not in self.runs]
        return self.place.wait_for_end(new["run"])

    def new_files(self) -> set[Path]:
        return self.place.files() - self.files


def body_of(request: str, case: str, **more: Any) -> dict[str, Any]:
    """A request that no other case makes."""
    return {"model": "tinyagent", "messages": [{"role": "user", "content": request}], "user": case, **more}


def response_body(case: str, **more: Any) -> dict[str, Any]:
    """As `body_of`, for the responses API."""
    return {"model": "tinyagent", "input": REQUESTS[0], "user": case, **more}


def send(place: Place, body: dict[str, Any], headers: dict[str, str] | None = None) -> str | None:
    """One attempt, by the proxy: the answer's text, or None when the connection broke."""
    try:
        return place.by_proxy.post(CHAT, json=body, headers=headers).raise_for_status().text
    except httpx.TransportError:
        return None


def content_of(stream: str) -> str:
    """What a whole stream says."""
    frames = stream.removesuffix("\n\n").split("\n\n")
    assert frames.pop() == "data: [DONE]"
    chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames]
    assert all("error" not in chunk for chunk in chunks), chunks[-1]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def first_event(place: Place, body: dict[str, Any], kind: str, headers: dict[str, str] | None = None) -> str:
    """Stream by the proxy until an event of this kind and break the connection; the run."""
    with place.by_proxy.stream("POST", CHAT, json=body, headers=headers) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                event = json.loads(line[6:]).get("tinyagent")
                if event and event["type"] == kind:
                    return event["run"]
    raise AssertionError(f"no {kind}")


def notes_about(place: Place, word: str) -> list[str]:
    return sorted(path.stem for path in place.files() if word in path.stem)


def held(word: str, **more: Any) -> dict[str, Any]:
    return body_of(request_about(word), word, model="tinyagent:held", **more)
