"""What the page tells people to copy works as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mcp_types.version import KNOWN_PROTOCOL_VERSIONS
from typer.main import get_command

from tinyagent.cli.app import app
from tinyagent.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
OWN = PAGE.split("\n## Use tinyagent from an MCP client\n")[1].split("\n## ")[0]


def servers() -> list[dict[str, Any]]:
    """tinyagent as each of the files on the page names it."""
    files = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", OWN, re.DOTALL)]
    return [(file.get("mcpServers") or file["servers"])["tinyagent"] for file in files]


def test_the_files_for_clients_name_the_command_or_the_address() -> None:
    commands = [server for server in servers() if "command" in server]
    addresses = [server for server in servers() if "url" in server]
    assert len(commands) == len(addresses) == 2
    known = getattr(get_command(app), "commands", {})
    for server in commands:
        assert server["command"] == "tinyagent"
        [name] = server["args"]
        assert name in known
    for server in addresses:
        parts = urlsplit(server["url"])
        assert (parts.hostname, parts.port, parts.path) == (
            "127.0.0.1",
            Settings.model_fields["port"].default,
            "/mcp",
        )
        assert server["headers"]["Authorization"].startswith("Bearer ${")


def test_the_page_names_every_revision() -> None:
    for revision in KNOWN_PROTOCOL_VERSIONS:
        assert revision in OWN
