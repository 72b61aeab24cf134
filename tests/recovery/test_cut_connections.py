"""Connections that break wherever they can: the client comes back, and nothing is done twice.

A real server, a proxy that breaks connections before it, and a client that repeats its request by hand.
What was done is counted in the files of the data folder.
"""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from tests.support.cut_off import (
    FRAMES,
    LOOKED_UP_AND_SENT,
    REQUESTS,
    RESPONSES,
    RETRIED,
    Before,
    Place,
    body_of,
    content_of,
    first_event,
    held,
    notes_about,
    response_body,
    send,
)
from tests.support.cutting_proxy import SPOTS, Cut, Spot
from tests.support.held_model import HeldModel, names_about

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


# --- responses -------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["retry count", "key"])
@pytest.mark.parametrize("frame", [1, 2, 5, 9])
def test_a_streamed_response_that_breaks_is_told_in_whole_to_who_comes_back(
    place: Place, frame: int, by: str
) -> None:
    before = Before.of(place)
    body = response_body(f"{frame} {by}", stream=True)
    key = {"Idempotency-Key": f"response {frame}"} if by == "key" else {}
    place.proxy.cuts = [Cut("frame", frame)]
    with pytest.raises(httpx.TransportError):
        place.by_proxy.post(RESPONSES, json=body, headers=key)
    answer = place.by_proxy.post(RESPONSES, json=body, headers=key or RETRIED)
    last = json.loads(answer.text.removesuffix("\n\n").rpartition("data: ")[2])
    run = before.the_run()
    assert last["type"] == "response.completed"
    assert last["response"]["output"][-1]["content"][0]["text"] == run["answer"] != ""
    assert len(before.new_files()) == 1


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
