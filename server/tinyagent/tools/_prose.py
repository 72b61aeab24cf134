"""Texts that the writer makes for tools, and how people are told who wrote them."""

from __future__ import annotations

from typing import Literal

from tinyagent.ports import WritingTask, Written
from tinyagent.tools.context import ToolContext


async def worded(
    ctx: ToolContext, role: Literal["email", "note"], material: str, **facts: str
) -> tuple[str, str]:
    """The text of a mail or a note, and a sentence about who wrote it (empty when nothing was changed).

    What the user approved stays word for word, and so does an empty text.
    """
    if not material.strip() or ctx.call.details is not None:
        return material, ""
    written = await ctx.writer.write(
        WritingTask(role, material, ctx.call.query, ctx.call.instructions, facts)
    )
    return written.text, _told(written, material)


def _told(written: Written, material: str) -> str:
    if written.by:
        return f" Its text was written by {written.by}."
    if written.remark:
        return f" Its text was {written.remark}."
    return "" if written.text == material else " Its text is in your words, without a language model."


async def summary(ctx: ToolContext, material: str) -> tuple[str, str]:
    """A summary, and how it came about, for parentheses."""
    written = await ctx.writer.write(WritingTask("summary", material, ctx.call.query, ctx.call.instructions))
    if written.by:
        return written.text, f"written by {written.by}"
    return written.text, f"picked from its sentences, {written.remark or 'without a language model'}"
