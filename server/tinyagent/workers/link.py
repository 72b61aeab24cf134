"""The worker's side of the wire: requests to one server, and what its answers mean."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import httpx
from pydantic import BaseModel, ValidationError

from tinyagent.errors import ConfigurationError, ServerUnreachable, TinyAgentError, error_kinds
from tinyagent.loopback import is_local_url
from tinyagent.workers.wire import (
    VERSION_HEADER,
    Claim,
    Heartbeat,
    Job,
    Offer,
    Outcome,
    Standing,
    WorkerId,
)

CONNECT_S = 5.0
ANSWER_S = 10.0
RESULT_S = 60.0
"""How long a result may take on its way; the largest ones are slow on a slow line."""
NO_CONTENT = 204
JSON_TYPE = {"Content-Type": "application/json"}

Body = TypeVar("Body", bound=BaseModel)


class Link:
    """Speaks to one server as one worker.

    Every method raises ServerUnreachable when trying again may help, Unauthorized for a token that
    the server does not know (any more), and otherwise what the server reports.
    """

    def __init__(self, url: str, token: str, who: WorkerId) -> None:
        self.url = checked_url(url)
        self.who = who
        self.server_version = ""
        # A proxy of the environment cannot reach this machine's own addresses.
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            trust_env=not is_local_url(self.url),
        )

    @property
    def exposed(self) -> bool:
        """Whether the token travels over a network unencrypted."""
        return self.url.startswith("http://") and not is_local_url(self.url)

    async def close(self) -> None:
        await self._http.aclose()

    async def claim(self, tools: Mapping[str, Offer], wait_s: float) -> Job | None:
        """The next job, waited for at most `wait_s` seconds."""
        claim = Claim(**self._own(), tools=dict(tools), wait_s=wait_s)
        response = await self._post("/v1/worker/claim", claim, wait_s + ANSWER_S)
        self.server_version = response.headers.get(VERSION_HEADER, "")
        if response.status_code == NO_CONTENT:
            return None
        return _read(Job, response)

    async def heartbeat(self, job: str, seconds: float = ANSWER_S) -> bool:
        """Say that the job goes on; whether it is cancelled. An answer is waited for `seconds` at most."""
        beat = Heartbeat(**self._own())
        response = await self._post(f"/v1/worker/tasks/{job}/heartbeat", beat, min(seconds, ANSWER_S))
        return _read(Standing, response).cancel

    async def finish(self, job: str, outcome: Outcome) -> None:
        """Hand in what came of the job."""
        await self._post(f"/v1/worker/tasks/{job}/result", outcome, ANSWER_S, RESULT_S)

    def _own(self) -> dict[str, Any]:
        return {"worker": self.who.worker, "instance": self.who.instance}

    async def _post(
        self, path: str, body: BaseModel, silence_s: float, total_s: float | None = None
    ) -> httpx.Response:
        """Bears so long a silence, and waits so long in all."""
        timeout = httpx.Timeout(silence_s, connect=CONNECT_S)
        try:
            content = body.model_dump_json()
            async with asyncio.timeout(total_s or silence_s):
                response = await self._http.post(path, content=content, headers=JSON_TYPE, timeout=timeout)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            raise ServerUnreachable(_silence(self.url, error)) from error
        if not response.is_success:
            raise _reported(response, self.url)
        return response


def checked_url(url: str) -> str:
    """The address without a slash at its end. Raises ConfigurationError when it is none."""
    with contextlib.suppress(httpx.InvalidURL):
        parts = httpx.URL(url)
        if parts.scheme in ("http", "https") and parts.host and not parts.userinfo and not parts.query:
            return url.rstrip("/")
    raise ConfigurationError(f"“{url}” is no address of a server.", hint="Write it as http://127.0.0.1:8765.")


def _silence(url: str, error: Exception) -> str:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return f"Nothing answers at {url}."
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return f"{url} did not answer in time."
    return f"The connection to {url} broke off."


def _read(kind: type[Body], response: httpx.Response) -> Body:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise _foreign(str(response.request.url)) from error


def _foreign(url: str) -> ServerUnreachable:
    return ServerUnreachable(f"What answers at {url} is no tinyagent server, or one of another version.")


def _reported(response: httpx.Response, url: str) -> TinyAgentError:
    """The error in the answer; one that may pass is ServerUnreachable."""
    error: Any = None
    with contextlib.suppress(ValueError):
        body: Any = response.json()
        error = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return _foreign(url)
    told = cast("dict[str, Any]", error)
    kind = error_kinds().get(str(told.get("code")), TinyAgentError)
    if response.status_code >= 500 or response.status_code in (408, 429):
        return ServerUnreachable(f"{url} cannot answer now: {told.get('message')}")
    return kind(str(told.get("message") or f"{url} answered with status {response.status_code}."))
