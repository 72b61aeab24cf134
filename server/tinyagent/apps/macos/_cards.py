"""Contacts of macOS as the cards by which people are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyagent.apps.formats.vcard import Card, plain_label

_MOBILE = frozenset({"mobile", "iphone", "cell", "apple watch"})
_NO_TELEPHONE = ("fax", "pager")

Labelled = tuple[str, str]
"""A label in plain words and a value."""


@dataclass(frozen=True)
class Entry:
    """What the address book says about one contact."""

    id: str
    name: str
    phones: Sequence[Labelled]
    emails: Sequence[Labelled]
    other_names: Sequence[str] = ()
    title: str = ""
    nickname: str = ""
    organization: str = ""
    described: Sequence[str] = ()
    related: Sequence[Labelled] = ()


def entry_of(record: dict[str, Any]) -> Entry:
    """A record that a script answered; what is missing counts as empty."""
    return Entry(
        id=_text(record.get("id")),
        name=_text(record.get("name")),
        nickname=_text(record.get("nickname")),
        organization=_text(record.get("organization")),
        phones=_labelled(record.get("phones")),
        emails=_labelled(record.get("emails")),
    )


def card_of(entry: Entry) -> Card | None:
    """The card of an entry; None when nothing names it."""
    emails = tuple(dict.fromkeys(value.strip() for _, value in entry.emails if value.strip()))
    names = [name for name in (entry.name, *entry.other_names) if name.strip()]
    if not names:
        names = [name for name in (entry.organization, *emails[:1]) if name.strip()]
    if not names:
        return None
    relations = tuple(entry.related)
    return Card(
        id=entry.id,
        names=tuple(dict.fromkeys(names)),
        titles=(entry.title,) if entry.title else (),
        nicknames=tuple(part.strip() for part in entry.nickname.split(",") if part.strip()),
        described=(*entry.described, *(name for _, name in relations)),
        related=relations,
        is_group=bool(entry.organization) and names[0] == entry.organization,
        phones=_best_phones(entry.phones),
        emails=emails,
    )


def _best_phones(phones: Sequence[Labelled]) -> tuple[str, ...]:
    """The mobile numbers, else all that can take a call."""
    numbers: dict[str, bool] = {}
    for label, value in phones:
        kind, number = label.casefold(), value.strip()
        if number and not any(word in kind for word in _NO_TELEPHONE):
            numbers[number] = numbers.get(number, False) or kind in _MOBILE
    mobile = tuple(number for number, is_mobile in numbers.items() if is_mobile)
    return mobile or tuple(numbers)


def _labelled(values: Any) -> tuple[Labelled, ...]:
    pairs: list[dict[str, Any]] = [value for value in values or () if isinstance(value, dict)]
    return tuple((plain_label(_text(pair.get("label"))), _text(pair.get("value"))) for pair in pairs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
