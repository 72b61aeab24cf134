"""Tools for files."""

from __future__ import annotations

from tinyagent.errors import AccessDenied, AppFailed, UnreadableFile
from tinyagent.ports import ToolResult
from tinyagent.tools._prose import summary
from tinyagent.tools.context import ToolContext


async def open_and_get_file_path(context: ToolContext, file_name: str) -> ToolResult:
    """Find a file by its name and show it.

    Args:
        file_name: The name, or a part of it, as the user said it.

    Returns:
        The file's full path.
    """
    files = context.desktop.files
    path = await files.find(file_name)
    remark = ""
    if not context.demo:
        try:
            await files.show(path)
        except (AccessDenied, AppFailed) as error:
            remark = f" It was not opened: {error.message}"
    return ToolResult(str(path), f"Found {path.name} in {path.parent}.{remark}", untrusted=True)


async def summarize_pdf(context: ToolContext, pdf_path: str) -> ToolResult:
    """Summarize a PDF file in a few sentences.

    Args:
        pdf_path: The file's full path.

    Returns:
        The summary.
    """
    path = await context.desktop.files.check(pdf_path)
    text = await context.desktop.documents.text(path)
    summarized, manner = await summary(context, text)
    if not summarized.strip():
        raise UnreadableFile(f"{path.name} has no text to summarize.", hint="Open it to see what it holds.")
    return ToolResult(summarized, f"Summarized {path.name} ({manner}).", untrusted=True)
