"""What a request goes on from: an earlier response, and items that it refers to by their ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.api.modes import Mode
from tinyagent.api.responses_items import Item, message_item, read_items
from tinyagent.api.responses_question import Question
from tinyagent.api.responses_request import ResponseRequest
from tinyagent.api.responses_store import ResponseStore
from tinyagent.engine.runs import RunService
from tinyagent.errors import InvalidRequest, NotFound

_RUN = re.compile(r"resp_(run_[0-9a-f]+)")
_RUN_ITEM = re.compile(r"(msg|rs)_(run_[0-9a-f]+)_\d+")


def response_of(run: str) -> str:
    """The id of an agent's response."""
    return f"resp_{run}"


def run_of(response: str) -> str | None:
    """The run of an agent's response; None for other responses."""
    found = _RUN.fullmatch(response)
    return found[1] if found else None


@dataclass(frozen=True)
class Context:
    """Where a caller's earlier responses are found."""

    runs: RunService
    store: ResponseStore
    caller: str

    async def question(self, body: ResponseRequest, mode: Mode, key: str) -> Question:
        """The request with what it goes on from. Raises InvalidRequest or NotFound."""
        placed = await self._resolved(read_items(body.input, key))
        given, places = tuple(placed.values()), tuple(placed)
        previous = body.previous_response_id
        if previous is None:
            return Question(body, mode, given, places)
        run = run_of(previous)
        if (run is not None) != (mode.name == "agent"):
            other = "is one of the agent's, and this request is not" if run else "is none of the agent's"
            raise InvalidRequest(
                f"The response that `previous_response_id` names {other}.",
                hint="Ask the same way again, or send the earlier messages as items of `input`.",
                param="previous_response_id",
            )
        if run is not None:
            await self._check_run(run)
            return Question(body, mode, given, places, follows=run)
        return Question(body, mode, given, places, self._earlier(previous))

    async def _check_run(self, run: str) -> None:
        try:
            await self.runs.get(run)
        except NotFound:
            raise _no_previous() from None

    def _earlier(self, previous: str) -> tuple[Item, ...]:
        kept = self.store.find(previous, self.caller)
        if kept is None:
            raise _no_previous()
        return kept.conversation

    async def _resolved(self, items: Sequence[Item]) -> dict[str, Item]:
        """The items by their places, with what references stand for, without the plans among that."""
        resolved: dict[str, Item] = {}
        for number, item in enumerate(items):
            found = await self._referred(item["id"]) if item["type"] == "item_reference" else item
            if found["type"] != "reasoning":
                resolved[f"input[{number}]"] = found
        return resolved

    async def _referred(self, item: str) -> Item:
        of_run = _RUN_ITEM.fullmatch(item)
        if of_run is not None and of_run[1] == "rs":
            return {"type": "reasoning"}
        found = self.store.item(item, self.caller) if of_run is None else None
        if of_run is not None:
            try:
                found = message_item("assistant", (await self.runs.get(of_run[2])).answer, item)
            except NotFound:
                found = None
        if found is None:
            raise NotFound(
                f"There is no item {item!r:.80}.",
                hint="Responses are kept for an hour; send the item itself.",
                param="input",
            )
        return found


def _no_previous() -> NotFound:
    return NotFound(
        "There is no response with the id `previous_response_id`.",
        hint="Those of function calling and of models are kept for an hour; send the messages themselves.",
        param="previous_response_id",
    )
