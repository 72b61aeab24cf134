"""Tools for mail. They write drafts, and send only what the call's context lets out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tinyagent.apps.base import MailDraft, SelectedMail, StoredMail
from tinyagent.domain.tools import Recipients
from tinyagent.errors import ChangedSince, NoMatch
from tinyagent.ports import ToolResult
from tinyagent.tools._addresses import email_addresses
from tinyagent.tools._prose import worded
from tinyagent.tools.context import ToolContext

SUBJECT_WORDS, SUBJECT_CHARS = 8, 60


async def compose_new_email(
    ctx: ToolContext,
    recipients: Recipients,
    cc: Recipients,
    subject: str,
    context: str,
    attachments: list[str],
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
    people, copies = email_addresses(recipients, "recipients"), email_addresses(cc, "cc")
    paths = await _files(ctx, attachments)
    title = subject.strip() or _first_words(context)
    body, remark = await worded(ctx, "email", context.strip(), subject=title, to=_people(people))
    draft = MailDraft(people, copies, title, body, paths)
    stored = await ctx.desktop.mail.compose(draft, send=ctx.call.send)
    return _result("Email", stored, paths, remark)


async def reply_to_email(
    ctx: ToolContext, cc: Recipients, context: str, attachments: list[str]
) -> ToolResult:
    """Answer the selected email, or the latest one when none is selected.

    Args:
        cc: Email addresses that get a copy.
        context: What the answer says.
        attachments: Full paths of files to attach.

    Returns:
        The draft's identifier.
    """
    paths = await _files(ctx, attachments)
    copies = email_addresses(cc, "cc")
    original = await _original(ctx)
    body, remark = await worded(ctx, "email", context.strip())
    stored = await ctx.desktop.mail.reply(original, copies, body, paths, send=ctx.call.send)
    return _result("Reply", stored, paths, remark)


async def forward_email(
    ctx: ToolContext, recipients: Recipients, cc: Recipients, context: str, attachments: list[str]
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
    people, copies = email_addresses(recipients, "recipients"), email_addresses(cc, "cc")
    original = await _original(ctx)
    body, remark = await worded(ctx, "email", context.strip(), to=_people(people))
    stored = await ctx.desktop.mail.forward(original, people, copies, body, paths, send=ctx.call.send)
    return _result("Forward", stored, paths, remark)


async def reply_details(ctx: ToolContext, *_: object) -> dict[str, str]:
    """The message that a reply would answer now, and the addresses that it would go to."""
    return _described(await ctx.desktop.mail.selected())


async def forward_details(ctx: ToolContext, *_: object) -> dict[str, str]:
    """The message that a forward would pass on now; whom it goes to is among the arguments."""
    described = _described(await ctx.desktop.mail.selected())
    return {name: text for name, text in described.items() if name != "to"}


def _described(mail: SelectedMail) -> dict[str, str]:
    return {
        "original": mail.id,
        "sender": mail.sender,
        "subject": mail.subject,
        "to": _people(mail.answer_to),
    }


async def _original(ctx: ToolContext) -> str:
    """The id of the message to act on: the approved one, else the selected one.

    Raises ChangedSince when the approved message is not what the user saw.
    """
    approved = ctx.call.details or {}
    if "original" not in approved:
        return (await ctx.desktop.mail.selected()).id
    now = await _still_selected(ctx, approved["original"])
    if any(approved.get(name, text) != text for name, text in now.items()):
        raise ChangedSince(
            "The mail is not the one that was approved: its sender or the addresses to answer have changed.",
            hint="Look at the selected mail and ask again.",
        )
    return approved["original"]


async def _still_selected(ctx: ToolContext, original: str) -> dict[str, str]:
    """The approved message as it is now; empty when the user has selected another one meanwhile."""
    try:
        selected = await ctx.desktop.mail.selected()
    except NoMatch:
        return {}
    return _described(selected) if selected.id == original else {}


def _people(addresses: Iterable[str]) -> str:
    return ", ".join(addresses)


async def _files(ctx: ToolContext, paths: Iterable[str]) -> tuple[Path, ...]:
    return tuple([await ctx.desktop.files.check(path.strip()) for path in paths if path.strip()])


def _first_words(text: str) -> str:
    words = " ".join(text.split()[:SUBJECT_WORDS])
    return (
        words
        if len(words) <= SUBJECT_CHARS
        else words[:SUBJECT_CHARS].rpartition(" ")[0] or words[:SUBJECT_CHARS]
    )


def _result(kind: str, mail: StoredMail, attachments: Sequence[Path], wording: str) -> ToolResult:
    title = f": “{mail.subject}”" if mail.subject else ""
    with_files = f" with {', '.join(path.name for path in attachments)} attached" if attachments else ""
    what = f"{kind} to {_people(mail.recipients)}{with_files}"
    remark = f" {mail.remark}{wording}" if mail.remark else wording
    if mail.status == "sent":
        return ToolResult(f"Sent: {mail.id}", f"{what} sent{title}.{remark}", undo=mail.undo)
    told = f"{what} saved as a draft (not sent){title}.{remark}"
    return ToolResult(f"Draft saved: {mail.id}", told, undo=mail.undo)
