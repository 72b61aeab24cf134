"""What fills a slot: chosen once, then put into words and, where it must be looked up, into calls."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from tinyagent.domain.plan import escape_dollars
from tinyagent.training.grammar.dates import ROLES, Phrase, date_phrase
from tinyagent.training.grammar.draft import Argument, Draft, Person, Result, Unfit
from tinyagent.training.grammar.lexicon import Entry, entries
from tinyagent.training.grammar.people import adapted, listed, literal, person, plain_pronoun, pronoun_of
from tinyagent.training.split import Part

_Choice = TypeVar("_Choice")
_ARTICLES = ("the ", "a ", "an ")
_MARKS = (('"', '"'), ('"', '"'), ("'", "'"), ("“", "”"), ('"', '"'))
_PLURAL = ("s", "lot", "crew", "staff")
_QUOTE_CHANCE, _AGAIN_CHANCE, _LITERAL_CHANCE = 0.2, 0.35, 0.07


@dataclass
class Filling:
    """A slot's words and value, with further values (`name_more`) and other wordings (`{name.more}`)."""

    text: str
    value: Argument = ""
    more: dict[str, str] = field(default_factory=dict[str, str])
    look_up: Callable[[], Argument] | None = None
    """Makes the calls that find the value, when a call needs it."""


@dataclass
class Filler:
    """Fills the slots of one clause. `memo` keeps choices that several clauses must share."""

    part: Part
    chance: random.Random
    draft: Draft
    memo: dict[str, object] | None = None
    people: list[tuple[Person, ...]] = field(default_factory=list[tuple[Person, ...]])
    told: tuple[Person, ...] = ()
    """Who is told what is reported."""
    dates: list[Phrase] = field(default_factory=list[Phrase])

    def fill(self, slot: str, kind: str, is_subject: bool = False) -> Filling:
        """The filling of a slot. Raises Unfit when it leans on something that was not said."""
        if kind in ROLES:
            return self._date(slot, kind)
        if kind in _PEOPLE:
            return self._people(slot, kind, is_subject)
        return self._specials().get(kind, self._words)(slot, kind)

    def _specials(self) -> dict[str, Callable[[str, str], Filling]]:
        """How kinds are filled that are no plain words."""
        return {
            "note": self._titled, "say": self._report, "ask": self._report, "order": self._report,
            "wish": self._report, "fact": self._report, "said": self._said, "quote": self._quote,
            "file": self._file, "pdf": self._pdf, "document": self._document, "it": self._it,
            "attachment": self._attachment, "file_named": self._named_file, "pdf_named": self._named_file,
            "it_file": self._it_file,
        }  # fmt: skip

    def _once(self, slot: str, choose: Callable[[], _Choice]) -> _Choice:
        """A choice; the same one for the same slot wherever choices are shared."""
        if self.memo is None:
            return choose()
        if slot not in self.memo:
            self.memo[slot] = choose()
        return cast("_Choice", self.memo[slot])

    def _entry(self, slot: str, kind: str) -> Entry:
        return self._once(slot, lambda: self.chance.choice(entries(kind, self.part)))

    # --- dates and people --------------------------------------------------------------------

    def _date(self, slot: str, role: str) -> Filling:
        if role == "lean" and not self.draft.has_event:
            raise Unfit
        phrase = self._once(slot, lambda: date_phrase(role, self.part, self.chance))
        self.dates.append(phrase)
        return Filling(phrase.text, phrase.value, {"end": phrase.end})

    def _people(self, slot: str, kind: str, is_subject: bool) -> Filling:
        channel, count, again = _PEOPLE[kind]
        can_lean = bool(self.draft.people) and not self.people and not is_subject
        if again and not can_lean:
            raise Unfit
        if again or (can_lean and count == "some" and self.chance.random() < _AGAIN_CHANCE):
            group = self.draft.people
            text = pronoun_of(group, self.chance)
        else:
            group = self._once(slot, lambda: self._group(channel, count))
            text = listed([one.text for one in group], self.chance)
        if len({one.name for one in group} & {one.name for named in self.people for one in named}):
            raise Unfit
        self.people.append(group)
        if not slot.startswith("cc"):
            self.told = group
        tool, argument = _LOOKUP.get(channel, ("", ""))
        names = _all_named([one.name if one.name[:1].isupper() else one.text for one in group])
        more = {"names": names, "name": group[0].name, "them": plain_pronoun(group)}

        def found() -> Argument:
            return [one.name if one.literal or not tool else self.draft.call(tool, {argument: one.name})
                    for one in group]  # fmt: skip

        return Filling(text, "", more, found)

    def _group(self, channel: str, count: str) -> tuple[Person, ...]:
        size = {"one": 1, "two": 2}.get(count) or self.chance.choices((1, 2, 3, 4), (70, 20, 8, 2))[0]
        group: list[Person] = []
        while len(group) < size:
            given = channel and count == "some" and self.chance.random() < _LITERAL_CHANCE
            one = literal(channel, self.part, self.chance) if given else person(self.part, self.chance)
            several = count == "one" and one.text.endswith(_PLURAL)
            if not several and one.name not in [known.name for known in group]:
                group.append(one)
        return tuple(group)

    # --- words --------------------------------------------------------------------------------

    def _words(self, slot: str, kind: str) -> Filling:
        """A word from the lexicon, of which the plan holds all but a leading article."""
        entry = self._entry(slot, kind)
        name = entry.text
        for article in _ARTICLES:
            name = name.removeprefix(article)
        return Filling(entry.text, escape_dollars(entry.column(0) if entry.columns else name), {"bare": name})

    def _titled(self, slot: str, kind: str) -> Filling:
        """A name that somebody gave: now and then in quotes."""
        filling = self._words(slot, kind)
        if self.chance.random() < _QUOTE_CHANCE:
            left, right = self.chance.choice(_MARKS)
            filling.text = f"{left}{filling.text}{right}"
        return filling

    def _report(self, slot: str, kind: str) -> Filling:
        """What is told: as reported, as said, and what it is about."""
        known = self.told
        entry = self._entry(slot, kind)
        if "{" in entry.text and not known:
            raise Unfit
        text = adapted(entry.text, known) if known else entry.text
        said = entry.column(0)
        said = said if said.endswith(("?", ".", "!")) else f"{said}."
        return Filling(
            text, escape_dollars(_capital(said)), {"subject": escape_dollars(entry.column(1)), "bare": said}
        )

    def _said(self, slot: str, kind: str) -> Filling:
        """What is said, as it is said: unquoted after a colon or a dash."""
        line = self._spoken(slot)
        lower = self.chance.random() < 0.5 and not line.startswith(("I ", "I'"))
        text = line[0].lower() + line[1:] if lower else line
        return Filling(text.rstrip("."), escape_dollars(_capital(line)), {"subject": _short(line)})

    def _quote(self, slot: str, kind: str) -> Filling:
        """What is said, in quotes: the plan holds exactly that."""
        line = self._spoken(slot)
        if self.chance.random() < 0.6:
            line = line.rstrip(".")
        if self.chance.random() < 0.45 and not line.startswith(("I ", "I'")):
            line = line[0].lower() + line[1:]
        left, right = self.chance.choice(_MARKS)
        return Filling(f"{left}{line}{right}", escape_dollars(line), {"subject": _short(line)})

    def _spoken(self, slot: str) -> str:
        return self._once(slot, self._drawn_line)

    def _drawn_line(self) -> str:
        kind = self.chance.choice(("line", "line", "say", "ask"))
        entry = self.chance.choice(entries(kind, self.part))
        line = entry.text if kind == "line" else entry.column(0)
        return _capital(line if line.endswith(("?", ".", "!")) else f"{line}.")

    # --- files and results ----------------------------------------------------------------------

    def _file(self, slot: str, kind: str) -> Filling:
        return self._found(self._entry_of(slot, ("file", "file", "pdf")))

    def _pdf(self, slot: str, kind: str) -> Filling:
        return self._found(self._entry_of(slot, ("pdf",)))

    def _document(self, slot: str, kind: str) -> Filling:
        """A PDF, found by its name or given by its path."""
        kinds = ("pdf", "pdf", "pdf", "pdf", "pdf", "pdf", "path")
        entry = self._entry_of(slot, kinds)
        return self._given(entry) if "/" in entry.text else self._found(entry)

    def _attachment(self, slot: str, kind: str) -> Filling:
        entry = self._entry_of(slot, ("file", "file", "file", "pdf", "pdf", "path"))
        return self._given(entry) if "/" in entry.text else self._found(entry)

    def _named_file(self, slot: str, kind: str) -> Filling:
        """A file that is spoken of and not looked for."""
        return self._given(self._entry_of(slot, ("pdf",) if kind == "pdf_named" else ("file", "pdf")))

    def _entry_of(self, slot: str, kinds: tuple[str, ...]) -> Entry:
        return self._once(slot, lambda: self.chance.choice(entries(self.chance.choice(kinds), self.part)))

    def _found(self, entry: Entry) -> Filling:
        def found() -> Argument:
            return self.draft.call("open_and_get_file_path", {"file_name": entry.text})

        return Filling(entry.text, "", _file_words(entry), found)

    def _given(self, entry: Entry) -> Filling:
        return Filling(entry.text, entry.text, _file_words(entry))

    def _it(self, slot: str, kind: str) -> Filling:
        """The result of an earlier clause, spoken of again."""
        return self._again(lambda result: result.kind != "file")

    def _it_file(self, slot: str, kind: str) -> Filling:
        return self._again(lambda result: result.kind == "file")

    def _again(self, fits: Callable[[Result], bool]) -> Filling:
        result = self.draft.result
        if result is None or not fits(result):
            raise Unfit
        entry = self.chance.choice(entries(f"it_{result.kind}", self.part))
        more = {"subject": result.subject, "sentence": f"Here is {_lowered(result.subject)}."}
        return Filling(entry.text, result.reference, more)


