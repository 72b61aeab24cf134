"""Tools of the user's own: Python functions marked by `@tool`.

    from tinyagent.plugins import tool

    @tool(effect="read", app="house")
    def room_temperature(room: str) -> str:
        \"\"\"Tell how warm a room is.

        Args:
            room: The room's name.
        \"\"\"

Files of them are named in the setting `tool_files`; installed packages offer theirs as entry points of the
group `tinyagent.tools`.
"""

from tinyagent.domain.tools import Recipients
from tinyagent.errors import ToolError
from tinyagent.plugins.declaring import tool
from tinyagent.ports import ToolResult

__all__ = ["Recipients", "ToolError", "ToolResult", "tool"]
