"""Address cards from vCard texts of any version (2.1, 3.0, 4.0)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import vobject

logger = logging.getLogger(__name__)

_CARD = re.compile(
    r"^BEGIN:VCARD[ \t]*\r?$.*?(?=^BEGIN:VCARD[ \t]*\r?$|\Z)", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_END = re.compile(r"^END:VCARD[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_MEDIA = re.compile(
    r"^(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:].*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)", re.MULTILINE | re.IGNORECASE
)
_FOLD = re.compile(r"\r?\n[ \t]")
_PLAIN_TEXT = re.compile(
    r"^(?:[\w-]+\.)?(?:FN|NICKNAME|NOTE|ROLE|TITLE)[;:].*$", re.MULTILINE | re.IGNORECASE
)
_BARE_COMMA = re.compile(r"(?<!\\),")
_APPLE_LABEL = re.compile(r"_\$!<(.*)>!\$_")
_NO_TELEPHONE = {"fax", "pager", "modem", "bbs"}
_MOBILE = {"cell", "mobile", "iphone"}


@dataclass(frozen=True)
class Card:
    """One card: a person, or a group or organization.

    `names` are the forms of the full name, the one to show first; `titles` the honorific part
    of the name. `described` are the words by which the user may know the person (role, category,
    note). `related` pairs a relation with a name or the id of another card.
    """

    id: str
    names: tuple[str, ...]
    titles: tuple[str, ...]
    nicknames: tuple[str, ...]
    described: tuple[str, ...]
    related: tuple[tuple[str, str], ...]
    is_group: bool
    phones: tuple[str, ...]
    """The numbers that tie for the best: a preferred mobile, a mobile, a preferred one, any."""
    emails: tuple[str, ...]
    """Preferred first, otherwise in the order of the card."""


def parse_cards(text: str, source: str) -> list[Card]:
    """All cards of a text. `source` is the path of its file: it is the id of a card that has none of its own.

    A damaged card is skipped with a warning that names the file.
    """
    cards: list[Card] = []
    for number, block in enumerate(_blocks(_MEDIA.sub("", text)), start=1):
        try:
            card = _card(block, f"{source}#{number}")
        except Exception as error:  # vobject raises errors of many kinds for damaged input
            # The folders of an account would tell who the user is.
            name = source.rpartition("/")[2]
            logger.warning("skipped card %d of %s: %s", number, name, type(error).__name__)
        else:
            if card is not None:
                cards.append(card)
    return cards


def plain_label(label: str) -> str:
    """A label as people read it: Apple's own are wrapped (`_$!<Mobile>!$_`)."""
    wrapped = _APPLE_LABEL.fullmatch(label.strip())
    return wrapped[1] if wrapped else label.strip()


def _blocks(text: str) -> Iterator[str]:
    """The text of each card; one that lacks its end stays damaged and does not swallow the next."""
    for found in _CARD.finditer(text):
        block = found.group()
        end = _END.search(block)
        yield _with_commas_kept(block[: end.end()] if end else block)


def _with_commas_kept(text: str) -> str:
    """The card with every comma of a plain text escaped: vobject takes a bare one for the end of the text."""
    return _PLAIN_TEXT.sub(lambda line: _BARE_COMMA.sub(r"\\,", line.group()), _FOLD.sub("", text))


def _card(text: str, id: str) -> Card | None:
    if not _END.search(text):
        raise ValueError("END:VCARD is missing")
    quoted = "QUOTED-PRINTABLE" in text.upper()
    fields = _Fields(vobject.readOne(text, allowQP=quoted))  # pyright: ignore[reportUnknownMemberType]
    emails = fields.emails()
    organization = fields.first("org")
    kind = (
        fields.first("kind") or fields.first("x-addressbookserver-kind") or fields.first("x-abshowas")
    ).casefold()
    names = fields.names() or [name for name in (organization, *emails[:1]) if name]
    if not names:
        return None
    is_group = kind in ("group", "org", "organization", "company") or names[0] == organization
    return Card(
        id=fields.first("uid").removeprefix("urn:uuid:") or id,
        names=tuple(dict.fromkeys([*names, organization] if is_group and organization else names)),
        titles=fields.titles(),
        nicknames=tuple(fields.items("nickname")),
        described=tuple(fields.described()),
        related=tuple(fields.related()),
        is_group=is_group,
        phones=tuple(fields.phones()),
        emails=tuple(emails),
    )


