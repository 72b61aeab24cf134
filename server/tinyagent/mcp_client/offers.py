"""What a server offers, as tools of ours."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mcp_types import Tool

from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.domain.tools import Effect, ToolSpec
from tinyagent.errors import InvalidRequest
from tinyagent.mcp_client.schemas import Refused, checked_schema, size_of
from tinyagent.mcp_client.servers import McpServer
from tinyagent.mcp_client.texts import one_line

MAX_TOOLS = 128
"""Tools of one server."""
MAX_NAME_CHARACTERS = 128
MAX_ALL_SCHEMAS = 500_000
"""Characters of the schemas of all tools of one server."""
DESCRIPTION_CHARACTERS = 600


@dataclass(frozen=True)
class Offer:
    """A tool of a server: its name there, ours, and why it cannot be used (or an empty string)."""

    remote: str
    spec: ToolSpec
    refused: str = ""


class Names:
    """Our names of servers' tools.

    Each is given once and kept, so that a name never comes to mean another tool, whichever server answers
    first and whatever it offers later. What could be a name of two servers is one of that with the longer
    name, at every start: the settings name tools, too. Servers may be read in several threads.
    """

    def __init__(self, taken: Collection[str], servers: Collection[str] = ()) -> None:
        self._taken = set(taken)
        self._servers = {server: identifier(f"{server}_") for server in servers}
        self._given: dict[tuple[str, str], str] = {}
        self._turn = threading.Lock()

    def of(self, server: str, tool: str) -> str:
        """Our name of a server's tool."""
        with self._turn:
            if (server, tool) not in self._given:
                name = identifier(self._plain(server, tool), self._taken)
                self._taken.add(name)
                self._given[server, tool] = name
            return self._given[server, tool]

    def _plain(self, server: str, tool: str) -> str:
        name, own = identifier(f"{server}_{tool}"), identifier(f"{server}_")
        longer = (start for start in self._servers.values() if len(start) > len(own))
        return f"{server}__{tool}" if any(map(name.startswith, longer)) else name


def offers_of(server: McpServer, tools: Sequence[Tool], names: Names) -> tuple[Offer, ...]:
    """The tools that may be used as the settings say; those that cannot be, with the reason.

    Reading large schemas takes seconds: it is no work for an event loop.
    """
    wanted = [tool for tool in tools if not server.tools or tool.name in server.tools]
    found: dict[str, Offer] = {}
    left = MAX_ALL_SCHEMAS
    for tool in wanted[:MAX_TOOLS]:
        if len(tool.name) <= MAX_NAME_CHARACTERS and tool.name not in found:
            left -= size_of(tool.input_schema)
            found[tool.name] = _offer(server, tool, names.of(server.name, tool.name), fits=left >= 0)
    missing = [_missing(server, name, names) for name in server.tools if tools and name not in found]
    return (*found.values(), *missing)


def placeholder(server: McpServer, names: Names) -> ToolSpec:
    """Stands for the tools of a server while nobody knows them."""
    return tool_from_schema(
        names.of(server.name, "tools"),
        f"The tools of the MCP server {server.name}.",
        None,
        effect="read",
        app=_app(server),
    )


def _offer(server: McpServer, tool: Tool, name: str, fits: bool) -> Offer:
    described = one_line(tool.description or tool.title or "", DESCRIPTION_CHARACTERS)
    reads = tool.annotations is not None and tool.annotations.read_only_hint is True
    effect: Effect = "read" if reads else "write"
    try:
        if not fits:
            raise Refused(f"the schemas of its tools have more than {MAX_ALL_SCHEMAS} characters")
        schema = checked_schema(tool.input_schema)
        spec = tool_from_schema(name, described, schema, effect=effect, app=_app(server), returns="text")
    except (Refused, InvalidRequest) as error:
        reason = one_line(str(error), 300).rstrip(".")
        empty = tool_from_schema(name, described, None, effect=effect, app=_app(server))
        return Offer(tool.name, empty, f"{server.title} describes {name} badly: {reason}.")
    return Offer(tool.name, spec)


def _missing(server: McpServer, tool: str, names: Names) -> Offer:
    spec = tool_from_schema(names.of(server.name, tool), "", None, app=_app(server))
    return Offer(tool, spec, f"{server.title} has no tool {tool}, which the settings name.")


def _app(server: McpServer) -> str:
    return f"mcp:{server.name}"
