"""The llama.cpp planner: turns, cancellation, cache, and files that are no models."""

from __future__ import annotations

import asyncio
import struct
import threading
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.errors import ModelUnavailable, Overloaded, PlannerFailed
from tinyagent.planners import llama_worker
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.ports import PlanRequest, Usage

SMALL = Limits(calls=3, items=2, characters=12, references=2)
LONG = Limits(calls=14, items=2, characters=600)


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf")


async def answer(planner: LlamaPlanner, request: PlanRequest) -> tuple[str, Usage]:
    pieces = [piece async for piece in planner.plan(request)]
    usage = pieces.pop()
    assert isinstance(usage, Usage)
    return "".join(piece for piece in pieces if isinstance(piece, str)), usage


async def test_a_plan_is_streamed_in_pieces_with_the_usage_last(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    pieces = [piece async for piece in planner.plan(make_request(tools=["send_sms"]))]
    assert len(pieces) > 5
    assert isinstance(pieces[-1], Usage)
    assert all(isinstance(piece, str) for piece in pieces[:-1])
    await planner.close()


async def test_what_two_prompts_have_in_common_is_read_once(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    first, cold = await answer(planner, make_request("Text Sid", ["send_sms"]))
    again, warm = await answer(planner, make_request("Text Sid", ["send_sms"]))
    _, other = await answer(planner, make_request("Call me names", ["send_sms"]))
    assert cold.cached_tokens == 0
    assert warm.cached_tokens == warm.prompt_tokens - 1
    assert 0.5 * other.prompt_tokens < other.cached_tokens < other.prompt_tokens - 1
    assert again == first
    assert cold.plan_tokens == warm.plan_tokens > 5
    assert min(cold.prompt_ms, cold.plan_ms, warm.prompt_ms, warm.plan_ms) > 0
    await planner.close()


async def test_closing_the_iterator_stops_the_work_and_leaves_the_planner_usable(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=LONG, context=8192, max_tokens=7000)
    first = make_request("Text Sid", ["send_sms"])
    async with aclosing(planner.plan(first)) as pieces:
        assert isinstance(await anext(pieces), str)
    patient = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    _, usage = await answer(patient, first)
    assert planner.tokens_in_memory < usage.prompt_tokens + 500
    async with aclosing(planner.plan(make_request("Text Lutfi", ["send_sms"]))) as pieces:
        assert "1. " in "".join([str(await anext(pieces)) for _ in range(5)])
    await planner.close()
    await patient.close()


async def test_cancelling_while_waiting_for_a_turn_disturbs_nobody(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    running = asyncio.create_task(answer(planner, make_request("Text Sid", ["send_sms"])))
    waiting = asyncio.create_task(answer(planner, make_request("Text Lutfi", ["send_sms"])))
    await asyncio.sleep(0)
    waiting.cancel()
    text, _ = await running
    assert text.endswith("join()<END_OF_PLAN>")
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await planner.close()


async def test_two_plans_at_once_do_not_mix(gguf: Path) -> None:
    requests = [make_request(query, ["send_sms", "open_note"]) for query in ("Text Sid", "Read my note Keys")]
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    in_turn = [(await answer(planner, request))[0] for request in requests]
    await planner.close()
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    at_once = await asyncio.gather(*(answer(planner, request) for request in requests))
    assert [text for text, _ in at_once] == in_turn
    await planner.close()


async def test_closing_the_planner_ends_all_its_plans(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=LONG, context=8192, max_tokens=7000)
    plans = [asyncio.create_task(answer(planner, make_request(tools=["send_sms"]))) for _ in range(2)]
    await asyncio.sleep(0)
    await planner.close()
    for plan in plans:
        with pytest.raises(PlannerFailed, match="was closed"):
            await plan


async def test_a_closed_planner_says_so_and_may_be_closed_again(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    await answer(planner, make_request(tools=["send_sms"]))
    await asyncio.gather(planner.close(), planner.close())
    with pytest.raises(PlannerFailed, match="was closed"):
        await answer(planner, make_request(tools=["send_sms"]))


async def test_who_gives_up_waiting_does_not_wait_for_the_one_before(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=LONG, context=8192, max_tokens=7000)
    async with aclosing(planner.plan(make_request("Text Sid", ["send_sms"]))) as running:
        await anext(running)
        waiting = asyncio.create_task(answer(planner, make_request("Text Lutfi", ["send_sms"])))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert isinstance(await anext(running), str)
    await planner.close()


async def test_too_many_waiting_plans_are_refused(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192, max_waiting=1)
    outcomes = await asyncio.gather(
        *(answer(planner, make_request(tools=["send_sms"])) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 2
    await planner.close()


async def test_an_endless_plan_is_a_failure_with_advice(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", limits=LONG, context=8192, max_tokens=20)
    with pytest.raises(PlannerFailed, match="20 tokens") as failure:
        await answer(planner, make_request(tools=["send_sms"]))
    assert failure.value.hint
    await planner.close()


async def test_a_request_beyond_the_context_is_a_failure_with_advice(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, context=256)
    with pytest.raises(PlannerFailed, match="at most 256"):
        await answer(planner, make_request("long " * 500, ["send_sms"]))
    await planner.close()


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    planner = LlamaPlanner(tmp_path / "none.gguf")
    with pytest.raises(ModelUnavailable, match=r"none\.gguf does not exist"):
        await answer(planner, make_request())
    with pytest.raises(ModelUnavailable):
        _ = planner.can_replan
    await planner.close()


@pytest.mark.parametrize("keep", [0, 3, 20, 200, 5_000, 60_000])
async def test_a_damaged_file_is_named(gguf: Path, keep: int) -> None:
    gguf.write_bytes(gguf.read_bytes()[:keep])
    planner = LlamaPlanner(gguf)
    with pytest.raises(ModelUnavailable, match=r"tiny\.gguf") as failure:
        await answer(planner, make_request(tools=["send_sms"]))
    assert failure.value.hint
    await planner.close()


async def test_a_header_with_impossible_sizes_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    entry = struct.pack("<Q1sIIQ", 1, b"a", 9, 10, 2**63 - 1)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + entry)
    planner = LlamaPlanner(path)
    with pytest.raises(ModelUnavailable, match=r"odd\.gguf cannot be read"):
        await answer(planner, make_request())
    await planner.close()


async def test_closing_while_the_model_is_loaded_ends_the_loading(
    gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = asyncio.Event(), threading.Event()
    loop, load = asyncio.get_running_loop(), llama_worker.LlamaModel

    def slow(path: Path, **others: Any) -> LlamaModel:
        loop.call_soon_threadsafe(began.set)
        assert go_on.wait(20)
        return load(path, **others)

    monkeypatch.setattr(llama_worker, "LlamaModel", slow)
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192)
    running = asyncio.create_task(answer(planner, make_request(tools=["send_sms"])))
    await began.wait()
    closing = asyncio.create_task(planner.close())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    with pytest.raises(PlannerFailed, match="was closed"):
        await running


async def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are notes. " * 100, encoding="utf-8")
    planner = LlamaPlanner(path)
    with pytest.raises(ModelUnavailable, match=r"notes\.txt"):
        await answer(planner, make_request())
    await planner.close()


def test_only_models_that_read_instructions_can_mend_a_plan(gguf: Path) -> None:
    assert LlamaPlanner(gguf, profile="chat").can_replan
    assert not LlamaPlanner(gguf).can_replan
