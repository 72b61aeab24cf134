"""The address book through the Contacts framework, where its Python bridge is installed and access was given.

Nothing here asks the user for access: without it, or without the bridge, there is no store.
"""

from __future__ import annotations

import importlib
from typing import Any

from tinyagent.apps.formats.vcard import Card, plain_label
from tinyagent.apps.macos._cards import Entry, card_of
from tinyagent.errors import AppFailed

_CONTACTS = 0
_AUTHORIZED = 3
_ORGANIZATION = 1

_KEYS = (
    "CNContactIdentifierKey",
    "CNContactTypeKey",
    "CNContactNamePrefixKey",
    "CNContactGivenNameKey",
    "CNContactMiddleNameKey",
    "CNContactFamilyNameKey",
    "CNContactNicknameKey",
    "CNContactOrganizationNameKey",
    "CNContactJobTitleKey",
    "CNContactPhoneNumbersKey",
    "CNContactEmailAddressesKey",
    "CNContactRelationsKey",
)
"""Notes are left out: they need an entitlement, and asking for them fails the whole request."""


def contact_store() -> ContactStore | None:
    """The address book; None when it may not be read."""
    try:
        framework = importlib.import_module("Contacts")
    except ImportError:
        return None
    if framework.CNContactStore.authorizationStatusForEntityType_(_CONTACTS) != _AUTHORIZED:
        return None
    return ContactStore(framework)


class ContactStore:
    """Blocking access to the address book."""

    def __init__(self, framework: Any) -> None:
        self._framework = framework

    def cards(self) -> list[Card]:
        """Every contact. Raises AppFailed."""
        store: Any = self._framework.CNContactStore.alloc().init()
        keys = [getattr(self._framework, name) for name in _KEYS]
        request: Any = self._framework.CNContactFetchRequest.alloc().initWithKeysToFetch_(keys)
        found: list[Card] = []

        def take(contact: Any, _stop: Any) -> None:
            card = card_of(_entry(contact))
            if card is not None:
                found.append(card)

        done, _ = store.enumerateContactsWithFetchRequest_error_usingBlock_(request, None, take)
        if not done:
            raise AppFailed("The address book could not be read.", hint="Open Contacts and ask again.")
        return found


def _entry(contact: Any) -> Entry:
    parts = (contact.givenName(), contact.middleName(), contact.familyName())
    given, middle, family = (str(part or "").strip() for part in parts)
    organization = str(contact.organizationName() or "")
    is_group = contact.contactType() == _ORGANIZATION
    prefix = str(contact.namePrefix() or "").strip()
    full = organization if is_group else " ".join(part for part in (prefix, given, middle, family) if part)
    pairs = [f"{given} {family}".strip(), f"{family} {given}".strip()]
    return Entry(
        id=str(contact.identifier()),
        name=full,
        other_names=() if is_group else tuple(pairs),
        title=prefix,
        nickname=str(contact.nickname() or ""),
        organization=organization,
        described=tuple(text for text in (str(contact.jobTitle() or ""),) if text),
        phones=tuple((_label(item), str(item.value().stringValue())) for item in contact.phoneNumbers()),
        emails=tuple((_label(item), str(item.value())) for item in contact.emailAddresses()),
        related=tuple((_label(item), str(item.value().name())) for item in contact.contactRelations()),
    )


def _label(item: Any) -> str:
    return plain_label(str(item.label() or ""))
