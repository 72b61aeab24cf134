"""Several sequences in one context: what alternates is read once, and results are the same as alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.errors import PlannerFailed
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.llama_chat import LlamaChat
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_worker import LlamaWorker
from tinyagent.ports import ChatEnd, ChatRequest, ChatTurn, Usage

PLAN, CHAT, TEXT = list(range(5, 305)), list(range(400, 100, -1)), [7, 9] * 120


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def model(gguf: Path) -> Iterator[LlamaModel]:
    model = LlamaModel(gguf, context=1024)
    yield model
    model.close()


def never() -> bool:
    return False


def scores(model: LlamaModel, prompt: list[int]) -> npt.NDArray[np.float32]:
    model.read(prompt, never)
    return model.logits().copy()


def test_prompts_that_alternate_are_each_read_once(model: LlamaModel) -> None:
    prompts = (PLAN, CHAT, TEXT)
    assert [model.read(prompt, never) for prompt in prompts] == [0, 0, 0]
    for _ in range(3):
        assert [model.read(prompt, never) for prompt in prompts] == [len(prompt) - 1 for prompt in prompts]


def test_what_is_read_beside_others_is_scored_as_if_alone(gguf: Path, model: LlamaModel) -> None:
    for prompt in (PLAN, CHAT, TEXT, PLAN, CHAT):
        alone = LlamaModel(gguf, context=1024)
        assert np.array_equal(scores(model, prompt), scores(alone, prompt))
        alone.close()


def test_a_shared_beginning_is_scored_as_one_that_was_read_for_the_prompt(
    gguf: Path, model: LlamaModel
) -> None:
    alone = LlamaModel(gguf, context=1024)
    alone.read([*PLAN[:200], 3], never)
    model.read(PLAN, never)
    prompt = PLAN[:200] + CHAT
    assert np.array_equal(scores(model, prompt), scores(alone, prompt))
    alone.close()


def test_a_beginning_is_shared_and_the_rest_of_the_other_prompt_stays(model: LlamaModel) -> None:
    other = PLAN[:100] + CHAT[:150]
    assert [model.read(prompt, never) for prompt in (PLAN, other, PLAN, other)] == [0, 100, 299, 249]


def test_a_fourth_prompt_takes_the_place_of_the_longest_unused(model: LlamaModel) -> None:
    fourth = [11, 13, 17] * 60
    for prompt in (PLAN, CHAT, TEXT, PLAN, fourth):
        model.read(prompt, never)
    assert [model.read(prompt, never) for prompt in (PLAN, TEXT, fourth)] == [299, 239, 179]
    assert model.read(CHAT, never) == 0


def test_other_sequences_make_room_for_one_that_needs_the_whole_context(model: LlamaModel) -> None:
    long = [6 + number % 400 for number in range(0, 7000, 7)]
    assert [model.read(prompt, never) for prompt in (PLAN, CHAT, long)] == [0, 0, 0]
    for token in range(5, 5 + 1024 - len(long)):
        model.extend([token])
    assert model.tokens_in_memory == 1024
    assert model.read(PLAN, never) == 0


def test_beyond_the_context_nothing_is_read_and_the_model_stays_usable(model: LlamaModel) -> None:
    with pytest.raises(PlannerFailed, match="stopped with code"):
        model.read([5 + number % 400 for number in range(1100)], never)
    assert model.read(CHAT, never) == 0
    assert model.read(CHAT, never) == 299


def test_a_prompt_that_is_given_up_is_gone_on_with_later(model: LlamaModel) -> None:
    looks = iter([False, False, True])
    assert model.read(PLAN, lambda: next(looks)) is None
    assert model.read(CHAT, never) == 0
    assert model.read(PLAN, never) == 256


def test_a_forgotten_model_begins_anew(model: LlamaModel) -> None:
    first = scores(model, CHAT)
    scores(model, PLAN)
    model.forget()
    assert np.array_equal(scores(model, CHAT), first)
    assert model.read(PLAN, never) == 0


def test_loading_can_be_given_up(gguf: Path) -> None:
    with pytest.raises(PlannerFailed, match="given up"):
        LlamaModel(gguf, cancelled=lambda: True)


async def test_planner_and_chat_of_one_file_both_stay_warm(gguf: Path) -> None:
    worker = LlamaWorker(gguf, context=8192)
    chat = LlamaChat(worker, profile="chat")
    planner = LlamaPlanner(worker, profile="chat", limits=Limits(calls=2, characters=8))
    hello = ChatRequest((ChatTurn("user", "Hello there " * 20),), max_tokens=8, temperature=0)
    shares: list[float] = []
    for query in ("Text Sid", "Text Lutfi", "Text Ines"):
        planned = [piece async for piece in planner.plan(make_request(query, ["send_sms"]))]
        said = [piece async for piece in chat.chat(hello)]
        assert isinstance(planned[-1], Usage)
        assert isinstance(said[-1], ChatEnd)
        shares += [use.cached_tokens / use.prompt_tokens for use in (planned[-1], said[-1].usage)]
    assert max(shares[:2]) < 0.1
    assert min(shares[2:]) > 0.8
    await worker.close()
