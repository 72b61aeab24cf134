"""Tools that the classifier never learnt: which of them are offered, and that they push nothing out."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from tests.support.added_tools import BUILT_IN_REQUESTS, CHATTER, WANTED, added_tools
from tinyagent.bootstrap import load_nano
from tinyagent.domain.json_tools import tool_from_schema
from tinyagent.domain.tools import ToolSpec
from tinyagent.toolrag.descriptions import REMEMBERED, Descriptions, Vectors
from tinyagent.toolrag.selector import NEAR, ClassifierSelector
from tinyagent.tools.registry import BUILT_IN

SPECS = [tool.spec for tool in BUILT_IN]
ADDED = added_tools()
NAMES = {tool.name for tool in ADDED}


@pytest.fixture(scope="module")
def selector() -> ClassifierSelector:
    model = load_nano()
    return ClassifierSelector(model, descriptions=Descriptions(model.embed))


async def test_most_requests_are_offered_the_tool_that_they_need(selector: ClassifierSelector) -> None:
    offered = [(await selector.select(query, [*SPECS, *ADDED])).tools for query, _ in WANTED]
    found = [needed in tools for (_, needed), tools in zip(WANTED, offered, strict=True)]
    assert sum(found) >= 37
    assert all(offered), "no request is taken to be out of scope"
    assert all(len(NAMES & set(tools)) <= NEAR for tools in offered)


async def test_requests_for_built_in_tools_keep_them_and_get_few_others(selector: ClassifierSelector) -> None:
    alone = ClassifierSelector(load_nano())
    others = 0
    for query in BUILT_IN_REQUESTS:
        tools = (await selector.select(query, [*SPECS, *ADDED])).tools
        assert [name for name in tools if name not in NAMES] == list((await alone.select(query, SPECS)).tools)
        others += len(NAMES & set(tools))
    assert others / len(BUILT_IN_REQUESTS) < 1.5


async def test_no_chatter_is_taken_for_a_request_that_only_a_missing_tool_serves(
    selector: ClassifierSelector,
) -> None:
    for query in [*CHATTER, *BUILT_IN_REQUESTS]:
        scores = (await selector.select(query, [*SPECS, *ADDED])).scores
        known = max(score for name, score in scores.items() if name not in NAMES)
        assert max(scores[name] for name in NAMES) < max(0.5, known)


async def test_every_tool_has_a_score_and_the_best_come_first(selector: ClassifierSelector) -> None:
    selection = await selector.select("Turn off the lights in the kitchen", [*SPECS, *ADDED])
    assert set(selection.scores) == NAMES | {spec.name for spec in SPECS}
    assert selection.tools[0] == "home_set_light"
    assert all(0 <= score <= 1 for score in selection.scores.values())


async def test_odd_descriptions_are_no_error(selector: ClassifierSelector) -> None:
    odd = [
        tool_from_schema(f"t{n}", text, None) for n, text in enumerate(["", "\ud800", "🦊" * 9000, "\x00"])
    ]
    assert set((await selector.select("light", [*SPECS, *odd])).scores) >= {"t0", "t1", "t2", "t3"}
    assert (await selector.select("light", odd[:1])).scores.keys() == {"t0"}


async def test_a_description_is_read_once() -> None:
    model, read = load_nano(), []

    def embed(texts: list[str]):
        read.extend(texts)
        return model.embed(texts)

    selector = ClassifierSelector(model, descriptions=Descriptions(embed))
    await selector.select("light", [*SPECS, *ADDED])
    first = len(read)
    await selector.select("music", [*SPECS, *ADDED])
    assert read[first:] == ["music"]


async def test_what_one_request_forgets_is_there_for_another_that_goes_on() -> None:
    """A request over few tools ends while one over many is read: it forgets what the other needs."""
    few, many = ADDED[:2], [described(f"tool_{number}") for number in range(REMEMBERED + 10)]
    between: list[str] = []

    def embed(texts: list[str]) -> Vectors:
        if "second" in texts and not between:
            between.append("once")
            thread = threading.Thread(target=lambda: asyncio.run(score_few()))
            thread.start()
            thread.join()
        return np.full((len(texts), 4), 0.5, dtype=np.float32)

    async def score_few() -> None:
        await descriptions.scores("other", few, ["send_sms"])

    descriptions = Descriptions(embed)
    await descriptions.scores("first", many, ["send_sms"])
    scores = await descriptions.scores("second", many, ["send_sms"])
    assert set(scores) == {tool.name for tool in many}
    assert between


def described(name: str) -> ToolSpec:
    return tool_from_schema(name, f"Does {name}.", None)
