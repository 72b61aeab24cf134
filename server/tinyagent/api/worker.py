"""`/v1/worker`: workers fetch calls, say that they go on, and hand in what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from tinyagent import __version__
from tinyagent.api.security import ADMITTED_KEY
from tinyagent.api.serving import ServingHere
from tinyagent.api.sse import until_disconnect
from tinyagent.errors import Conflict, Unauthorized
from tinyagent.workers.queue import WorkerQueue
from tinyagent.workers.wire import VERSION_HEADER, Claim, Heartbeat, Job, Outcome, Standing, Taken

router = APIRouter(prefix="/v1/worker")


def _queue(serving: ServingHere) -> WorkerQueue:
    if serving.workers is None:
        raise Conflict(
            "This server carries out its calls itself and has no work for workers.",
            hint='Set `executor = "worker"` in its config.toml and start it again.',
        )
    return serving.workers


Queue = Annotated[WorkerQueue, Depends(_queue)]


@router.post("/claim", responses={200: {"model": Job}, 204: {"description": "There is nothing to do."}})
async def claim(claim: Claim, request: Request, queue: Queue) -> Response:
    """The next job for this worker, waited for up to `wait_s` seconds; 204 when there is none."""
    admitted = cast("Callable[[], bool]", request.scope[ADMITTED_KEY])
    gone = asyncio.create_task(until_disconnect(request.receive))

    def present() -> bool:
        """A client that left, or whose token was revoked meanwhile, takes no job with it."""
        if not admitted():
            raise Unauthorized("The token is no longer valid.")
        return not gone.done()

    try:
        job = await queue.claim(claim, present)
    finally:
        gone.cancel()
    version = {VERSION_HEADER: __version__}
    if job is None:
        return Response(status_code=204, headers=version)
    return Response(job.model_dump_json(), media_type="application/json", headers=version)


@router.post("/tasks/{task}/heartbeat")
async def heartbeat(task: str, beat: Heartbeat, queue: Queue) -> Standing:
    """A sign of life. The first one asks for leave to begin, which a `cancel` or an error denies."""
    return Standing(cancel=queue.heartbeat(task, beat))


@router.post("/tasks/{task}/result")
async def result(task: str, outcome: Outcome, queue: Queue) -> Taken:
    """What came of a job. The same result again changes nothing; another one is a conflict."""
    queue.finish(task, outcome)
    return Taken()
