"""`/v1/runs`: start, list, read, follow, cancel and forget runs."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from tinyagent.api.failures import error_body, internal_error
from tinyagent.api.schemas import RunBody, RunList
from tinyagent.api.serving import Caller, ServingHere
from tinyagent.api.sse import EventStream, frame
from tinyagent.domain.events import EVENT
from tinyagent.engine.runs import RunRequest, RunService
from tinyagent.errors import InvalidRequest, TinyAgentError

router = APIRouter(prefix="/v1/runs")

ROUTE = "/v1/runs"
_NOW = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


class StartRun(BaseModel):
    """A request to run or to plan."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    query: str
    """The request."""
    mode: Literal["run", "plan"] = "run"
    """`plan`: plan only; the plan is the answer."""
    planner: str | None = None
    """A planner's name; else the configured one."""
    approval: Literal["draft", "ask", "auto"] | None = None
    """A wish that makes the configured policy stricter for this run, never looser: with `draft` nothing is
    sent, with `ask` every call that changes or shows something asks first; `auto` is no wish."""
    answerable: bool = True
    """Whether somebody will answer when the run asks. With `false` a call that needs an approval is refused
    at once (`approval_unavailable`)."""
    now: str | None = None
    """The wall-clock time that "tomorrow" goes by: `YYYY-MM-DD HH:MM`, or ISO 8601 without a zone; else the
    present."""
    follows: str | None = None
    """An earlier run that this one goes on from: planners that read instructions know what was asked and
    answered there, and before it."""

    def run_request(self) -> RunRequest:
        """What the engine is asked for. Raises InvalidRequest."""
        return RunRequest(
            self.query,
            self.mode,
            self.planner,
            _wall_clock(self.now),
            approval=self.approval,
            answerable=self.answerable,
            follows=self.follows,
        )


class CancelRun(BaseModel):
    """Why a run is cancelled, for its record."""

    model_config = ConfigDict(strict=True, extra="forbid")

    reason: str = Field(default="Cancelled by the user.", min_length=1, max_length=500)


def _wall_clock(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if not _NOW.fullmatch(text):
            raise ValueError("another form")
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(
            "`now` is not a time.", hint="Write it without a zone: YYYY-MM-DD HH:MM.", param="now"
        ) from error


@router.post("", status_code=202)
async def start_run(
    body: StartRun,
    response: Response,
    serving: ServingHere,
    caller: Caller,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> RunBody:
    """Start a run and return at once; its events tell the rest."""
    wanted = body.run_request()
    if idempotency_key is None:
        state = await serving.runs.start(wanted)
    else:
        state = await serving.retries.start_with_key(wanted, caller, ROUTE, idempotency_key)
    response.headers["Location"] = f"{ROUTE}/{state.run}"
    return RunBody.of(state)


@router.get("")
async def list_runs(
    serving: ServingHere, limit: Annotated[int, Query(ge=1, le=100)] = 20, before: str | None = None
) -> RunList:
    """Runs, newest first; `before` is the `next` of the page before."""
    return RunList.page(await serving.runs.runs(limit + 1, before), limit)


@router.get("/{run}")
async def get_run(run: str, serving: ServingHere) -> RunBody:
    """The whole run as it stands."""
    return RunBody.of(await serving.runs.get(run))


@router.delete("/{run}", status_code=204)
async def delete_run(run: str, serving: ServingHere) -> None:
    """Forget a run that has ended."""
    await serving.runs.delete(run)


@router.post("/{run}/cancel")
async def cancel_run(run: str, serving: ServingHere, body: CancelRun | None = None) -> RunBody:
    """Stop planning and what has not started; what writes is finished first."""
    return RunBody.of(await serving.runs.cancel(run, (body or CancelRun()).reason))


@router.get("/{run}/events")
async def run_events(
    run: str, serving: ServingHere, last_event_id: Annotated[int, Header(ge=0)] = 0
) -> Response:
    """The run's events after `Last-Event-ID`, those to come included."""
    state = await serving.runs.get(run)
    if state.status != "running" and last_event_id >= state.last_seq:
        return Response(status_code=204)
    return EventStream(_frames(run, last_event_id, serving.runs), serving.keepalive_s)


async def _frames(run: str, after: int, runs: RunService) -> AsyncGenerator[bytes, None]:
    try:
        async for event in runs.events(run, after):
            yield frame(EVENT.dump_json(event).decode(), event.type, event.seq)
    except TinyAgentError as error:
        yield _failure(error)
    except Exception as failure:
        yield _failure(internal_error(failure, run))


def _failure(error: TinyAgentError) -> bytes:
    """An event without a number: a reader that comes back goes on where it was."""
    return frame(json.dumps(error_body(error)), "error")
