"""A model words the answer only where there is something to tell, and never hides what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tests.unit.engine.conftest import MakeEngine
from tinyagent.engine.policy import Policy
from tinyagent.errors import NoMatch, OutcomeUnknown
from tinyagent.ports import ToolResult, WritingTask, Written


class Telling:
    """A writer that words every answer alike."""

    def __init__(self, text: str = "In other words.") -> None:
        self.text = text
        self.tasks: list[WritingTask] = []

    async def write(self, task: WritingTask) -> Written:
        self.tasks.append(task)
        return Written(self.text, "model")

    async def close(self) -> None:
        pass


async def reading(arguments: Sequence[Any]) -> ToolResult:
    return ToolResult("milk and figs", "Opened the note.", link="https://maps.example/x", untrusted=True)


async def failing(arguments: Sequence[Any]) -> ToolResult:
    raise NoMatch("There is no such note.")


@pytest.mark.parametrize(
    ("behaviour", "line"), [(reading, "https://maps.example/x"), (failing, "There is no such note.")]
)
async def test_what_was_read_or_failed_is_told_by_the_writer_with_links_and_failures_kept(
    make_engine: MakeEngine, behaviour: Any, line: str
) -> None:
    writer = Telling()
    host = FakeHost().add(spec("get", "str"), behaviour)
    engine = make_engine(ScriptedPlanner('1. get("a")\n2. join()<END_OF_PLAN>'), host, writer=writer)
    state, _ = await engine.run("what does it say?")
    assert state.answer == "In other words."
    (task,) = writer.tasks
    assert (task.role, task.query, task.facts) == ("answer", "what does it say?", {"verbatim": line})


async def test_a_plain_success_needs_no_model(make_engine: MakeEngine) -> None:
    writer = Telling()
    host = FakeHost().add(spec("put", "str", effect="write"))
    engine = make_engine(ScriptedPlanner('1. put("a")\n2. join()<END_OF_PLAN>'), host, writer=writer)
    state, _ = await engine.run()
    assert (state.answer, writer.tasks) == ("put is done.", [])


async def test_a_writer_without_words_leaves_the_composed_answer(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("get", "str"), reading)
    plan = '1. get("a")\n2. join()<END_OF_PLAN>'
    state, _ = await make_engine(ScriptedPlanner(plan), host, writer=Telling("")).run()
    assert "milk and figs" in state.answer


async def test_whoever_words_the_answer_says_what_was_only_drafted_and_what_may_have_been_done(
    make_engine: MakeEngine,
) -> None:
    drafted = "Email to Ann saved as a draft (not sent)."

    async def draft(arguments: Sequence[Any]) -> ToolResult:
        return ToolResult("Draft saved: 1", drafted)

    async def silent(arguments: Sequence[Any]) -> ToolResult:
        raise OutcomeUnknown("The application stopped answering.")

    writer = Telling()
    host = FakeHost().add(spec("get", "str"), reading).add(spec("mail", "str", effect="send"), draft)
    host.add(spec("put", "str", effect="write"), silent)
    plan = '1. get("a")\n2. mail("b")\n3. put("c")\n4. join()<END_OF_PLAN>'
    await make_engine(ScriptedPlanner(plan), host, writer=writer, policy=Policy()).run()
    due = writer.tasks[0].facts["verbatim"].splitlines()
    assert drafted in due
    assert "Whether it took effect is unknown: please look before you try again." in due
