"""Which calls of a plan the client can make now: those whose results are all there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tinyagent.domain.json_schema import problem_with
from tinyagent.domain.json_tools import typed_arguments
from tinyagent.domain.plan import Call, substitute
from tinyagent.engine.calling import ClientTool
from tinyagent.engine.completion import ToolCall
from tinyagent.engine.exchange import Done
from tinyagent.errors import ArgumentError, PlanError, PlanReferenceError


class Wave:
    """Takes the calls of a plan in their order and gives those that are ready.

    `done` are earlier calls by their numbers, with their results; `ids` are the ids of all. With `once`, a
    call that repeats one of these word for word takes its id and its result, and is not made again.
    """

    def __init__(
        self, tools: Sequence[ClientTool], done: Mapping[int, Done], ids: dict[int, str], *, once: bool
    ) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._results: dict[int, str] = {}
        self._lost: set[int] = set()
        self._known: set[int] = set()
        self._ids = ids
        for index, one in done.items():
            self.settle(index, one)
        self._made = {_print(one.call.name, one.call.arguments): one for one in done.values()} if once else {}
        self.complaints: list[str] = []
        """Why calls cannot be made, in sentences."""
        self.repeats: list[ToolCall] = []
        """The calls that were not made again, with ids of their own."""

    def add(self, call: Call) -> ToolCall | None:
        """The call for the client when it is ready. Its arguments are in their places (`ToolSpec.bind`)."""
        try:
            return self._ready(call)
        except PlanError as error:
            return self.lose(call.index, error)
        finally:
            self._known.add(call.index)

    def settle(self, index: int, done: Done) -> None:
        """A call of this plan was made already."""
        self._known.add(index)
        if done.failed:
            self._lost.add(index)
        else:
            self._results[index] = done.result

    def lose(self, index: int, error: PlanError) -> None:
        """A call of this plan can never be made, and none that needs it."""
        self._known.add(index)
        self._lost.add(index)
        self.complaints.append(str(error))

    def arguments(self, tool: ClientTool, call: Call) -> dict[str, Any]:
        """A call's arguments by the client's names for them, results in their places. Raises PlanError."""
        arguments = typed_arguments(tool.spec, call, substitute(call, self._results))
        tool.spec.check(arguments)
        return tool.spec.values(arguments)

    def _ready(self, call: Call) -> ToolCall | None:
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ArgumentError(f"{call.tool} was not offered.")
        tool.spec.check(call.arguments)
        if missing := call.references - self._known:
            raise PlanReferenceError(f"{tool.name} needs ${min(missing)}, and there is no such call.")
        if lost := call.references & self._lost:
            raise PlanReferenceError(f"{tool.name} needs the result of call {min(lost)}, which failed.")
        if not call.references <= self._results.keys():
            return None
        values = self.arguments(tool, call)
        asked = ToolCall(self._ids[call.index], tool.name, _written(tool, values))
        earlier = self._made.get(_print(tool.name, values))
        if earlier is None or earlier.failed:
            return asked
        self.repeats.append(asked)
        self._ids[call.index] = earlier.call.id
        self.settle(call.index, earlier)
        return None


def _written(tool: ClientTool, values: Mapping[str, Any]) -> str:
    """The arguments as JSON. Raises ArgumentError for what is none, or does not fit the schema as a whole."""
    problem = problem_with(values, tool.spec.json_schema())
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    except ValueError:
        problem, text = "a number in it is beyond all that JSON can say", ""
    if problem:
        raise ArgumentError(f"{tool.name} cannot be called so: {problem}.")
    return text


def _print(name: str, arguments: Mapping[str, Any]) -> str:
    return name + json.dumps(dict(arguments), sort_keys=True)
