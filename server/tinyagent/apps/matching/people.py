"""Which cards of the address book a spoken name means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyagent.apps.base import Contact
from tinyagent.apps.formats.vcard import Card
from tinyagent.apps.matching.text import key, same_with_typo, words

SHORTEST_PREFIX = 3
"""Fewer letters are an initial, which counts only beside a whole word of the name."""

_SPELLINGS = {
    "doctor": "dr", "professor": "prof", "mister": "mr", "reverend": "rev",
    "mum": "mother", "mom": "mother", "mommy": "mother", "mummy": "mother", "mama": "mother",
    "dad": "father", "daddy": "father", "papa": "father",
    "grandma": "grandmother", "granny": "grandmother", "nana": "grandmother",
    "grandpa": "grandfather", "granddad": "grandfather", "grandad": "grandfather",
    "sis": "sister", "bro": "brother", "hubby": "husband",
}  # fmt: skip
_TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "dame", "herr", "frau"} | {
    "madame", "mme", "monsieur", "signor", "signora", "senor", "senora",
}  # fmt: skip
_POSSESSIVES = {"my", "our", "the"}
_GROUP_WORDS = {"team", "group", "department", "dept", "list", "everyone"}


@dataclass(frozen=True)
class _Name:
    """A name split into its words, for comparison."""

    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        every = tuple(_SPELLINGS.get(word, word) for word in words(self.text))
        return every[1:] if len(every) > 1 and every[0] in _POSSESSIVES else every

    @cached_property
    def key(self) -> str:
        return " ".join(self.words) or key(self.text)

    @cached_property
    def titles(self) -> frozenset[str]:
        return frozenset(self.words) & _TITLES

    @cached_property
    def core(self) -> tuple[str, ...]:
        """The words without titles, unless there are no others."""
        return tuple(word for word in self.words if word not in _TITLES) or self.words

    @cached_property
    def group(self) -> tuple[str, ...]:
        return tuple(word for word in self.words if word not in _GROUP_WORDS) or self.words


@dataclass(frozen=True)
class Person:
    """A card with its names prepared for comparison."""

    card: Card

    @property
    def contact(self) -> Contact:
        """The person as tools know one."""
        return Contact(self.card.id, self.card.names[0], self.card.phones, self.card.emails)

    @cached_property
    def names(self) -> tuple[_Name, ...]:
        return tuple(_Name(name) for name in self.card.names)

    @cached_property
    def titles(self) -> frozenset[str]:
        own = frozenset(word for title in self.card.titles for word in _Name(title).words)
        return own.union(*(name.titles for name in self.names))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(word for name in self.names for word in name.words) | self.titles

    @cached_property
    def nicknames(self) -> frozenset[str]:
        return _keys(self.card.nicknames)

    @cached_property
    def described(self) -> frozenset[str]:
        return _keys(self.card.described)


def best_matches(name: str, people: Sequence[Person], owner: str = "") -> list[Person]:
    """The people who tie for the best kind of match; empty when nobody matches.

    The card with the email address `owner` is the user's own: the relations on it ("sister: Jane")
    say whom the user means by them.
    """
    asked = _Name(name)
    ranked = [(kind, person) for person in people if (kind := _kind_of_match(asked, person)) is not None]
    best = min((kind for kind, _ in ranked), default=None)
    if best is None or best > _NICKNAME:
        relatives = _relatives(asked.key, people, owner)
        if relatives:
            return relatives
    return [person for kind, person in ranked if kind == best]


_FULL_NAME, _WITHOUT_TITLE, _NICKNAME, _DESCRIPTION, _WHOLE_WORDS, _PREFIX, _TYPO = range(7)


def _kind_of_match(asked: _Name, person: Person) -> int | None:
    if any(asked.key == name.key for name in person.names):
        return _FULL_NAME
    titles_agree = asked.titles <= person.titles or not person.titles
    if titles_agree and any(asked.core == name.core for name in person.names):
        return _WITHOUT_TITLE
    if person.card.is_group and any(asked.group == name.group for name in person.names):
        return _WITHOUT_TITLE
    if asked.key in person.nicknames:
        return _NICKNAME
    if asked.key in person.described:
        return _DESCRIPTION
    if not titles_agree or not asked.core:
        return None
    if person.words.issuperset(asked.core):
        return _WHOLE_WORDS
    if _is_prefix(asked.core, person.words):
        return _PREFIX
    if all(any(same_with_typo(word, stored) for stored in person.words) for word in asked.core):
        return _TYPO
    return None


def _is_prefix(asked: Iterable[str], stored: frozenset[str]) -> bool:
    parts = [word for word in asked if word not in stored]
    long_enough = all(len(word) >= SHORTEST_PREFIX for word in parts) or len(parts) < len(tuple(asked))
    return long_enough and all(any(word.startswith(part) for word in stored) for part in parts)


def _relatives(relation: str, people: Sequence[Person], owner: str) -> list[Person]:
    address = owner.casefold()
    own = [person for person in people if address and address in map(str.casefold, person.card.emails)]
    named = {
        value
        for person in own
        for label, value in person.card.related
        if label and _Name(label).key == relation
    }
    found = [person for person in people if person.card.id in named]
    for name in named:
        found.extend(match for match in best_matches(name, people) if match not in found)
    return found


def _keys(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(_Name(text).key for text in texts)
