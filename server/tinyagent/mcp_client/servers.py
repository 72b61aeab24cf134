"""Which servers there are and how long they are waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Asking = Literal["ask", "reads", "auto"]
"""Every call is asked for first, all but those that only read as the server says, or none."""


def no_token() -> str:
    """For servers that ask for none."""
    return ""


@dataclass(frozen=True)
class McpServer:
    """A server, either a program (`command`, with `env` on top of a bare environment) or an address (`url`).

    `token` is asked for the bearer token at every connection, in a thread. `tools` are those that may be
    used, by the server's own names; empty is all. `timeout_s` bounds one answer, in seconds.
    """

    name: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    url: str = ""
    token: Callable[[], str] = no_token
    asking: Asking = "reads"
    tools: tuple[str, ...] = ()
    timeout_s: float = 30.0

    @property
    def title(self) -> str:
        """What it is called in sentences for people."""
        return f"The MCP server {self.name}"

    @property
    def place(self) -> str:
        """The scheme, host and port of its address: what else stands there may be a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@dataclass(frozen=True)
class Patience:
    """How long things may take, in seconds.

    `connect_s` is long because a program may have to be downloaded first (`npx`, `uvx`). After a
    connection was lost or not made, the next is tried after `retry_s`, then twice that, up to
    `longest_retry_s`; one that held for `steady_s` begins anew. A server has
    `farewell_s` to end by itself when it is told to.
    """

    connect_s: float = 60.0
    retry_s: float = 1.0
    longest_retry_s: float = 60.0
    steady_s: float = 60.0
    farewell_s: float = 8.0
    stop_s: float = 8.0

    def pause(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        return min(self.retry_s * 2 ** min(failures - 1, 16), self.longest_retry_s)
