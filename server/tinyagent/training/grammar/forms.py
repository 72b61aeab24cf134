"""Frames of the grammar: sentence forms that mean the same calls, each form in one part of the data.

A file of `forms/` has sections

    ## sms_say weight=2 leaves=file      a frame: how often it is drawn, what "it" stands for after it
    : to=phones                          kinds of slots whose name is not their kind
    = send_sms(to, say)                  its calls; arguments without a value are left out
    text {to} that {say}                 its forms

A form ends in "." or "?" when it is a statement or a question, begins with "~" when it is no whole
sentence, and is an order otherwise. `(a|b)` are alternatives, `[a]` may be left out, `<name>` is a
macro (`%name = a|b` before the first section). Files named `pairs*.txt` hold contrasts: frames that follow
each other under one `### name` are made with the same fillings, in the same part.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Literal

from tinyagent.planners.symbols import FIELDS
from tinyagent.training.grammar.lexicon import grammar_part
from tinyagent.training.split import Part

_FOLDER = Path(__file__).parent / "forms"
_MACRO = re.compile(r"<(\w+)>")
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{([a-z_]+\d?)((?:\.[a-z]+)?)\}")
_ROLES = {
    "person": "phones phone phone_two phones_again emails email email_two emails_again somebody",
    "file": "file pdf document attachment file_named pdf_named it_file",
    "place": "place venue origin",
    "date": "when onwhen soon day time at",
    "text": "quote said",
    "it": "it",
}
"""What a slot is to somebody who reads the sentence, for its kinds."""
_ROLE_OF = {kind: role for role, kinds in _ROLES.items() for kind in kinds.split()}
_SALT = "form 94 "
"""Chosen so that training keeps the plainest forms, which the contrasts are made of."""
_HOLDERS: tuple[Part, ...] = ("test", "dev", "train")
"""Where two parts could make the same sentence, it belongs to the first of them."""

Mood = Literal["order", "statement", "question", "fragment", "aside"]
"""What a clause is as a sentence; an aside asks for nothing."""


@dataclass(frozen=True)
class Form:
    """A way to say a frame; its alternatives are still open."""

    template: str
    mood: Mood

    def drawn(self, chance: random.Random) -> str:
        """The form with its alternatives chosen."""
        text = self.template
        while match := _CHOICE.search(text):
            text = text[: match.start()] + chance.choice(match[1].split("|")) + text[match.end() :]
        return _tidy(text)

    def all_drawn(self) -> Iterator[str]:
        """Every text that `drawn` can give."""
        open_texts = [self.template]
        while open_texts:
            text = open_texts.pop()
            match = _CHOICE.search(text)
            if match is None:
                yield _tidy(text)
                continue
            open_texts += [text[: match.start()] + way + text[match.end() :] for way in match[1].split("|")]


@dataclass(frozen=True)
class Action:
    """A call that a frame makes, or (without a tool) a value; kept under `label` for later ones."""

    label: str
    tool: str
    arguments: tuple[tuple[str, CodeType], ...]


@dataclass
class Frame:
    """Calls and the forms that ask for them."""

    name: str
    weight: float = 1.0
    leaves: str = ""
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    actions: list[Action] = field(default_factory=list[Action])
    forms: list[Form] = field(default_factory=list[Form])

    def of(self, part: Part) -> list[Form]:
        return [form for form in self.forms if grammar_part(_SALT + _key(form.template)) == part]

    def kind(self, slot: str) -> str:
        """What fills a slot; a number at its end only tells it from its like."""
        return self.kinds.get(slot, slot.rstrip("0123456789"))


def _key(template: str) -> str:
    return " ".join(template.lower().split())


def _tidy(text: str) -> str:
    return re.sub(r" +(?=[,.;:?!](?: |$))", "", re.sub(r" {2,}", " ", text)).strip()


def role_of(kind: str) -> str:
    """What a slot of a kind is to somebody who reads the sentence."""
    return _ROLE_OF.get(kind, kind)


def phrasing_of(frame: Frame, text: str) -> str:
    """A drawn form with the roles of its slots in their places."""
    return _SLOT.sub(lambda match: f"{{{role_of(frame.kind(match[1]))}{match[2]}}}", text).lower()


@cache
def foreign(part: Part) -> frozenset[str]:
    """Phrasings that the part must not use, because they belong to another one."""
    before = _HOLDERS[: _HOLDERS.index(part)]
    return frozenset(
        phrasing_of(frame, text)
        for other in before
        for frame, forms in frames(other)
        for form in forms
        for text in form.all_drawn()
    )


@cache
def frames(part: Part) -> tuple[tuple[Frame, tuple[Form, ...]], ...]:
    """Frames with their forms of a part; frames that have none there are left out."""
    found = [(frame, tuple(frame.of(part))) for frame in all_frames()]
    return tuple((frame, forms) for frame, forms in found if forms)


@cache
def all_frames() -> tuple[Frame, ...]:
    """The frames of all files but the contrasts."""
    paths = sorted(path for path in _FOLDER.glob("*.txt") if not path.name.startswith("pairs"))
    groups = _read(paths)
    return tuple(frame for group in groups.values() for frame in group)


@cache
def contrasts() -> tuple[tuple[Frame, ...], ...]:
    """Groups of frames that differ in little and are made with the same fillings: for training alone."""
    return tuple(tuple(group) for group in _read(sorted(_FOLDER.glob("pairs*.txt"))).values())


def _read(paths: Sequence[Path]) -> dict[str, list[Frame]]:
    macros: dict[str, str] = {}
    for path in _FOLDER.glob("*.txt"):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("%"):
                name, _, ways = line[1:].partition("=")
                macros[name.strip()] = ways.strip()
    groups: dict[str, list[Frame]] = {}
    for path in paths:
        group = path.stem
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.startswith("### "):
                group = f"{path.stem} {number}"
            elif line.startswith("## "):
                groups.setdefault(group, []).append(_frame(line))
            elif line.strip() and line[0] not in "#%":
                try:
                    _add(groups[group][-1], line.strip(), macros)
                except (KeyError, ValueError, SyntaxError) as error:
                    raise ValueError(f"{path.name}, line {number}: {error}") from error
    return groups


def _frame(line: str) -> Frame:
    name, *options = line.removeprefix("## ").split()
    frame = Frame(name)
    for option in options:
        key, _, value = option.partition("=")
        if key == "weight":
            frame.weight = float(value)
        elif key == "leaves":
            frame.leaves = value
    return frame


def _add(frame: Frame, line: str, macros: dict[str, str]) -> None:
    if line.startswith(": "):
        frame.kinds |= dict(pair.split("=") for pair in line[2:].split())
    elif line.startswith("= "):
        frame.actions.append(_action(line[2:]))
    else:
        frame.forms.append(_form(line, macros))


def _form(line: str, macros: dict[str, str]) -> Form:
    while match := _MACRO.search(line):
        line = line[: match.start()] + f"({macros[match[1]]})" + line[match.end() :]
    mood: Mood = "order"
    if line.startswith("~"):
        line, mood = line[1:].strip(), "fragment"
    elif line.endswith("?"):
        mood = "question"
    elif line.endswith("."):
        mood = "statement"
    return Form(line.replace("[", "(").replace("]", "|)").rstrip(".?").strip(), mood)


def _action(text: str) -> Action:
    node = ast.parse(text).body[0]
    label = ""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        label = node.targets[0].id
    elif not isinstance(node, ast.Expr):
        raise ValueError(f"neither a call nor a value: {text}")
    value = node.value
    name = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
    if not isinstance(value, ast.Call) or name not in FIELDS:
        return Action(label, "", (("value", _compiled(value)),))
    given = [(known.name, item) for known, item in zip(FIELDS[name], value.args, strict=False)]
    given += [(str(keyword.arg), keyword.value) for keyword in value.keywords]
    unknown = {argument for argument, _ in given} - {known.name for known in FIELDS[name]}
    if unknown:
        raise ValueError(f"{name} has no argument {', '.join(sorted(unknown))}")
    return Action(label, name, tuple((argument, _compiled(item)) for argument, item in given))


def _compiled(node: ast.expr) -> CodeType:
    return compile(ast.fix_missing_locations(ast.Expression(node)), "<grammar>", "eval")
