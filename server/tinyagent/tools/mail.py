"""Tools for mail. Whatever they write is a draft until the user sends it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tinyagent.apps.base import MailDraft, StoredMail
from tinyagent.ports import ToolResult
from tinyagent.tools._addresses import email_addresses
from tinyagent.tools.context import ToolContext

SUBJECT_WORDS, SUBJECT_CHARS = 8, 60


async def compose_new_email(
    ctx: ToolContext, recipients: list[str], cc: list[str], subject: str, context: str, attachments: list[str]
) -> ToolResult:
    """Write a new email.

    Args:
        recipients: Email addresses that it goes to.
        cc: Email addresses that get a copy.
        subject: A short title.
        context: What the email says.
        attachments: Full paths of files to attach.

    Returns:
        The draft's identifier.
    """
    draft = MailDraft(
        recipients=email_addresses(recipients, "recipients"),
        cc=email_addresses(cc, "cc"),
        subject=subject.strip() or _first_words(context),
        body=context.strip(),
        attachments=await _files(ctx, attachments),
    )
    return _result("Email", await ctx.desktop.mail.compose(draft), draft.attachments)


async def reply_to_email(ctx: ToolContext, cc: list[str], context: str, attachments: list[str]) -> ToolResult:
    """Answer the selected email, or the latest one when none is selected.

    Args:
        cc: Email addresses that get a copy.
        context: What the answer says.
        attachments: Full paths of files to attach.

    Returns:
        The draft's identifier.
    """
    paths = await _files(ctx, attachments)
    stored = await ctx.desktop.mail.reply(email_addresses(cc, "cc"), context.strip(), paths)
    return _result("Reply", stored, paths)


async def forward_email(
    ctx: ToolContext, recipients: list[str], cc: list[str], context: str, attachments: list[str]
) -> ToolResult:
    """Pass the selected email on, or the latest one when none is selected, with its attachments.

    Args:
        recipients: Email addresses that it goes to.
        cc: Email addresses that get a copy.
        context: What to say above the forwarded text.
        attachments: Full paths of further files to attach.

    Returns:
        The draft's identifier.
    """
    paths = await _files(ctx, attachments)
    stored = await ctx.desktop.mail.forward(
        email_addresses(recipients, "recipients"), email_addresses(cc, "cc"), context.strip(), paths
    )
    return _result("Forward", stored, paths)


async def _files(ctx: ToolContext, paths: Iterable[str]) -> tuple[Path, ...]:
    return tuple([await ctx.desktop.files.check(path.strip()) for path in paths if path.strip()])


def _first_words(text: str) -> str:
    words = " ".join(text.split()[:SUBJECT_WORDS])
    return (
        words
        if len(words) <= SUBJECT_CHARS
        else words[:SUBJECT_CHARS].rpartition(" ")[0] or words[:SUBJECT_CHARS]
    )


def _result(kind: str, mail: StoredMail, attachments: Sequence[Path]) -> ToolResult:
    people = ", ".join(mail.recipients)
    title = f": “{mail.subject}”" if mail.subject else ""
    with_files = f" with {', '.join(path.name for path in attachments)} attached" if attachments else ""
    if mail.status == "sent":
        return ToolResult(f"Sent: {mail.id}", f"{kind} to {people}{with_files} sent{title}.")
    return ToolResult(f"Draft saved: {mail.id}", f"{kind} to {people}{with_files} saved as a draft{title}.")
