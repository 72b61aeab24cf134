"""Runs of the agent as responses: at their end, and read again from the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyagent.api.cutting import Answer
from tinyagent.api.failures import error_of
from tinyagent.api.models import AGENT
from tinyagent.api.responses_answer import Event, Growing
from tinyagent.api.responses_context import response_of
from tinyagent.api.responses_items import Item, message_item
from tinyagent.api.responses_request import ResponseRequest, head_of
from tinyagent.api.responses_store import Kept
from tinyagent.api.schemas import RunBody
from tinyagent.api.usage_body import tokens_of
from tinyagent.domain.run import RunState
from tinyagent.engine.completion import Ending, Reasoning, Text, usage_of


def end_of_run(
    growing: Growing, ending: Ending, state: RunState, answer: Answer, composed: bool
) -> list[Event]:
    """The last events of the response of a run that has ended. `composed`: the text is no model's."""
    run = RunBody.of(state).model_dump(mode="json")
    if state.fault is not None:
        status = "cancelled" if state.status == "cancelled" else "failed"
        return growing.fail(error_of(state.fault), status, tinyagent=run)
    tokens = tokens_of(ending.usage, answer.tokens, reasoned=bool(state.plan), composed=composed)
    ended_at = (state.ended or state.created).timestamp()
    return growing.end(ending, tokens, ended_at, tinyagent=run)


def body_of_run(state: RunState, kept: Kept | None) -> dict[str, Any]:
    """The response of a run as it stands. Without `kept`, what its request said beyond the run is lost."""
    if kept is not None and kept.body["status"] != "in_progress":
        return {**kept.body, "tinyagent": RunBody.of(state).model_dump(mode="json")}
    head = kept.body if kept is not None else _head(state)
    growing = Growing(head, state.run)
    answer = Answer((), head["max_output_tokens"])
    if state.plan:
        growing.take(Reasoning(state.plan))
    text = answer.feed(state.answer) + answer.close()
    if text:
        growing.take(Text(text))
    if state.status != "running":
        ending = Ending("length" if answer.cut_short else "stop", usage_of(state), state)
        end_of_run(growing, ending, state, answer, composed=True)
    return growing.body()


def input_of_run(state: RunState, kept: Kept | None) -> tuple[Item, ...]:
    """The items that the run was asked with, as far as they are known."""
    return kept.given if kept is not None else (message_item("user", state.query, f"msg_{state.run}_i0"),)


def _head(state: RunState) -> Mapping[str, Any]:
    previous = response_of(state.follows) if state.follows else None
    body = ResponseRequest.model_validate(
        {"model": f"{AGENT}:{state.planner}", "input": state.query, "previous_response_id": previous}
    )
    return head_of(body, response_of(state.run), state.created.timestamp())
