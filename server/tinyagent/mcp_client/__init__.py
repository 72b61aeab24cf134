"""Tools of servers of the Model Context Protocol that the settings name.

Everything that such a server says (names, descriptions, schemas, results, errors) is text that others
wrote: it is bounded, cleaned and passed on as data.
"""

from tinyagent.mcp_client.host import McpToolHost
from tinyagent.mcp_client.servers import McpServer, Patience

__all__ = ["McpServer", "McpToolHost", "Patience"]
