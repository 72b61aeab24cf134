"""Who is spoken of: first and full names, titles, relations, groups, and literal addresses."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tinyagent.training.grammar.draft import Person
from tinyagent.training.grammar.lexicon import entries
from tinyagent.training.split import Part

_TITLES = {
    "Mrs.": "she", "Ms.": "she", "Sister": "she", "Frau": "she", "Madame": "she", "Signora": "she",
    "Mr.": "he", "Father": "he", "Herr": "he", "Monsieur": "he", "Imam": "he", "Señor": "he",
}  # fmt: skip
_ALL = {2: ("them both", "both of them", "the two of them", "them", "them"), 3: ("all three of them", "them")}
_OBJECT = {"she": "her", "he": "him", "they": "them"}
_OWN = {"she": "her", "he": "his", "they": "their"}


def person(part: Part, chance: random.Random) -> Person:
    """Anybody of the part."""
    drawn = chance.random()
    she = chance.random() < 0.5
    sex, pronoun = ("woman", "she") if she else ("man", "he")
    if drawn < 0.13:
        entry = chance.choice(entries("her" if she else "him", part))
        return Person(entry.text, entry.column(0), pronoun)
    if drawn < 0.22:
        entry = chance.choice(entries("group", part))
        return Person(entry.text, entry.column(0), "they")
    surname = chance.choice(entries("surname", part)).text
    if drawn < 0.32:
        title = chance.choice(entries("title", part)).text
        return Person(f"{title} {surname}", f"{title} {surname}", _TITLES.get(title, "they"))
    first = chance.choice(entries(sex, part)).text
    if drawn < 0.42:
        return Person(f"{first} {surname}", f"{first} {surname}", pronoun)
    if drawn < 0.5:
        relation = chance.choice(entries("relation_her" if she else "relation_him", part)).text
        return Person(f"{relation} {first}", first, pronoun)
    return Person(first, first, pronoun)


def literal(kind: str, part: Part, chance: random.Random) -> Person:
    """A phone number or a mail address that the request itself gives."""
    if kind == "phone":
        number = chance.choice(entries("number", part)).text
        return Person(number, number, "they", literal=True)
    mailbox, domain = (chance.choice(entries(name, part)).text for name in ("mailbox", "domain"))
    return Person(f"{mailbox}@{domain}", f"{mailbox}@{domain}", "they", literal=True)


def listed(texts: Sequence[str], chance: random.Random) -> str:
    """Several names in one phrase: "A, B and C"."""
    if len(texts) == 1:
        return texts[0]
    last = chance.choice((" and ", " and ", " and ", " & ", ", and " if len(texts) > 2 else " and "))
    return ", ".join(text.rstrip(",") for text in texts[:-1]) + last + texts[-1]


def pronoun_of(people: Sequence[Person], chance: random.Random) -> str:
    """How people are spoken of again, as an object."""
    if len(people) == 1:
        return plain_pronoun(people)
    return chance.choice(_ALL.get(len(people), ("all of them", "them", "the same people")))


def plain_pronoun(people: Sequence[Person]) -> str:
    """ "Her", "him" or "them"."""
    return _OBJECT[people[0].pronoun] if len(people) == 1 else "them"


def adapted(text: str, people: Sequence[Person]) -> str:
    """A report with `{they}`, `{them}` and `{their}` filled for these people."""
    pronoun = people[0].pronoun if len(people) == 1 else "they"
    for mark, word in (("{they}", pronoun), ("{them}", _OBJECT[pronoun]), ("{their}", _OWN[pronoun])):
        text = text.replace(mark, word)
    return text if pronoun == "they" else text.replace(f"{pronoun} need ", f"{pronoun} needs ")
