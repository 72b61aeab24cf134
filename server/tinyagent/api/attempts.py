"""One attempt of a client at a request that starts a run: the first, or a repetition that finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from tinyagent.api.retries import Retries, fingerprint
from tinyagent.api.serving import Caller
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunRequest


@dataclass(frozen=True)
class Attempt:
    """What tells a repetition from a new request: who asks where for what, and by which key."""

    caller: str
    route: str
    raw: bytes
    key: str | None
    repeated: bool

    async def start(self, retries: Retries, wanted: RunRequest) -> RunState:
        """The run of this request, started now or by an earlier attempt."""
        if self.key is not None:
            return await retries.start_with_key(wanted, self.caller, self.route, self.key)
        return await retries.start(wanted, self._fingerprint, self.repeated)

    @property
    def _fingerprint(self) -> str:
        return fingerprint(self.caller.encode(), self.route.encode(), self.raw)


async def _attempt(
    request: Request,
    caller: Caller,
    idempotency_key: Annotated[str | None, Header()] = None,
    x_stainless_retry_count: Annotated[int, Header(ge=0)] = 0,
) -> Attempt:
    raw = await request.body()
    return Attempt(caller, request.url.path, raw, idempotency_key, x_stainless_retry_count > 0)


AttemptHere = Annotated[Attempt, Depends(_attempt)]