class _Fields:
    """The properties of a parsed card as plain text."""

    def __init__(self, component: Any) -> None:
        self._lines = cast("dict[str, list[Any]]", component.contents)
        self._labels = {line.group: plain_label(str(line.value)) for line in self._lines.get("x-ablabel", [])}

    def first(self, name: str) -> str:
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> list[str]:
        """The values of a property as text, empty ones left out; of a compound one the first part."""
        values: list[str] = []
        for line in self._lines.get(name, []):
            value: Any = line.value
            if isinstance(value, (list, tuple)):
                value = next(iter(cast("list[object]", value)), "")
            if text := str(value).strip():
                values.append(text)
        return values

    def items(self, name: str) -> list[str]:
        """The values of a property that holds a list."""
        values: list[str] = []
        for line in self._lines.get(name, []):
            value: Any = line.value
            parts = cast("list[object]", value) if isinstance(value, list) else str(value).split(",")
            values.extend(text for part in parts if (text := str(part).strip()))
        return values

    def names(self) -> list[str]:
        """The full name as written, then given and family name in both orders."""
        names = self.texts("fn")
        for line in self._lines.get("n", []):
            given, family = _joined(line.value.given), _joined(line.value.family)
            names.extend([f"{given} {family}".strip(), f"{family} {given}".strip()])
        return [name for name in dict.fromkeys(names) if name]

    def titles(self) -> tuple[str, ...]:
        return tuple(_joined(line.value.prefix) for line in self._lines.get("n", []) if line.value.prefix)

    def emails(self) -> list[str]:
        lines = sorted(self._lines.get("email", []), key=lambda line: not _is_preferred(line))
        return list(dict.fromkeys(address for line in lines if (address := str(line.value).strip())))

    def phones(self) -> list[str]:
        ranked: dict[str, tuple[bool, bool]] = {}
        for line in self._lines.get("tel", []):
            number = str(line.value).strip().removeprefix("tel:").partition(";")[0]
            kinds = self._kinds(line)
            if number and not kinds & _NO_TELEPHONE:
                ranked.setdefault(number, (bool(kinds & _MOBILE), _is_preferred(line)))
        best = max(ranked.values(), default=None)
        return [number for number, rank in ranked.items() if rank == best]

    def described(self) -> Iterator[str]:
        yield from (*self.texts("role"), *self.texts("title"), *self.items("categories"))
        for note in self.texts("note"):
            yield from (part for part in re.split(r"[,;.\n]", note) if part.strip())
        yield from (value for _, value in self.related())

    def related(self) -> Iterator[tuple[str, str]]:
        for line in (*self._lines.get("related", []), *self._lines.get("x-abrelatednames", [])):
            value = str(line.value).strip().removeprefix("urn:uuid:")
            for relation in sorted(self._kinds(line)):
                yield relation, value
            if not self._kinds(line):
                yield "", value

    def _kinds(self, line: Any) -> set[str]:
        """The types of a property in lower case, with the label of its group."""
        label = self._labels.get(line.group, "") if line.group else ""
        return {kind for kind in (*_types(line), label.casefold()) if kind}


def _types(line: Any) -> set[str]:
    # Version 2.1 writes `TEL;CELL:`, 3.0 `TEL;TYPE=CELL:`, 4.0 also `TEL;TYPE="cell,voice":`.
    named = cast("list[str]", line.params.get("TYPE", []))
    single = cast("list[str]", line.singletonparams)
    return {kind.strip().casefold() for entry in (*named, *single) for kind in entry.split(",")}


def _is_preferred(line: Any) -> bool:
    return "pref" in _types(line) or "1" in cast("list[str]", line.params.get("PREF", []))


def _joined(part: Any) -> str:
    return " ".join(cast("list[str]", part)) if isinstance(part, list) else str(part).strip()
