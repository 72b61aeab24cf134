"""A training row is the serving planner's prompt with the right plan behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.tiny_base import write_base
from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.ports import PlanRequest
from tinyagent.tools.registry import BUILT_IN
from tinyagent.training.finetune.base import read_base
from tinyagent.training.finetune.examples import CorpusIndex, NoExamples, embed_requests
from tinyagent.training.finetune.prompting import RowMaker, steps_of
from tinyagent.training.finetune.tokens import read_tokens
from tinyagent.training.finetune.vocabulary import open_vocabulary
from tinyagent.training.rows import Request

NOW = datetime(2026, 3, 4, 9, 30)
TOOLS = tuple(tool.spec for tool in BUILT_IN)


def request_of(query: str, plan: str, identifier: str = "") -> Request:
    return Request(identifier or query, NOW, query, f"{plan}{END_OF_PLAN}", ())


TEXT_SID = request_of("text Sid", '1. get_phone_number("Sid")\n2. send_sms(["$1"], "Hi")\n3. join()')
TEXT_ANA = request_of("text Ana", '1. get_phone_number("Ana")\n2. send_sms(["$1"], "Yo")\n3. join()')
OPEN_TEA = request_of("open tea", '1. open_note("Tea", "")\n2. join()')
WEATHER = request_of("the weather", "1. join()")


def embed(texts: list[str]) -> np.ndarray:
    """Letters counted."""
    counts = np.array([[text.count(letter) for letter in "abcdefghinopstwxy"] for text in texts], np.float32)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RowMaker]:
    base = read_base(write_base(tmp_path_factory.mktemp("base")))
    tokens = read_tokens(base)
    vocabulary = open_vocabulary(base, tokens)
    yield RowMaker(vocabulary.model, vocabulary.profile, NoExamples(), TOOLS, tokens.end, 2000, 4, 3)
    vocabulary.model.close()


def text_of(model: LlamaModel, ids: list[int]) -> str:
    return b"".join(model.piece(index) for index in ids).decode()


def offered_in(prompt: str) -> set[str]:
    return {tool.name for tool in TOOLS if f" {tool.name}(" in prompt}


def test_a_prompt_is_the_serving_profiles_own(maker: RowMaker) -> None:
    names = ["get_phone_number", "send_sms", "open_note"]
    offered = tuple(tool for tool in TOOLS if tool.name in names)
    serving = maker.profile.prompt(PlanRequest(TEXT_SID.query, NOW, offered), maker.model)
    assert maker.prompt(TEXT_SID, names[::-1], []) == serving


def test_a_row_offers_the_needed_tools_and_some_needless_ones(maker: RowMaker) -> None:
    seen: set[int] = set()
    for epoch in range(30):
        row = maker.row(TEXT_SID, epoch)
        assert row is not None
        offered = offered_in(text_of(maker.model, row.prompt))
        assert {"get_phone_number", "send_sms"} <= offered
        seen.add(len(offered) - 2)
    assert seen == {0, 1, 2, 3, 4}


def test_a_request_that_needs_no_tool_is_offered_at_least_one(maker: RowMaker) -> None:
    for epoch in range(12):
        row = maker.row(WEATHER, epoch)
        assert row is not None
        assert offered_in(text_of(maker.model, row.prompt))


def test_a_plan_follows_its_prompt_without_a_space_and_ends(maker: RowMaker) -> None:
    row = maker.row(TEXT_SID, 0)
    assert row is not None
    assert text_of(maker.model, row.plan[:-1]) == TEXT_SID.plan
    assert maker.model.is_end(row.plan[-1])


def test_the_same_seed_and_epoch_give_the_same_row(maker: RowMaker) -> None:
    rows = [maker.row(TEXT_SID, epoch) for epoch in range(6)]
    assert rows == [maker.row(TEXT_SID, epoch) for epoch in range(6)]
    assert rows != [replace(maker, seed=1).row(TEXT_SID, epoch) for epoch in range(6)]


def test_examples_are_near_solvable_with_the_offer_and_never_the_request_itself(maker: RowMaker) -> None:
    train = [TEXT_SID, TEXT_ANA, OPEN_TEA, replace(TEXT_SID, identifier="twin"), WEATHER]
    index = CorpusIndex(train, embed([each.query for each in train]), embed)
    found = index.nearest(TEXT_SID.query, ["get_phone_number", "send_sms"], 3)
    assert [example.query for example in found] == ["text Ana", "the weather"]
    assert index.nearest("tex sid!", ["open_note"], 0) == ()
    row = replace(maker, index=index, negative_tools=0).row(TEXT_SID, 0)
    assert row is not None
    prompt = text_of(maker.model, row.prompt)
    assert TEXT_ANA.plan in prompt
    assert TEXT_SID.plan not in prompt


def test_a_row_that_is_too_long_loses_examples_then_needless_tools_and_is_left_out_last(
    maker: RowMaker,
) -> None:
    train = [TEXT_ANA, OPEN_TEA]
    index = CorpusIndex(train, embed([each.query for each in train]), embed)
    rich = replace(maker, index=index)
    epoch = next(each for each in range(99) if len(offered_in(text_of_row(rich, each))) > 3)
    whole = rich.row(TEXT_SID, epoch)
    bare = replace(maker, negative_tools=0).row(TEXT_SID, epoch)
    assert whole is not None
    assert bare is not None
    without_example = replace(rich, max_tokens=whole.length - 1).row(TEXT_SID, epoch)
    assert without_example == maker.row(TEXT_SID, epoch)
    assert replace(rich, max_tokens=bare.length).row(TEXT_SID, epoch) == bare
    assert replace(rich, max_tokens=bare.length - 1).row(TEXT_SID, epoch) is None


def text_of_row(maker: RowMaker, epoch: int) -> str:
    row = maker.row(TEXT_SID, epoch)
    assert row is not None
    return text_of(maker.model, row.prompt)


def test_an_epoch_holds_every_request_once_in_its_own_order() -> None:
    requests = [request_of(str(number), "1. join()") for number in range(10)]
    first, second = steps_of(requests, 0, 0, 4), steps_of(requests, 1, 0, 4)
    assert [len(step) for step in first] == [4, 4, 2]
    assert sorted(each.query for step in first for each in step) == sorted(str(n) for n in range(10))
    assert first != second
    assert first == steps_of(requests, 0, 0, 4)


def test_embeddings_are_kept_for_the_same_requests_only(tmp_path: Path) -> None:
    calls: list[int] = []

    def counted(texts: list[str]) -> np.ndarray:
        calls.append(len(texts))
        return embed(texts)

    store = tmp_path / "embeddings.npz"
    first = embed_requests([TEXT_SID, OPEN_TEA], counted, store)
    assert np.array_equal(embed_requests([TEXT_SID, OPEN_TEA], counted, store), first)
    embed_requests([TEXT_SID], counted, store)
    store.write_bytes(b"damaged")
    embed_requests([TEXT_SID], counted, store)
    assert calls == [2, 1, 1]
