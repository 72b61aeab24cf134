"""What a server offers, as tools of ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mcp_types import Tool

from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.domain.tools import Effect, ToolSpec
from tinyagent.errors import InvalidRequest
from tinyagent.mcp_client.schemas import Refused, checked_schema
from tinyagent.mcp_client.servers import McpServer
from tinyagent.mcp_client.texts import one_line

MAX_TOOLS = 128
"""Tools of one server."""
MAX_NAME_CHARACTERS = 128
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
    first and whatever it offers later.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._given: dict[tuple[str, str], str] = {}

    def of(self, server: str, tool: str) -> str:
        """Our name of a server's tool."""
        if (server, tool) not in self._given:
            name = identifier(f"{server}_{tool}", self._taken)
            self._taken.add(name)
            self._given[server, tool] = name
        return self._given[server, tool]


def offers_of(server: McpServer, tools: Sequence[Tool], names: Names) -> tuple[Offer, ...]:
    """The tools that may be used as the settings say; those that cannot be, with the reason."""
    wanted = [tool for tool in tools if not server.tools or tool.name in server.tools]
    found: dict[str, Offer] = {}
    for tool in wanted[:MAX_TOOLS]:
        if len(tool.name) <= MAX_NAME_CHARACTERS and tool.name not in found:
            found[tool.name] = _offer(server, tool, names.of(server.name, tool.name))
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


def _offer(server: McpServer, tool: Tool, name: str) -> Offer:
    described = one_line(tool.description or tool.title or "", DESCRIPTION_CHARACTERS)
    reads = tool.annotations is not None and tool.annotations.read_only_hint is True
    effect: Effect = "read" if reads else "write"
    try:
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
