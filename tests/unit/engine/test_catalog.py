"""The catalog: planners, models that chat, and models that do one of both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from tests.support.scripted import ScriptedPlanner, until
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.errors import InvalidRequest, ModelNotFound, ModelUnavailable
from tinyagent.ports import ChatEnd, ChatRequest, Usage


class Parrot:
    """Says the last message again."""

    name = "parrot"

    def __init__(self) -> None:
        self.closed = False

    async def chat(self, request: ChatRequest) -> AsyncIterator[str | ChatEnd]:
        yield request.messages[-1].content
        yield ChatEnd("stop", Usage())

    async def close(self) -> None:
        self.closed = True


def no_problem() -> str:
    return ""


@pytest.fixture
def catalog() -> PlannerCatalog:
    return PlannerCatalog(
        [
            PlannerEntry("plans", "", ScriptedPlanner, no_problem),
            PlannerEntry("both", "", ScriptedPlanner, no_problem, load_chat=Parrot),
            PlannerEntry("writer", "", None, no_problem, load_chat=Parrot),
        ],
        "plans",
    )


def test_it_says_who_plans_and_who_chats(catalog: PlannerCatalog) -> None:
    said = [(info.name, info.plans, info.chats, info.default) for info in catalog.infos()]
    assert said == [
        ("plans", True, False, True),
        ("both", True, True, False),
        ("writer", False, True, False),
    ]


async def test_a_model_that_only_chats_is_no_planner(catalog: PlannerCatalog) -> None:
    for asked in (lambda: catalog.get("writer"), lambda: asyncio.to_thread(catalog.resolve, "writer")):
        with pytest.raises(InvalidRequest, match="writer does not plan") as failure:
            await asked()
        assert failure.value.hint == "Planners: plans, both."
    assert isinstance(await catalog.chat("writer"), Parrot)


async def test_a_model_that_only_plans_does_not_chat(catalog: PlannerCatalog) -> None:
    with pytest.raises(InvalidRequest, match="plans only plans") as failure:
        await catalog.chat("plans")
    assert failure.value.hint == "Models that do: both, writer."


async def test_unknown_names_are_told_with_the_known_planners(catalog: PlannerCatalog) -> None:
    with pytest.raises(ModelNotFound, match="'nobody'") as failure:
        catalog.resolve("nobody")
    assert failure.value.hint == "Known planners: plans, both."
    for asked in (catalog.get, catalog.chat):
        with pytest.raises(ModelNotFound):
            await asked("nobody")


async def test_each_model_is_loaded_once_and_closed_at_the_end(catalog: PlannerCatalog) -> None:
    planners = await asyncio.gather(catalog.get("both"), catalog.get("both"))
    chats = await asyncio.gather(catalog.chat("both"), catalog.chat("both"))
    assert planners[0] is planners[1]
    assert chats[0] is chats[1]
    await catalog.close()
    closed = (planners[0], chats[0])
    assert isinstance(closed[0], ScriptedPlanner)
    assert isinstance(closed[1], Parrot)
    assert closed[0].closed
    assert closed[1].closed


async def test_a_model_whose_first_client_leaves_while_it_is_read_is_not_read_twice() -> None:
    may_end, loads = threading.Event(), list[Parrot]()

    def load() -> Parrot:
        loads.append(Parrot())
        may_end.wait(10)
        return loads[-1]

    catalog = PlannerCatalog([PlannerEntry("writer", "", None, no_problem, load_chat=load)], "writer")
    first = asyncio.create_task(catalog.chat("writer"))
    await until(lambda: bool(loads), "the model is being read")
    first.cancel()
    await asyncio.wait({first})
    second = asyncio.create_task(catalog.chat("writer"))
    closing = asyncio.create_task(catalog.close())
    may_end.set()
    assert await second is loads[0]
    await closing
    assert (len(loads), loads[0].closed) == (1, True)


async def test_a_model_that_could_not_be_read_is_tried_again() -> None:
    faults = [ModelUnavailable("Its file is being written.")]

    def load() -> Parrot:
        if faults:
            raise faults.pop()
        return Parrot()

    catalog = PlannerCatalog([PlannerEntry("writer", "", None, no_problem, load_chat=load)], "writer")
    with pytest.raises(ModelUnavailable):
        await catalog.chat("writer")
    assert isinstance(await catalog.chat("writer"), Parrot)
