"""Which calls of a plan the client can make now: those whose results are all there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tinyagent.domain.json_tools import typed_arguments
from tinyagent.domain.plan import Call, substitute
from tinyagent.engine.calling import ClientTool
from tinyagent.engine.completion import ToolCall
from tinyagent.engine.exchange import Done
from tinyagent.errors import ArgumentError, PlanError, PlanReferenceError


class Wave:
    """Takes the calls of a plan in their order and gives those that are ready.

    `done` are earlier calls by their numbers, with their results; `ids` are the ids of those to come. With
    `once`, a call that repeats one of these word for word takes its result and is not made again.
    """

    def __init__(
        self, tools: Sequence[ClientTool], done: Mapping[int, Done], ids: Mapping[int, str], *, once: bool
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
        arguments = typed_arguments(tool.spec, call, substitute(call, self._results))
        tool.spec.check(arguments)
        values = tool.spec.values(arguments)
        earlier = self._made.get(_print(tool.name, values))
        if earlier is not None and not earlier.failed:
            self._results[call.index] = earlier.result
            return None
        return ToolCall(self._ids[call.index], tool.name, json.dumps(values, ensure_ascii=False))


def _print(name: str, arguments: Mapping[str, Any]) -> str:
    return name + json.dumps(dict(arguments), sort_keys=True)
