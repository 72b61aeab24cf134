"""The tool that writes text messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from phonenumbers import normalize_digits_only

from tinyagent.domain.tools import Recipients
from tinyagent.errors import ToolError
from tinyagent.ports import ToolResult
from tinyagent.tools._phones import dialable
from tinyagent.tools._phrases import quoted
from tinyagent.tools.context import ToolContext

NAMING_S = 5.0
_ENDING = 7
"""Digits at the end of a number that are the same however it is written."""


async def send_sms(context: ToolContext, recipients: Recipients, message: str) -> ToolResult:
    """Send a text message to phone numbers.

    Args:
        recipients: Phone numbers of the people who get the same text.
        message: The text.

    Returns:
        A status with the message's identifier.
    """
    if not message.strip():
        raise ToolError("The text message is empty.", hint="Say what it should tell.", param="message")
    numbers = _numbers(recipients, context.region)
    people = ", ".join(await _named(context, numbers))
    made = await context.desktop.messages.send(numbers, message, send=context.call.send)
    if context.call.send:
        return ToolResult(
            f"Sent the text message {made.id}.",
            f"Text message to {people} sent: {quoted(message)}",
            undo=made.undo,
        )
    return ToolResult(
        f"Stored the text message {made.id}.",
        f"Text message to {people} put into the outbox (not sent): {quoted(message)}",
        undo=made.undo,
    )


async def _named(context: ToolContext, numbers: Sequence[str]) -> list[str]:
    """The numbers with the names of the contacts that have them, so that a wrong one is noticed.

    Bare numbers when the contacts cannot be read, or not soon: the message does not depend on it.
    """
    try:
        async with asyncio.timeout(NAMING_S):
            return await _with_owners(context, numbers)
    except (TimeoutError, ToolError):
        return list(numbers)


async def _with_owners(context: ToolContext, numbers: Sequence[str]) -> list[str]:
    owners: dict[str, dict[str, None]] = {number: {} for number in numbers}
    endings = {number[-_ENDING:] for number in numbers}
    for contact in await context.desktop.contacts.all():
        for phone in contact.phones:
            if normalize_digits_only(phone)[-_ENDING:] in endings:  # the exact comparison is slow
                owners.get(dialable(phone, context.region) or "", {})[contact.name] = None
    return [f"{' or '.join(names)} ({number})" if names else number for number, names in owners.items()]


def _numbers(texts: Sequence[str], region: str) -> tuple[str, ...]:
    """The numbers, each once. Raises ToolError when there is none, or one that cannot be dialled."""
    numbers: dict[str, None] = {}
    for text in texts:
        number = dialable(text, region)
        if number:
            numbers[number] = None
        elif text.strip():
            raise ToolError(
                f"“{text}” is not a phone number.",
                hint="Give a number such as +1 415 555 0142, or the name of a contact who has one.",
                param="recipients",
            )
    if not numbers:
        raise ToolError("The text message has no recipient.", hint="Say who gets it.", param="recipients")
    return tuple(numbers)
