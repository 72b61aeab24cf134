"""The HTTP client of the command line: start a run, follow it, answer it, take it back, look at old ones.

A connection that breaks while a run is followed is made again where it broke; a run is
started at most once, however often the request has to be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

import httpx
from httpx_sse import SSEError, aconnect_sse
from pydantic import ValidationError

from tinyagent.domain.events import EVENT, TERMINAL, Event
from tinyagent.domain.run import RunState, fold
from tinyagent.errors import InvalidRequest, ServerUnreachable, TinyAgentError, Unauthorized, error_kinds
from tinyagent.loopback import is_local_url

HIGHEST_PORT = 65535
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 90.0
"""Longer than a planner takes to load at its first use, and than a cancelled call takes to end."""
UNDO_TIMEOUT_S = 600.0
"""Every call of a run may take a minute to be taken back."""
SILENCE_S = 45.0
"""An event stream sends something every 15 s; after three missed times the connection is dead."""
RECONNECT_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)


class Client:
    """Speaks to one server. Use as an async context manager.

    Every method raises ServerUnreachable when nobody answers, and otherwise the error that the
    server reports.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = _checked(url).rstrip("/")
        headers = {"Authorization": f"Bearer {_sendable(token)}"} if token else {}
        timeout = httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        # A proxy of the environment cannot reach this machine's own addresses.
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=timeout, trust_env=not is_local_url(self.url)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def start(
        self,
        query: str,
        planner: str | None = None,
        now: datetime | None = None,
        approval: str | None = None,
        answerable: bool = True,
        follows: str | None = None,
    ) -> str:
        """Begin a run and return its id. `answerable` promises an answer when the run asks; `follows` is the
        run that this one goes on from."""
        body: dict[str, Any] = {"query": query, "answerable": answerable}
        if follows is not None:
            body["follows"] = follows
        if approval is not None:
            body["approval"] = approval
        if planner is not None:
            body["planner"] = planner
        if now is not None:
            body["now"] = now.isoformat()
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        run = await self._request("POST", "/v1/runs", json=body, headers=headers)
        return str(self._field(run, "run"))

    async def events(self, run: str, after: int = 0) -> AsyncGenerator[Event]:
        """The run's events above `after`, up to its end, without a gap or a repeat."""
        failures = 0
        while True:
            try:
                async with contextlib.aclosing(self._stream(run, after)) as events:
                    async for event in events:
                        yield event
                        after, failures = event.seq, 0
                        if isinstance(event, TERMINAL):
                            return
            except (httpx.TransportError, SSEError) as error:
                if isinstance(error, httpx.ConnectError) and after == 0:
                    raise self._unreachable() from error
            if failures == len(RECONNECT_WAITS_S):
                raise ServerUnreachable(
                    f"The connection to {self.url} was lost; the run may still be going on.",
                    hint=f"See how it ended with `tinyagent runs show {run}`.",
                )
            await asyncio.sleep(RECONNECT_WAITS_S[failures])
            failures += 1

    async def _stream(self, run: str, after: int) -> AsyncGenerator[Event]:
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        headers = {"Last-Event-ID": str(after)} if after else {}
        async with aconnect_sse(
            self._http, "GET", f"/v1/runs/{run}/events", headers=headers, timeout=timeout
        ) as source:
            if source.response.is_error:
                await source.response.aread()
                raise _reported(source.response)
            async for frame in source.aiter_sse():
                if (
                    frame.event == "error"
                ):  # the server itself failed; the run's own end is an event of its own
                    raise _error_in(json.loads(frame.data))
                if frame.data:
                    yield self._event(frame.data)

    async def cancel(self, run: str) -> None:
        """Stop the run; what writes at this moment is finished first."""
        await self._request("POST", f"/v1/runs/{run}/cancel")

    async def decide(self, run: str, decisions: Mapping[int, str], approved: bool, reason: str = "") -> None:
        """Answer what the run asks: the digests that were seen, by task; all are decided, or none.

        Raises Conflict when a task does not wait for exactly that.
        """
        body: dict[str, Any] = {"tasks": {str(task): digest for task, digest in decisions.items()}}
        if not approved:
            body["reason"] = reason
        await self._request("POST", f"/v1/runs/{run}/{'approve' if approved else 'reject'}", json=body)

    async def undo(self, run: str, task: int | None) -> list[dict[str, Any]]:
        """Take back one call, or all: a `task`, `tool`, `message` and `error` for each. Raises Conflict."""
        place = f"/v1/runs/{run}" if task is None else f"/v1/runs/{run}/tasks/{task}"
        undone = await self._request("POST", f"{place}/undo", timeout=UNDO_TIMEOUT_S)
        return cast("list[dict[str, Any]]", self._field(undone, "data"))

    async def parameters(self) -> dict[str, list[str]]:
        """The names of every tool's parameters, in their order."""
        answer = await self._request("GET", "/v1/tools")
        tools = cast("list[dict[str, Any]]", self._field(answer, "data"))
        return {str(tool["name"]): list(tool["parameters"]["properties"]) for tool in tools}

    async def runs(self, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        """Summaries of runs, newest first, of those below the id `before`."""
        params = {"limit": limit} if before is None else {"limit": limit, "before": before}
        page = await self._request("GET", "/v1/runs", params=params)
        return cast("list[dict[str, Any]]", self._field(page, "data"))

    async def run_ids(self, limit: int, before: str | None = None) -> list[str]:
        """The same, their ids alone."""
        return [str(summary["run"]) for summary in await self.runs(limit, before)]

    async def state(self, run: str) -> RunState:
        """The state after all events that there are now; a run under way is not waited for."""
        last = int(self._field(await self.run(run), "last_seq"))
        state: RunState | None = None
        while state is None or state.last_seq < last:  # what is taken back follows the end
            after = state.last_seq if state else 0
            async with contextlib.aclosing(self.events(run, after)) as events:
                async for event in events:
                    state = fold([event], state)
                    assert state is not None
                    if event.seq >= last:
                        break
        return state

    async def run(self, run: str) -> dict[str, Any]:
        """The whole run as it stands."""
        return await self._request("GET", f"/v1/runs/{run}")

    async def alive(self) -> bool:
        """Whether a tinyagent server answers at the address."""
        with contextlib.suppress(TinyAgentError):
            return (await self._request("GET", "/healthz")).get("status") == "ok"
        return False

    async def _request(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise self._unreachable() from error
        if response.is_error:
            raise _reported(response)
        return _object(response)

    def _event(self, text: str) -> Event:
        try:
            return EVENT.validate_json(text)
        except ValidationError as error:  # its text would quote the event
            raise self._foreign() from error

    def _field(self, answer: Mapping[str, Any], name: str) -> Any:
        """What every tinyagent server answers. Raises ServerUnreachable for another one."""
        if name not in answer:
            raise self._foreign()
        return answer[name]

    def _foreign(self) -> ServerUnreachable:
        return ServerUnreachable(
            f"What answers at {self.url} is no tinyagent server, or of another version.",
            hint="Give its address with `--url`.",
        )

    def _unreachable(self) -> ServerUnreachable:
        return ServerUnreachable(
            f"No server answers at {self.url}.",
            hint="Start it with `tinyagent serve`; `ask` and `undo` can do without one (`--local`).",
        )


def _checked(url: str) -> str:
    """The address, if a request can go there. Raises InvalidRequest."""
    with contextlib.suppress(httpx.InvalidURL):
        parts = httpx.URL(url)
        if parts.scheme in ("http", "https") and parts.host and (parts.port or 0) <= HIGHEST_PORT:
            return url
    raise InvalidRequest(f"“{url}” is no address of a server.", hint="Write it as http://127.0.0.1:8765.")


def _sendable(token: str) -> str:
    """The token, if a header can hold it. Raises InvalidRequest."""
    if token.isascii() and token.isprintable():
        return token
    raise InvalidRequest(
        "The token has characters that no request can send.",
        hint="See what is in TINYAGENT_TOKEN or in the token file of the home folder.",
    )


def _object(response: httpx.Response) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        body: object = response.json()
        if isinstance(body, dict):
            return cast("dict[str, Any]", body)
    raise ServerUnreachable(
        f"What answers at {response.request.url.copy_with(path='/')} is no tinyagent server.",
        hint="Give its address with `--url`.",
    )


def _reported(response: httpx.Response) -> TinyAgentError:
    """The error in a response's body, as the kind of error that the server meant."""
    body = _object(response)
    if response.status_code == Unauthorized.status:
        return Unauthorized(
            "The server does not accept this token.",
            hint="Use the server's `--home`, or set TINYAGENT_TOKEN to what `tinyagent token` prints there.",
        )
    return _error_in(body, f"The server answered with status {response.status_code}.")


def _error_in(body: dict[str, Any], otherwise: str = "The server failed.") -> TinyAgentError:
    """The error that a JSON body tells of; `otherwise` is its message when there is none."""
    reported = body.get("error")
    error = cast("dict[str, Any]", reported) if isinstance(reported, dict) else {}
    kind = error_kinds().get(str(error.get("code")), TinyAgentError)
    return kind(
        str(error.get("message") or otherwise),
        param=error.get("param"),
        candidates=error.get("candidates", ()),
    )
