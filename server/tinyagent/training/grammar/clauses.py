"""One clause: a form with its slots filled, its calls made."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate

from tinyagent.training.grammar.draft import Draft, Result, Unfit
from tinyagent.training.grammar.fillings import Filler, Filling
from tinyagent.training.grammar.forms import Form, Frame, Mood, foreign, frames, phrasing_of, role_of
from tinyagent.training.grammar.values import HELPERS, Values, evaluated
from tinyagent.training.split import Part

_SLOT = re.compile(r"\{(?P<slot>[a-z_]+\d?)(?:\.(?P<more>[a-z]+))?\}")
_BEFORE_SUBJECT = re.compile(
    r"(?:^|[.:;] |\b(?:can|could|would|should|does|do|did|has|have|is|isn't|may) )$", re.IGNORECASE
)
_OPEN_ENDED = frozenset({"said", "shopping"})
"""Kinds after which a sentence ends, because what follows would be read as a part of them."""
_THING = "thing_"
_TRIES = 32


@dataclass(frozen=True)
class Clause:
    """What is said in a clause. `phrasing` is its form with the roles of the slots in their places."""

    text: str
    phrasing: str
    mood: Mood
    closed: bool
    frame: str


@dataclass
class _Said:
    """A form in words; its calls are made when they are needed."""

    frame: Frame
    text: str = ""
    phrasing: str = ""
    values: Values = field(default_factory=lambda: Values(HELPERS))
    waiting: dict[str, Filling] = field(default_factory=dict[str, Filling])
    things: dict[str, _Said] = field(default_factory=dict[str, "_Said"])


def made(
    frame: Frame,
    form: Form,
    draft: Draft,
    part: Part,
    chance: random.Random,
    memo: dict[str, object] | None = None,
) -> tuple[Clause, Draft]:
    """The clause and the draft with its calls. Raises Unfit when the form does not fit here."""
    maker = _Maker(part, chance, draft.copy(), memo)
    template = maker.drawn(frame, form)
    said = maker.said(frame, template)
    maker.act(said)
    maker.leave(said)
    last = list(_SLOT.finditer(template))[-1:]
    closed = any(slot.end() == len(template) and frame.kind(slot["slot"]) in _OPEN_ENDED for slot in last)
    return Clause(said.text, said.phrasing, form.mood, closed, frame.name), maker.draft


def drawn(draft: Draft, part: Part, chance: random.Random) -> tuple[Clause, Draft]:
    """Any clause that fits the draft. Raises Unfit when none was found."""
    known, weights = _weighted(part, things=False)
    for _ in range(_TRIES):
        frame, forms = chance.choices(known, cum_weights=weights)[0]
        try:
            return made(frame, chance.choice(forms), draft, part, chance)
        except Unfit:
            continue
    raise Unfit


@cache
def _weighted(part: Part, things: bool) -> tuple[list[tuple[Frame, tuple[Form, ...]]], list[float]]:
    """The frames that are clauses, or those that stand for a thing; and the sums of their weights."""
    known = [found for found in frames(part) if found[0].name.startswith(_THING) == things]
    return known, list(accumulate(frame.weight for frame, _ in known))


class _Maker:
    def __init__(
        self, part: Part, chance: random.Random, draft: Draft, memo: dict[str, object] | None
    ) -> None:
        self.draft = draft
        self._part, self._chance = part, chance
        self._filler = Filler(part, chance, draft, memo)

    def drawn(self, frame: Frame, form: Form) -> str:
        """The form with its alternatives chosen. Raises Unfit when it belongs to another part."""
        template = form.drawn(self._chance)
        if phrasing_of(frame, template) in foreign(self._part):
            raise Unfit
        return template

    def said(self, frame: Frame, template: str) -> _Said:
        """The words of a form."""
        said, end = _Said(frame), 0
        wordings: dict[str, Filling] = {}
        for match in _SLOT.finditer(template):
            literal, slot = template[end : match.start()], match["slot"]
            if slot not in wordings:
                wordings[slot] = self._fill(said, slot, said.text + literal)
            filling = wordings[slot]
            shown = filling.more[match["more"]] if match["more"] else filling.text
            said.text += _agreeing(literal, shown) + shown
            thing = said.things.get(slot)
            said.phrasing += literal + (thing.phrasing if thing else f"{{{role_of(frame.kind(slot))}}}")
            end = match.end()
        said.text += template[end:]
        said.phrasing += template[end:]
        return said

    def _fill(self, said: _Said, slot: str, before: str) -> Filling:
        kind = said.frame.kind(slot)
        if kind == "thing":
            thing = self._thing()
            said.things[slot] = thing
            filling = Filling(thing.text, look_up=lambda: self._result_of(thing))
        else:
            filling = self._filler.fill(slot, kind, is_subject=bool(_BEFORE_SUBJECT.search(before)))
        said.values |= {f"{slot}_{name}": value for name, value in filling.more.items()}
        said.values[f"{slot}_text"] = filling.text
        if filling.look_up is None:
            said.values[slot] = filling.value
        else:
            said.waiting[slot] = filling
        return filling

    def _thing(self) -> _Said:
        """Something to send or to keep, in words."""
        known, weights = _weighted(self._part, things=True)
        frame, forms = self._chance.choices(known, cum_weights=weights)[0]
        return self.said(frame, self.drawn(frame, self._chance.choice(forms)))

    def _result_of(self, thing: _Said) -> str:
        self.act(thing)
        return str(thing.values["result"])

    def act(self, said: _Said) -> None:
        """Make the calls of a form, each after the calls that find what it needs, and those left over."""
        for action in said.frame.actions:
            used = " ".join(name for _, code in action.arguments for name in code.co_names)
            for slot in list(said.waiting):
                if re.search(rf"\b{slot}(?:_(?!two)|\b)", used):
                    self._look_up(said, slot)
            given = {name: evaluated(code, said.values) for name, code in action.arguments}
            result: object = self.draft.call(action.tool, given) if action.tool else given["value"]
            if action.label:
                said.values[action.label] = result
        for slot in list(said.waiting):
            self._look_up(said, slot)

    def _look_up(self, said: _Said, slot: str) -> None:
        look_up = said.waiting.pop(slot).look_up
        assert look_up is not None
        said.values[slot] = look_up()
        if slot in said.things:
            said.values[f"{slot}_subject"] = said.things[slot].values["subject"]

    def leave(self, said: _Said) -> None:
        """Note in the draft what later clauses can lean on."""
        for source in (said, *said.things.values()):
            if source.frame.leaves:
                result, subject = str(source.values["result"]), str(source.values["subject"] or "")
                self.draft.result = Result(source.frame.leaves, result, subject)
        named = self._filler.people
        if named:
            alone = len(named) == 1 and not any(one.literal for one in named[0])
            self.draft.people = named[0] if alone else ()
        if self._filler.dates:
            timed = any(phrase.timed for phrase in self._filler.dates)
            event = any(action.tool == "create_calendar_event" for action in said.frame.actions)
            self.draft.has_event = timed and event


def _agreeing(literal: str, following: str) -> str:
    """The words before a filling, with "an" for "a" before a vowel."""
    vowel = following[:1] in "aeiou" and not following.startswith(("one", "eu", "uni"))
    return f"{literal[:-2]}an " if vowel and literal.endswith((" a ",)) else literal
