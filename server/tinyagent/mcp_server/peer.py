"""The client of one call: who it is, what it can do, and how it is told and asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types import CONNECTION_CLOSED, ElicitRequestFormParams, ElicitResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

Context = ServerRequestContext[Any, Any]
Caller = Callable[[Context], str]
"""Who a call comes from, for records."""

CallKey = tuple[str, str]
"""A session and the number of one of its requests."""

PROGRESS_S = 5.0
"""How long a client may take to read news; after that it gets no more of this call."""

_SESSION_HEADER = "mcp-session-id"


@dataclass
class Peer:
    """What a call's client is to the call."""

    context: Context
    name: str
    _reads_news: bool = field(default=True, init=False)

    @property
    def modern(self) -> bool:
        """Whether questions go out as results, for the client to call again with the answer."""
        return self.context.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def asks(self) -> bool:
        """Whether it can show its user a form."""
        capabilities = self.context.session.client_capabilities
        asking = capabilities.elicitation if capabilities else None
        can_show = asking is not None and (asking.form is not None or asking.url is None)
        return can_show and (self.modern or self.context.session.can_send_request)

    @property
    def leaving_cancels(self) -> bool:
        """Whether a lost connection means that the call is not wanted any more.

        So it is over HTTP since revision 2026-07-28; before, and over stdio, a client says so.
        """
        return self.modern and self.context.request is not None

    @property
    def key(self) -> CallKey | None:
        """How its client names this call when it cancels it; None where closing the connection does."""
        return None if self.leaving_cancels else call_key(self.context, self.context.request_id)

    async def tell(self, number: int, news: str) -> None:
        """Progress, for a client that asked for it; `number` only grows."""
        if not self._reads_news:
            return
        with anyio.move_on_after(PROGRESS_S) as waiting:
            await self.context.session.report_progress(float(number), message=news)
        self._reads_news = not waiting.cancelled_caught

    async def ask(self, form: ElicitRequestFormParams) -> ElicitResult | None:
        """The user's answer; None when the client has gone, and a decline when it cannot ask after all."""
        session, request = self.context.session, self.context.request_id
        try:
            return await session.elicit_form(form.message, form.requested_schema, request)
        except NoBackChannelError:
            return None
        except MCPError as error:
            return None if error.code == CONNECTION_CLOSED else ElicitResult(action="decline")
        except ValueError:  # an answer of another shape than was asked for
            return ElicitResult(action="decline")


def call_key(context: Context, request: object) -> CallKey:
    """The key of a request of this context's client."""
    session = context.request.headers.get(_SESSION_HEADER, "") if context.request is not None else ""
    return str(session), str(request)
