"""Clauses put together to a request: sentences, lists, one breath; orders as questions and wishes.

Text and phrasing are made by one pattern in which `{0}` stands for the first clause and `^` for the
start of a sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from tinyagent.training.grammar.clauses import Clause

_WRAPPERS = (
    ("could you ", "?"), ("can you ", "?"), ("please ", "."), ("would you ", "?"), ("could you please ", "?"),
    ("I need you to ", "."), ("I'd like you to ", "."), ("can you please ", "?"), ("would you kindly ", "?"),
    ("go ahead and ", "."), ("I want you to ", "."), ("pls ", "."), ("any chance you could ", "?"),
    ("would you be so kind as to ", "?"), ("you could ", "."), ("do me a favour and ", "."), ("kindly ", "."),
    ("I'd be glad if you could ", "."), ("might you ", "?"), ("hey, ", "."), ("just ", "."),
    ("I need to ", "."), ("I want to ", "."), ("I have to ", "."), ("help me ", "."), ("let's ", "."),
    ("can we ", "?"), ("can I get you to ", "?"), ("it would help if you could ", "."), ("OK, ", "."),
)  # fmt: skip
_INSIDE = (
    ", then ", " and ", " and ", ", and ", ", and then ", " and then ", " then ", " and also ", ", also ",
)  # fmt: skip
_ORDER_LEADS = (
    "Then ", "Also ", "After that ", "Also, ", "Oh, and ", "And ", "Next, ", "Plus, ", "While you're at it, ",
    "Once that's done, ", "When that's done, ", "But before that, ", "And then ", "Besides that, ",
    "Afterwards ", "Oh and ", "As well as that, ", "On top of that, ", "Second thing: ", "One more thing: ",
    "That done, ", "In the meantime ", "Lastly, ", "Apart from that, ", "Also please ", "And please ",
)  # fmt: skip
_LEADS = (
    "Also, ", "Oh, and ", "And ", "Plus, ", "One more thing: ", "Besides, ", "Another thing: ", "Oh and ",
)  # fmt: skip
_HEADS = (
    "", "", "", "To do:\n", "A few things:\n", "For today:\n", "Please:\n", "My list:\n", "Things to do:\n",
    "Could you do these:\n", "Morning! Here goes:\n", "Before I leave:\n",
)  # fmt: skip
_BULLETS = ("- ", "* ", "• ", "– ")
_NO_QUESTION = re.compile(r"^(?:I need to|I want to|I have to|let's|can we|help me) $")
_SELF = ("remind ", "tell ", "let ", "don't ", "make sure ", "poke ", "nudge ", "ping ")


def pattern(clauses: Sequence[Clause], chance: random.Random) -> str:
    """How the clauses are put together."""
    if len(clauses) == 1:
        return _sentence([0], clauses, chance)
    drawn = 1.0 if any(clause.mood == "aside" for clause in clauses) else chance.random()
    open_ended = any(clause.closed for clause in clauses)
    if drawn < 0.1 and not open_ended:
        return _breath(clauses, chance)
    if drawn < 0.17:
        return _numbered(clauses, chance)
    if drawn < 0.24:
        return _listed(clauses, chance)
    if drawn < 0.3:
        return "^" + "; ".join(_items(clauses)) + "."
    if drawn < 0.34:
        return "\n".join(f"^{item}" for item in _items(clauses))
    return _sentences(clauses, chance)


def filled(shape: str, texts: Sequence[str]) -> str:
    """The pattern with its clauses in it; `^` is left where sentences begin."""
    text = re.sub(r"\{(\d)\}", lambda match: texts[int(match[1])], shape)
    return re.sub(r"([?!.…][\"'”]?)\.(?=\s|$)", r"\1", text)


def _breath(clauses: Sequence[Clause], chance: random.Random) -> str:
    """Everything in one breath, as people dictate."""
    return "^" + chance.choice(_INSIDE[:5]).join(f"{{{index}}}" for index in range(len(clauses)))


def _numbered(clauses: Sequence[Clause], chance: random.Random) -> str:
    mark = chance.choice((". ", ") ", ". "))
    between = chance.choice(("\n", "\n", " "))
    lines = (f"{number}{mark}^{item}" for number, item in enumerate(_items(clauses), 1))
    head = chance.choice(_HEADS)
    return head + (between if head.endswith("\n") or not head else "\n").join(lines)


def _listed(clauses: Sequence[Clause], chance: random.Random) -> str:
    bullet = chance.choice(_BULLETS)
    return chance.choice(_HEADS) + "\n".join(f"{bullet}^{item}" for item in _items(clauses))


def _items(clauses: Sequence[Clause]) -> list[str]:
    return [f"{{{index}}}{'?' * (clause.mood == 'question')}" for index, clause in enumerate(clauses)]


def _sentences(clauses: Sequence[Clause], chance: random.Random) -> str:
    groups: list[list[int]] = [[0]]
    for index in range(1, len(clauses)):
        before, clause = clauses[groups[-1][-1]], clauses[index]
        orders = before.mood == clause.mood == "order" and not before.closed
        if orders and len(groups[-1]) < 3 and chance.random() < 0.5:
            groups[-1].append(index)
        else:
            groups.append([index])
    return " ".join(_sentence(group, clauses, chance, number > 0) for number, group in enumerate(groups))


def _sentence(
    group: Sequence[int], clauses: Sequence[Clause], chance: random.Random, later: bool = False
) -> str:
    """Orders joined to one sentence, or one clause that is a sentence by itself."""
    first = clauses[group[0]]
    places = [f"{{{index}}}" for index in group]
    body = places[0]
    if len(places) == 3 and chance.random() < 0.6:
        body = f"{places[0]}, {places[1]}{chance.choice((' and ', ', and ', ' and then '))}{places[2]}"
    else:
        for place in places[1:]:
            body += chance.choice(_INSIDE) + place
    if first.mood != "order":
        leads = later and first.mood != "aside" and chance.random() < 0.3
        lead = chance.choice(_LEADS) if leads else ""
        return f"^{lead}{body}{'?' if first.mood == 'question' else '.'}"
    lead = chance.choice(_ORDER_LEADS) if later and chance.random() < 0.5 else ""
    end = "."
    if chance.random() < (0.12 if lead else 0.3):
        before, end = chance.choice(_fitting([clauses[index] for index in group]))
        lead += before
    return f"^{lead}{body}{end}"


def _fitting(group: Sequence[Clause]) -> list[tuple[str, str]]:
    """Wrappers that suit: nobody wants to remind themselves."""
    to_me = any(clause.text.startswith(_SELF) or " me " in f" {clause.text} " for clause in group)
    return [pair for pair in _WRAPPERS if not (to_me and _NO_QUESTION.match(pair[0]))]
