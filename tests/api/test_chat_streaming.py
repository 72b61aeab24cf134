"""Chat completions as a stream: what goes over the wire, and how real clients read it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import openai
import pytest

from tests.api.conftest import ADMIN, PLAN, Api, MakeApi, Serve, Served, two_tools
from tests.support.scripted import ScriptedPlanner
from tinyagent.domain.events import EVENT
from tinyagent.errors import JournalError, PlannerFailed
from tinyagent.journal.memory import MemoryJournal
from tinyagent.ports import Usage

MESSAGES: Any = [{"role": "user", "content": "say hello to Sid"}]


async def stream(client: httpx.AsyncClient, **parameters: Any) -> str:
    body = {"model": "tinyagent", "messages": MESSAGES, "stream": True, **parameters}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return answer.text


def chunks_of(text: str) -> list[dict[str, Any]]:
    """Every frame but the last, which must be [DONE]."""
    frames = text.removesuffix("\n\n").split("\n\n")
    assert frames[-1] == "data: [DONE]"
    return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-1]]


async def test_every_line_is_data_and_every_frame_a_complete_chunk(api: Api) -> None:
    text = await stream(api.client)
    lines = [line for line in text.split("\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    chunks = chunks_of(text)
    run = chunks[1]["tinyagent"]["run"]
    for chunk in chunks:
        assert chunk["id"] == f"chatcmpl-{run}"
        assert (chunk["object"], chunk["model"]) == ("chat.completion.chunk", "tinyagent")
        (choice,) = chunk["choices"]
        assert choice["index"] == 0
        assert choice["delta"].keys() <= {"role", "content", "reasoning_content"}
        assert "error" not in chunk
    assert len({chunk["created"] for chunk in chunks}) == 1


async def test_role_comes_first_then_plan_then_answer_then_the_reason_it_ends(api: Api) -> None:
    chunks = chunks_of(await stream(api.client))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == PLAN
    (state,) = await api.engine.runs(1)
    assert "".join(delta.get("content", "") for delta in deltas) == state.answer != ""
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]


async def test_every_event_of_the_run_is_beside_an_empty_delta(api: Api) -> None:
    chunks = chunks_of(await stream(api.client))
    carried = [chunk for chunk in chunks if "tinyagent" in chunk]
    assert all(c["choices"] == [{"index": 0, "delta": {}, "finish_reason": None}] for c in carried)
    (state,) = await api.engine.runs(1)
    recorded = [EVENT.dump_python(e, mode="json") async for e in api.engine.events(state.run)]
    assert [chunk["tinyagent"] for chunk in carried] == recorded


async def test_usage_is_the_last_chunk_and_null_before_when_it_was_asked_for(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PLAN, Usage(100, 40, 90)]))
    chunks = chunks_of(await stream(api.client, stream_options={"include_usage": True}))
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens"] == 100
    assert chunks[-1]["usage"]["prompt_tokens_details"] == {"cached_tokens": 90}
    assert all("usage" not in chunk for chunk in chunks_of(await stream(api.client)))


async def test_stop_and_max_tokens_cut_the_streamed_answer_but_not_the_run(make_api: MakeApi) -> None:
    whole = make_api()
    deltas = chunks_of(await stream(whole.client, max_tokens=2))
    content = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in deltas)
    (state,) = await whole.engine.runs(1)
    assert state.answer.startswith(content)
    assert 0 < len(content) <= 9
    assert deltas[-1]["choices"][0]["finish_reason"] == "length"
    assert state.status == "completed"
    word = state.answer.split()[1]
    deltas = chunks_of(await stream(whole.client, stop=word))
    content = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in deltas)
    assert content == state.answer[: state.answer.index(word)]
    assert deltas[-1]["choices"][0]["finish_reason"] == "stop"


async def test_a_failure_in_the_middle_is_a_chunk_with_the_error_and_then_the_end(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner(['1. look("Sid")\n', PlannerFailed("The model stopped.")]))
    chunks = chunks_of(await stream(api.client))
    assert chunks[-1]["error"]["code"] == "planner_failed"
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "error"}]
    assert chunks[-2]["tinyagent"]["type"] == "run.failed"


class BreakingJournal(MemoryJournal):
    """Fails when the plan is complete."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self._failure = failure

    async def append(self, events: Any) -> Any:
        if events[0].type == "plan.completed":
            raise self._failure
        return await super().append(events)


async def test_a_journal_that_breaks_ends_the_stream_with_its_error(make_api: MakeApi) -> None:
    api = make_api(journal=BreakingJournal(JournalError("The disk is gone.")))
    chunks = chunks_of(await stream(api.client))
    assert chunks[-1]["error"]["code"] == "journal"
    assert chunks[-1]["error"]["message"].startswith("The disk is gone.")


