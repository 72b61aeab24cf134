"""A queue of four small tools, and what workers say to it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.api.conftest import make_api, serve  # noqa: F401 - fixtures
from tests.support.scripted import NOW, spec
from tinyagent.ports import CallContext
from tinyagent.workers.queue import WorkerQueue
from tinyagent.workers.wire import Claim, Failure, Job, Offer, Outcome, Success, WorkerId, new_worker

CONTEXT = CallContext(NOW, key="k1", query="keep it", instructions="Be brief.", seconds=20)
SENDING = replace(CONTEXT, send=True)
SPECS = [
    spec("look", "str"),
    spec("keep", "str", "int", "bool", "list[str]", effect="write"),
    spec("mail", "str", effect="send"),
    spec("show", "str", effect="open"),
]
MAC, IMAC = new_worker("mac"), new_worker("imac")
EVERYTHING = {tool.name: Offer(enabled=True) for tool in SPECS}


@pytest.fixture
def queue() -> WorkerQueue:
    """Patient enough for a test on a busy machine."""
    return WorkerQueue(SPECS, wait_s=20, lease_s=20)


def claim_of(who: WorkerId = MAC, offers: dict[str, Offer] | None = None, wait_s: float = 5.0) -> Claim:
    tools = EVERYTHING if offers is None else offers
    return Claim(worker=who.worker, instance=who.instance, tools=tools, wait_s=wait_s)


async def take(queue: WorkerQueue, who: WorkerId = MAC, offers: dict[str, Offer] | None = None) -> Job:
    job = await queue.claim(claim_of(who, offers), lambda: True)
    assert job is not None
    return job


async def nothing(queue: WorkerQueue, who: WorkerId = MAC, offers: dict[str, Offer] | None = None) -> bool:
    """Whether there is no job for this worker now."""
    return await queue.claim(claim_of(who, offers, wait_s=0), lambda: True) is None


def done(value: str = "done", who: WorkerId = MAC, **more: object) -> Outcome:
    ok = Success.model_validate({"value": value, "message": "It is done.", **more})
    return Outcome(worker=who.worker, instance=who.instance, ok=ok)


def failed(code: str, who: WorkerId = MAC, **more: object) -> Outcome:
    error = Failure.model_validate({"code": code, "message": "It failed.", **more})
    return Outcome(worker=who.worker, instance=who.instance, error=error)


def calling(queue: WorkerQueue, tool: str = "mail", *arguments: object) -> asyncio.Task[object]:
    """A call under way."""
    return asyncio.create_task(queue.call(tool, arguments or ("hello",), SENDING))
