"""The same server over standard input and output, for a client that starts programs: it hands every call on
to the tinyagent server that runs already.

Each call is a request of its own (revision 2026-07-28), so that nothing is lost when that server starts anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    InputRequiredResult,
    InputResponses,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import TypeAdapter

from tinyagent import __version__
from tinyagent.errors import OutcomeUnknown, ServerUnreachable
from tinyagent.loopback import is_local_url
from tinyagent.mcp_server.groups import first_of
from tinyagent.mcp_server.peer import Context, Peer
from tinyagent.mcp_server.questions import WAIT_KEY
from tinyagent.mcp_server.results import error_result, unexpected_result
from tinyagent.mcp_server.server import INSTRUCTIONS, NAME

CONNECT_S = 5.0
MAX_ANSWER_BYTES = 64 << 20
SILENCE_S = 45.0
"""An answer under way shows a sign of life every 15 seconds; after three missed ones it is lost."""
WAIT_S = 300.0
"""How long an answer of the user is waited for when the question does not say."""

_Outcome = CallToolResult | InputRequiredResult
_OUTCOME: TypeAdapter[_Outcome] = TypeAdapter(_Outcome)


class Lost(Exception):
    """The connection ended after the request had been handed over."""


def _is_loss(error: Exception) -> bool:
    closed = isinstance(error, MCPError) and error.code == CONNECTION_CLOSED
    return closed or isinstance(error, httpx2.TransportError)


@dataclass(frozen=True)
class Upstream:
    """The tinyagent server that carries the calls out."""

    url: str
    token: str

    @asynccontextmanager
    async def client(self, asking: ElicitationFnT | None = None) -> AsyncGenerator[Client]:
        """A client for one call. Raises ServerUnreachable, MCPError as the server reports it, or Lost."""
        http = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=httpx2.Timeout(CONNECT_S, read=SILENCE_S),
            trust_env=not is_local_url(self.url),
        )
        try:
            async with http:
                transport = streamable_http_client(
                    f"{self.url}/mcp", http_client=http, max_sse_event_size=MAX_ANSWER_BYTES
                )
                client = Client(
                    transport, mode=LATEST_MODERN_VERSION, elicitation_callback=asking, cache=None
                )
                async with client:
                    yield client
        except ExceptionGroup as group:  # what fails within comes out of the client's own groups of tasks
            error = first_of(group)
            if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
                raise ServerUnreachable(
                    f"No server answers at {self.url}.", hint="Start it with `tinyagent serve`."
                ) from None
            raise (Lost() if _is_loss(error) else error) from None


def build_relay(upstream: Upstream) -> Server[Any]:
    """The server whose calls another one carries out."""
    relay = _Relay(upstream)
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title="tinyagent",
        instructions=INSTRUCTIONS,
        on_list_tools=relay.list_tools,
        on_call_tool=relay.call_tool,
    )
    server.middleware.clear()  # the other server seals its state, and nothing is traced
    return server


class _Relay:
    """What the relay does with each request."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def list_tools(self, context: Context, page: PaginatedRequestParams | None) -> ListToolsResult:
        try:
            async with self._upstream.client() as client:
                return await client.list_tools(cursor=page.cursor if page else None)
        except ServerUnreachable as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from None
        except Lost:
            raise MCPError(INTERNAL_ERROR, f"The server at {self._upstream.url} was lost.") from None

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> _Outcome:
        try:
            return await self._carried_out(Peer(context, NAME), params)
        except ServerUnreachable as error:
            return error_result(error)
        except MCPError as error:
            if not _is_loss(error):
                raise
            return self._lost()
        except Lost:
            return self._lost()
        except Exception as error:
            return unexpected_result(error)

    def _lost(self) -> CallToolResult:
        error = OutcomeUnknown(
            f"The server at {self._upstream.url} was lost; the call may have been done or not.",
            hint="`tinyagent runs list` tells, once the server runs again.",
        )
        return error_result(error)

    async def _carried_out(self, peer: Peer, params: CallToolRequestParams) -> _Outcome:
        """The outcome; a question goes to the user here when the client cannot come back with an answer."""
        async with self._upstream.client(_declared if peer.asks else None) as client:
            responses, state = params.input_responses, params.request_state
            while True:
                outcome = await _call(client, peer, params, responses, state)
                if peer.modern or not isinstance(outcome, InputRequiredResult):
                    return outcome
                responses, state = await _answers(peer, outcome), outcome.request_state


async def _call(
    client: Client,
    peer: Peer,
    params: CallToolRequestParams,
    responses: InputResponses | None,
    state: str | None,
) -> _Outcome:
    request = CallToolRequest(
        params=CallToolRequestParams(
            name=params.name, arguments=params.arguments, input_responses=responses, request_state=state
        )
    )

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        await peer.tell(int(progress), message or "")

    return await client.session.send_request(request, _OUTCOME, progress_callback=tell)


async def _answers(peer: Peer, outcome: InputRequiredResult) -> InputResponses:
    """What the user says to each form in time; silence is no answer."""
    wait = (outcome.meta or {}).get(WAIT_KEY)
    responses: InputResponses = {}
    for key, request in (outcome.input_requests or {}).items():
        responses[key] = ElicitResult(action="cancel")
        form = request.params
        if isinstance(form, ElicitRequestFormParams):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait if isinstance(wait, (int, float)) else WAIT_S):
                    responses[key] = await peer.ask(form) or responses[key]
    return responses


async def _declared(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """Tells the other server that there is somebody to ask; questions come as results."""
    return ElicitResult(action="cancel")
