"""`/v1/responses/{id}`: read, forget and cancel responses, and see what they were asked with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from tinyagent.api.request_ids import IdentifiedRoute
from tinyagent.api.responses_context import run_of
from tinyagent.api.responses_items import Item
from tinyagent.api.responses_runs import body_of_run, input_of_run
from tinyagent.api.serving import Caller, Serving, ServingHere
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunService
from tinyagent.errors import Conflict, NotFound

router = APIRouter(prefix="/v1/responses/{response}", route_class=IdentifiedRoute)

CANCELLED = "Cancelled by the user."


class DeletedResponse(BaseModel):
    """A response that was forgotten."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class ItemList(BaseModel):
    """A page of items; `last_id` is the `after` of the following one."""

    object: Literal["list"] = "list"
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


@router.get("")
async def get_response(response: str, serving: ServingHere, caller: Caller) -> dict[str, Any]:
    """The response as it stands: a run's from the journal, others as long as they are kept."""
    run = run_of(response)
    kept = serving.responses.find(response, caller)
    if run is not None:
        return body_of_run(await _state(serving.runs, run, response), kept)
    if kept is None:
        raise _unknown(response)
    return dict(kept.body)


@router.delete("")
async def delete_response(response: str, serving: ServingHere) -> DeletedResponse:
    """Forget a response that has ended, and the run behind it."""
    run = run_of(response)
    if run is not None:
        await _state(serving.runs, run, response)
        await serving.runs.delete(run)
    if not serving.responses.forget(response) and run is None:
        raise _unknown(response)
    return DeletedResponse(id=response)


@router.post("/cancel")
async def cancel_response(response: str, serving: ServingHere, caller: Caller) -> dict[str, Any]:
    """Stop the run behind a response; what writes is finished first."""
    run = run_of(response)
    kept = serving.responses.find(response, caller)
    if run is not None:
        await _state(serving.runs, run, response)
        return body_of_run(await serving.runs.cancel(run, CANCELLED), kept)
    if kept is None:
        raise _unknown(response)
    raise Conflict(f"Response {response} has ended; there is nothing to cancel.")


@router.get("/input_items")
async def list_input_items(
    response: str,
    serving: ServingHere,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> ItemList:
    """What a response was asked with, the last item first unless `order` is `asc`."""
    items = list(await _given(response, serving, caller))
    items = items if order == "asc" else items[::-1]
    ids = [item["id"] for item in items]
    if after is not None and after not in ids:
        raise NotFound(f"There is no item {after!r:.80} in this response.", param="after")
    start = 0 if after is None else ids.index(after) + 1
    page = items[start : start + limit]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return ItemList(data=page, first_id=first, last_id=last, has_more=len(items) > start + limit)


async def _given(response: str, serving: Serving, caller: str) -> tuple[Item, ...]:
    run = run_of(response)
    kept = serving.responses.find(response, caller)
    if run is not None:
        return input_of_run(await _state(serving.runs, run, response), kept)
    if kept is None:
        raise _unknown(response)
    return kept.given


async def _state(runs: RunService, run: str, response: str) -> RunState:
    try:
        return await runs.get(run)
    except NotFound:
        raise _unknown(response) from None


def _unknown(response: str) -> NotFound:
    return NotFound(
        f"There is no response {response!r:.80}.",
        hint="Those of function calling and of models are kept for an hour, each for its own token.",
    )
