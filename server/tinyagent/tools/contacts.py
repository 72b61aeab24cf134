"""Tools that look people up in the contacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinyagent.apps.base import Contact
from tinyagent.errors import Ambiguous, NoMatch
from tinyagent.ports import ToolResult
from tinyagent.tools._phones import dialable
from tinyagent.tools.context import ToolContext

SUGGESTIONS = 3
_STEM = 3


async def get_phone_number(context: ToolContext, name: str) -> ToolResult:
    """Look up the phone number of a person or group in the contacts.

    Args:
        name: Who to look up, as the user calls them.

    Returns:
        One phone number in international form.
    """

    def numbers_of(contact: Contact) -> tuple[str, ...]:
        numbers = (dialable(phone, context.region) for phone in contact.phones)
        return tuple(dict.fromkeys(number for number in numbers if number))

    contact, numbers = await _look_up(context, name, "phone number", numbers_of)
    if len(numbers) > 1:
        raise Ambiguous(
            f"{contact.name} has several phone numbers.",
            hint="Say which one, or mark the one to use as mobile or preferred in the contact.",
            candidates=[f"{contact.name} ({number})" for number in numbers],
        )
    return ToolResult(numbers[0], f"The phone number of {contact.name} is {numbers[0]}.")


async def get_email_address(context: ToolContext, name: str) -> ToolResult:
    """Look up the email address of a person or group in the contacts.

    Args:
        name: Who to look up, as the user calls them.

    Returns:
        One email address.
    """
    contact, addresses = await _look_up(context, name, "email address", lambda contact: contact.emails)
    rest = f" (the first of {len(addresses)})" if len(addresses) > 1 else ""
    return ToolResult(addresses[0], f"The email address of {contact.name} is {addresses[0]}{rest}.")


async def _look_up(
    context: ToolContext, name: str, detail: str, details_of: Callable[[Contact], tuple[str, ...]]
) -> tuple[Contact, list[str]]:
    """The one contact that the name means, with at least one detail.

    Raises NoMatch (also when the contact lacks the detail) or Ambiguous.
    """
    found = [(contact, details_of(contact)) for contact in await context.desktop.contacts.find(name)]
    if not found:
        raise await _unknown(context, name)
    served = [(contact, details) for contact, details in found if details]
    if not served:
        names = " and ".join(dict.fromkeys(contact.name for contact, _ in found))
        raise NoMatch(
            f"The contacts have no {detail} for {names}.",
            hint=f"Add one, or give the {detail} in the request.",
        )
    if _are_one(found, served):
        contact, details = served[0]
        return contact, list(details)
    raise Ambiguous(
        f"“{name}” can mean several contacts.",
        hint="Say which one.",
        candidates=[f"{contact.name} ({', '.join(details) or 'no ' + detail})" for contact, details in found],
    )


def _are_one(
    found: Sequence[tuple[Contact, tuple[str, ...]]], served: Sequence[tuple[Contact, tuple[str, ...]]]
) -> bool:
    """Whether it does not matter which one is meant: one contact, or copies of one."""
    same_details = len({details for _, details in served}) == 1
    same_name = len({contact.name.casefold() for contact, _ in found}) == 1
    return len(found) == 1 or (same_details and (same_name or len(served) == len(found)))


async def _unknown(context: ToolContext, name: str) -> NoMatch:
    """The error for an unknown name, with the names that share a word or its beginning."""
    parts = name.split()
    near: dict[str, None] = {}
    for part in dict.fromkeys([*parts, *(part[:_STEM] for part in parts)]):
        if len(part) >= _STEM:
            near.update(dict.fromkeys(contact.name for contact in await context.desktop.contacts.find(part)))
    names = list(near)[:SUGGESTIONS]
    add = "dd the contact, or give the address or number."
    hint = f"Say which one you mean, or a{add}" if names else f"A{add}"
    return NoMatch(f"There is no contact called “{name}”.", hint=hint, candidates=names)
