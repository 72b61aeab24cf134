"""One job on the worker's side, with a server that answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.scripted import FakeHost
from tests.unit.workers.conftest import CONTEXT, SPECS
from tinyagent.errors import Conflict, ServerUnreachable
from tinyagent.workers import errand
from tinyagent.workers.errand import Errands
from tinyagent.workers.link import Link
from tinyagent.workers.wire import Job, Outcome, Surroundings, new_worker


class ScriptedLink(Link):
    """Answers heartbeats by their number, the first being 1, and takes no result."""

    def __init__(self, answer: Callable[[int], bool]) -> None:
        super().__init__("http://127.0.0.1:9", "token", new_worker("mac"))
        self._answer = answer
        self.beats: list[float] = []

    async def heartbeat(self, job: str, seconds: float = 10.0) -> bool:
        self.beats.append(seconds)
        return self._answer(len(self.beats))

    async def finish(self, job: str, outcome: Outcome) -> None:
        raise ServerUnreachable("A proxy finds the result too long.")


def job_of(tool: str, lease_s: float) -> Job:
    surroundings = Surroundings.of(CONTEXT, None)
    return Job(id="job", kind="call", tool=tool, arguments=["x"], context=surroundings, lease_s=lease_s)


async def test_a_result_that_nobody_waits_for_any_more_does_not_keep_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def given_up(beat: int) -> bool:
        if beat == 1:
            return False
        raise Conflict("The job has ended.")

    monkeypatch.setattr(errand, "LAST_WORDS_S", 0.05)
    host, said = FakeHost(), list[str]()
    for one in SPECS:
        host.add(one)
    link = ScriptedLink(given_up)
    errands = Errands(host, link, frozenset({"mail"}), said.append, asyncio.Event())
    await asyncio.wait_for(errands.run(job_of("mail", lease_s=0.3)), 10)
    assert said[-1] == "mail: its result could not be handed in."
    await link.close()
