"""The openai package behind a connection that breaks: what it repeats by itself is done once."""

from __future__ import annotations

import threading

import openai
import pytest

from tests.support.cut_off import REQUESTS, Before, Place, body_of, held, notes_about, response_body, send
from tests.support.cutting_proxy import SPOTS, Cut, Spot
from tests.support.held_model import HeldModel, names_about


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


@pytest.mark.parametrize("spot", SPOTS)
def test_the_openai_package_gets_the_response_wherever_the_connection_broke(place: Place, spot: Spot) -> None:
    before = Before.of(place)
    place.proxy.cuts = [Cut(spot)]
    place.proxy.heads.clear()
    with openai.OpenAI(base_url=f"{place.proxy.url}/v1", api_key=place.server.token, max_retries=2) as client:
        response = client.responses.create(**response_body(spot))
    assert len(place.proxy.heads) == 2
    assert response.output_text == before.the_run()["answer"] != ""
    assert len(before.new_files()) == 1