def _all_named(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(subject: str) -> str:
    return f"the {subject[:1].lower()}{subject[1:]}" if not subject[:2].isupper() else f"the {subject}"


def _short(line: str) -> str:
    """The first words of what is said, as a subject."""
    return escape_dollars(" ".join(line.rstrip(".!?").replace(",", "").split()[:4]))


def _file_words(entry: Entry) -> dict[str, str]:
    noun = entry.column(0)
    bare = noun.removeprefix("the ").removeprefix("my ")
    verb = "are" if bare.endswith("s") and not bare.endswith("ss") else "is"
    return {
        "noun": noun,
        "subject": _capital(bare),
        "sentence": f"Here {verb} {noun}.",
        "file": entry.text,
    }


_LOOKUP = {"phone": ("get_phone_number", "name"), "email": ("get_email_address", "name")}
_PEOPLE = {
    "phones": ("phone", "some", False),
    "phone": ("phone", "one", False),
    "phone_two": ("phone", "two", False),
    "phones_again": ("phone", "", True),
    "emails": ("email", "some", False),
    "email": ("email", "one", False),
    "email_two": ("email", "two", False),
    "emails_again": ("email", "", True),
    "somebody": ("", "one", False),
}
"""Slots of people: how they are reached, how many there are, whether they were named before."""