class ForgettingJournal(MemoryJournal):
    """Fails in a way that nobody foresaw, with private text, when it is read for the second time."""

    reads = 0

    async def read(self, run: str, after: int = 0) -> Any:
        self.reads += 1
        if self.reads > 1:
            raise KeyError("secret words")
        return await super().read(run, after)


async def test_an_unforeseen_failure_is_told_without_its_words_and_logged_by_its_place(
    make_api: MakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api(journal=ForgettingJournal())
    text = await stream(api.client)
    assert chunks_of(text)[-1]["error"]["code"] == "internal"
    assert "secret" not in text
    (record,) = [record for record in caplog.records if record.name == "tinyagent.api"]
    assert "KeyError" in record.getMessage()
    assert "run_" in record.getMessage()
    assert "secret" not in record.getMessage()
    assert record.exc_info is None


async def test_silence_is_filled_with_a_comment_of_one_line(serve: Serve) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]), keepalive_s=0.02)
    text = ""
    async with (
        served.api_client() as client,
        client.stream(
            "POST",
            "/v1/chat/completions",
            json={"model": "tinyagent", "messages": MESSAGES, "stream": True},
        ) as answer,
    ):
        async for piece in answer.aiter_text():
            text += piece
            if text.count(": ping\n") >= 2:
                gate.set()
    assert ": ping\n\n" not in text
    assert "run.completed" in "".join(json.dumps(c) for c in chunks_of(text.replace(": ping\n", "")))


# --- the OpenAI package ----------------------------------------------------------------------


def openai_client(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=ADMIN, timeout=20)


async def test_the_openai_package_reads_the_stream(serve: Serve) -> None:
    gate = asyncio.Event()
    script = ['1. look("Sid")\n', gate.wait(), '2. keep("$1", "hello")\n3. join()', Usage(100, 40, 90)]
    served = await serve(ScriptedPlanner(script), two_tools(), keepalive_s=0.02)
    reasoning, content, events = "", "", []
    async with openai_client(served) as client:
        chunks = await client.chat.completions.create(
            model="tinyagent", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        last = None
        async for chunk in chunks:
            last = chunk
            events += (
                [chunk.model_extra["tinyagent"]["type"]] if "tinyagent" in (chunk.model_extra or {}) else []
            )
            if "task.started" in events:
                gate.set()
            for choice in chunk.choices:
                reasoning += getattr(choice.delta, "reasoning_content", None) or ""
                content += choice.delta.content or ""
    assert reasoning.startswith('1. look("Sid")')
    assert content
    assert last is not None and last.usage is not None and last.usage.prompt_tokens == 100
    assert events[0] == "run.created"
    assert events[-1] == "run.completed"


async def test_the_openai_packages_accumulating_stream_helper_ends_with_the_whole_answer(
    serve: Serve,
) -> None:
    served = await serve()
    async with (
        openai_client(served) as client,
        client.chat.completions.stream(model="tinyagent", messages=MESSAGES) as events,
    ):
        async for _ in events:
            pass
        completion = await events.get_final_completion()
    (state,) = await served.api.engine.runs(1)
    assert completion.choices[0].message.content == state.answer
    assert completion.choices[0].finish_reason == "stop"


async def test_the_openai_package_reads_an_answer_in_one_piece_and_the_models(serve: Serve) -> None:
    served = await serve()
    async with openai_client(served) as client:
        completion = await client.chat.completions.create(model="tinyagent", messages=MESSAGES)
        models = [model.id async for model in client.models.list()]
    assert completion.choices[0].finish_reason == "stop"
    assert completion.choices[0].message.content
    assert completion.model_extra is not None and completion.model_extra["tinyagent"]["status"] == "completed"
    assert "tinyagent:scripted" in models


async def test_the_openai_package_raises_the_error_of_a_failing_stream(serve: Serve) -> None:
    served = await serve(ScriptedPlanner([PlannerFailed("The model stopped.")]))
    async with openai_client(served) as client:
        chunks = await client.chat.completions.create(model="tinyagent", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError, match="The model stopped"):
            async for _ in chunks:
                pass


async def test_the_openai_package_does_not_repeat_a_failed_run(serve: Serve) -> None:
    served = await serve(ScriptedPlanner(['1. keep("a", "b")\n', PlannerFailed("The model stopped.")]))
    async with openai_client(served) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="tinyagent", messages=MESSAGES)
    assert len(served.api.planner.requests) == 1
    assert len(served.api.host.calls) == 1
