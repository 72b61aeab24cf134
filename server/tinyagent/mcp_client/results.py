"""What a call of a server's tool brought, as a result of ours."""

from __future__ import annotations

import json

from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import AppFailed
from tinyagent.mcp_client.servers import McpServer
from tinyagent.mcp_client.texts import lines, one_line
from tinyagent.ports import ToolResult

MAX_CHARACTERS = 100_000
MESSAGE_CHARACTERS = 200


def result_of(server: McpServer, spec: ToolSpec, result: CallToolResult) -> ToolResult:
    """The result, whose text others wrote. Raises AppFailed for one that reports a failure."""
    text = _text(result)
    if result.is_error:
        # Not as a fault of the plan: those are shown to planners, and this text is the server's.
        said = one_line(text, 500) or "it did not say why"
        raise AppFailed(f"{spec.name} failed. {server.title} says: {said}")
    brief = one_line(text, MESSAGE_CHARACTERS)
    message = f"{spec.name} was done" + (f": {brief}" if brief and spec.effect != "read" else ".")
    if spec.effect == "read":
        message = f"{server.title} answered." if text else f"{server.title} answered nothing."
    return ToolResult(text, message, untrusted=True)


def _text(result: CallToolResult) -> str:
    """All texts; without any, the structured value as JSON; what cannot be shown is named."""
    parts = [_part(block) for block in result.content]
    told = any(isinstance(block, (TextContent, EmbeddedResource)) for block in result.content)
    if not told and result.structured_content is not None:
        parts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return lines("\n".join(filter(None, parts)), MAX_CHARACTERS)


def _part(block: ContentBlock) -> str:
    if isinstance(block, TextContent):
        return block.text
    if isinstance(block, (ImageContent, AudioContent)):
        size = len(block.data) * 3 // 4
        return f"[{one_line(block.mime_type, 60)}, {size} bytes, not shown]"
    if isinstance(block, ResourceLink):
        return f"{one_line(block.title or block.name, 200)}: {one_line(str(block.uri), 500)}"
    contents = block.resource
    if isinstance(contents, TextResourceContents):
        return contents.text
    return f"[{one_line(str(contents.uri), 500)}, not shown]"
