"""Connections that break wherever they can: the client comes back, and nothing is done twice.

A real server, a proxy that breaks connections before it, and clients that repeat their request as those of
OpenAI do. What was done is counted in the files of the data folder.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.support.cutting_proxy import SPOTS, Cut, CuttingProxy, Spot, cutting_proxy
from tests.support.held_model import HeldModel, held_model, names_about, request_about
from tests.support.server import Server, serve, tinyagent
from tests.support.world import World

CHAT = "/v1/chat/completions"
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


@pytest.fixture(scope="module")
def model() -> Iterator[HeldModel]:
    with held_model() as model:
        yield model


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, model: HeldModel) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = tinyagent(home, "demo")
    assert made.returncode == 0, made.stderr
    (home / "config.toml").write_text(model.settings())
    return home


@pytest.fixture(scope="module")
def place(home: Path) -> Iterator[Place]:
    with serve_behind_proxy(home, TINYAGENT_DEMO="1") as place:
        yield place


def body_of(request: str, case: str, **more: Any) -> dict[str, Any]:
    """A request that no other case makes."""
    return {"model": "tinyagent", "messages": [{"role": "user", "content": request}], "user": case, **more}


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


# --- streams ---------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["retry count", "key"])
@pytest.mark.parametrize("frame", range(1, FRAMES + 1))
def test_a_stream_that_breaks_after_any_frame_is_told_in_whole_to_who_comes_back(
    place: Place, frame: int, by: str
) -> None:
    before = Before.of(place)
    body = body_of(LOOKED_UP_AND_SENT, f"{frame} {by}", stream=True)
    key = {"Idempotency-Key": f"stream {frame}"} if by == "key" else {}
    place.proxy.cuts = [Cut("frame", frame)]
    assert send(place, body, key) is None
    assert place.proxy.frames == frame
    second = send(place, body, key or RETRIED)
    run = before.the_run()
    assert run["status"] == "completed"
    assert second is not None and content_of(second) == run["answer"] != ""
    assert len(before.new_files()) == 1


def test_the_stream_has_no_further_frame(place: Place) -> None:
    assert send(place, body_of(LOOKED_UP_AND_SENT, "count", stream=True)) is not None
    assert place.proxy.frames == FRAMES


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


@pytest.mark.parametrize(
    "kind", ["run.created", "plan.delta", "task.planned", "task.started", "task.succeeded"]
)
def test_who_comes_back_to_a_run_under_way_follows_it_to_its_end(
    place: Place, model: HeldModel, kind: str
) -> None:
    word = "back" + kind.replace(".", "")
    before = Before.of(place)
    run = first_event(place, held(word, stream=True), kind)
    threading.Timer(0.2, model.go_on, [word]).start()
    second = send(place, held(word, stream=True), RETRIED)
    assert before.the_run()["run"] == run
    assert second is not None and all(name in content_of(second) for name in names_about(word))
    assert notes_about(place, word) == list(names_about(word))
    assert model.planned.count(word) == 1


def test_who_does_not_come_back_in_time_finds_the_cancelled_run_and_nothing_repeated(
    place: Place, model: HeldModel
) -> None:
    word = "late"
    before = Before.of(place)
    run = first_event(place, held(word, stream=True), "task.succeeded")
    assert place.wait_for_end(run)["status"] == "cancelled"
    model.go_on(word)
    second = send(place, held(word, stream=True), RETRIED)
    assert second is not None
    *_, failed, done = second.removesuffix("\n\n").split("\n\n")
    assert json.loads(failed.removeprefix("data: "))["error"]["code"] == "cancelled"
    assert done == "data: [DONE]"
    assert before.the_run()["run"] == run
    assert notes_about(place, word) == [names_about(word)[0]]


# --- answers in one piece, by the openai package itself --------------------------------------


@pytest.mark.parametrize("keyed", [False, True], ids=["without a key", "with a key"])
@pytest.mark.parametrize("cuts", [*([spot] for spot in SPOTS), ["before the answer", "answer body"]], ids=str)
def test_the_openai_package_gets_the_answer_wherever_the_connection_broke(
    place: Place, cuts: list[Spot], keyed: bool
) -> None:
    before = Before.of(place)
    place.proxy.cuts = [Cut(spot) for spot in cuts]
    place.proxy.heads.clear()
    case = f"{cuts} {keyed}"
    request = REQUESTS[SPOTS.index(cuts[-1]) % 3]
    headers = {"Idempotency-Key": case} if keyed else None
    with openai.OpenAI(base_url=f"{place.proxy.url}/v1", api_key=place.server.token, max_retries=2) as client:
        completion = client.chat.completions.create(**body_of(request, case), extra_headers=headers)
    assert len(place.proxy.heads) == len(cuts) + 1
    run = before.the_run()
    assert run["status"] == "completed"
    assert completion.choices[0].message.content == run["answer"] != ""
    assert len(before.new_files()) == 1


def test_the_openai_package_that_is_cut_off_three_times_gives_up_and_one_run_was_made(place: Place) -> None:
    before = Before.of(place)
    place.proxy.cuts = [Cut("before the answer")] * 3
    with (
        openai.OpenAI(base_url=f"{place.proxy.url}/v1", api_key=place.server.token, max_retries=2) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        client.chat.completions.create(**body_of(REQUESTS[0], "three"))
    assert before.the_run()["status"] == "completed"
    assert len(before.new_files()) == 1


def test_a_request_that_never_arrived_in_whole_is_no_run(place: Place) -> None:
    before = Before.of(place)
    for where in ("request head", "request body"):
        place.proxy.cuts = [Cut(where)]
        assert send(place, body_of(REQUESTS[0], "half")) is None
    assert {run["run"] for run in place.runs()} == before.runs
    assert not before.new_files()


def test_the_package_that_lost_patience_finds_its_run_again(place: Place, model: HeldModel) -> None:
    word = "patience"
    before = Before.of(place)
    place.proxy.heads.clear()
    place.proxy.arrived = threading.Semaphore(0)

    def release() -> None:
        for _ in range(2):
            place.proxy.arrived.acquire(timeout=30)
        model.go_on(word)

    threading.Thread(target=release, daemon=True).start()
    with openai.OpenAI(
        base_url=f"{place.proxy.url}/v1", api_key=place.server.token, timeout=1.0, max_retries=2
    ) as client:
        completion = client.chat.completions.create(**held(word))
    assert completion.choices[0].finish_reason == "stop"
    assert before.the_run()["status"] == "completed"
    assert notes_about(place, word) == list(names_about(word))
    assert model.planned.count(word) == 1


# --- runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", SPOTS)
def test_a_run_that_was_begun_with_a_key_is_begun_once(place: Place, where: Spot) -> None:
    before = Before.of(place)
    place.proxy.cuts = [Cut(where)]
    headers = {"Idempotency-Key": f"run {where}"}
    with pytest.raises(httpx.TransportError):
        place.by_proxy.post("/v1/runs", json={"query": REQUESTS[0]}, headers=headers)
    answer = place.by_proxy.post("/v1/runs", json={"query": REQUESTS[0]}, headers=headers)
    assert answer.status_code == 202
    run = before.the_run()
    assert (run["run"], run["status"]) == (answer.json()["run"], "completed")
    assert len(before.new_files()) == 1


def test_a_feed_that_breaks_after_any_event_goes_on_without_a_gap_or_a_repeat(place: Place) -> None:
    run = place.by_proxy.post("/v1/runs", json={"query": REQUESTS[0]}).json()["run"]
    last = place.wait_for_end(run)["last_seq"]
    for cut in range(1, last):
        place.proxy.cuts = [Cut("frame", cut)]
        seen: list[int] = []
        with pytest.raises(httpx.TransportError):
            numbers(place.by_proxy, run, seen, 0)
        numbers(place.by_proxy, run, seen, seen[-1])
        assert seen == list(range(1, last + 1))


def numbers(client: httpx.Client, run: str, seen: list[int], after: int) -> None:
    with client.stream("GET", f"/v1/runs/{run}/events", headers={"Last-Event-ID": str(after)}) as answer:
        for line in answer.iter_lines():
            if line.startswith("id: "):
                seen.append(int(line[4:]))


# --- a server that is killed -----------------------------------------------------------------


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
