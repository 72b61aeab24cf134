"""What the pointer decoder may write next: every plan that it ends is well-formed, and it always ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tinyagent.planners.symbols import FIELDS, ITEM, JOIN, Field

MAX_CALLS = 14
MAX_ITEMS = 12
MAX_REPEATS = 4
"""How often one word may stand in an argument."""
_MAX_WORDS = {"text": 90, "name": 20, "people": 12, "files": 16, "date": 14, "choice": 1}


@dataclass(frozen=True)
class Legal:
    """What may follow: these symbols; words of the vocabulary; words of the request."""

    symbols: frozenset[str]
    words: bool
    copies: bool


class PlanState:
    """Follows a plan symbol by symbol. `tools` are the ones that may be called.

    `absent` are the arguments that a tool does not have here. With `must_call` a plan does not end before
    its first call.
    """

    def __init__(
        self,
        tools: Iterable[str],
        *,
        absent: Mapping[str, Collection[str]] | None = None,
        must_call: bool = False,
    ) -> None:
        offered = set(tools)
        self._tools = tuple(tool for tool in FIELDS if tool in offered)
        self._absent = absent or {}
        self._must_call = must_call and bool(self._tools)
        self._called: list[str] = []
        self._fields: Sequence[Field] = ()
        self._place = -1
        self._length = 0
        self._items = 0
        self._ended_item = False
        self._used: set[str] = set()
        self._recipients: set[str] = set()
        self._words: list[str] = []

    def copy(self) -> PlanState:
        """The same state, to go on from on its own."""
        other = PlanState(())
        other.__dict__ |= self.__dict__ | {
            "_called": list(self._called),
            "_used": set(self._used),
            "_recipients": set(self._recipients),
            "_words": list(self._words),
        }
        return other

    @property
    def called(self) -> Counter[str]:
        """How often each tool is called so far."""
        return Counter(self._called)

    @property
    def tool(self) -> str:
        """The tool of the call that is being written, "" before the first."""
        return self._called[-1] if self._called else ""

    @property
    def field(self) -> Field | None:
        """The argument that is being written."""
        return self._fields[self._place] if self._place >= 0 else None

    @property
    def latest_word(self) -> str:
        """The word that the argument ends with so far, "" when it is none."""
        return self._words[-1] if self._words else ""

    @property
    def may_close(self) -> bool:
        """Whether the call so far is complete, so that another one or the end may follow."""
        filled = self._place < 0 or self._length > 0
        return filled and not any(field.required for field in self._fields[self._place + 1 :])

    def legal(self) -> Legal:
        """What may come next."""
        symbols: set[str] = set()
        if self.may_close:
            if self._called or not self._must_call:
                symbols.add(JOIN)
            if len(self._called) < MAX_CALLS:
                symbols |= {f"T:{tool}" for tool in self._tools}
        if self._place < 0 or self._length > 0:
            symbols |= self._next_fields()
        if self._place < 0:
            return Legal(frozenset(symbols), words=False, copies=False)
        field = self._fields[self._place]
        if field.kind == "choice":
            symbols |= {f"V:{choice}" for choice in field.choices} if not self._length else set()
            return Legal(frozenset(symbols), words=False, copies=False)
        room = self._length < _MAX_WORDS[field.kind] and not self._ended_item
        symbols |= self._references(field) if room else set()
        if field.is_list and self._length and self._items < MAX_ITEMS:
            symbols.add(ITEM)
        return Legal(frozenset(symbols), words=room and field.kind in ("text", "name"), copies=room)

    def take(self, symbol: str) -> None:
        """Go on with a symbol; words, copied ones too, are `W:word`."""
        mark, _, value = symbol.partition(":")
        if mark == "T":
            self._called.append(value)
            absent = self._absent.get(value, ())
            self._fields = [field for field in FIELDS[value] if field.name not in absent]
            self._place = -1
            self._recipients = set()
            self._start_field()
        elif mark == "A":
            self._place = next(index for index, field in enumerate(self._fields) if field.name == value)
            self._start_field()
        elif symbol == ITEM:
            self._items += 1
            self._length = 0
            self._ended_item = False
        else:
            self._length += 1
            self._words.append(value)
            if mark == "R":
                self._used.add(symbol)
                if self._fields[self._place].kind == "people":
                    self._recipients.add(symbol)
                self._ended_item = self._fields[self._place].kind != "text"

    def worn(self, word: str) -> bool:
        """Whether a word stands in this argument as often as it may, or would repeat three words in a row."""
        if word.isalnum() and self._words.count(word) >= MAX_REPEATS:
            return True
        phrase = [*self._words[-2:], word]
        return len(phrase) == 3 and phrase in (self._words[at : at + 3] for at in range(len(self._words) - 2))

    def _start_field(self) -> None:
        self._length = self._items = 0
        self._ended_item = False
        self._used = set()
        self._words = []

    def _next_fields(self) -> set[str]:
        found: set[str] = set()
        for field in self._fields[self._place + 1 :]:
            found.add(f"A:{field.name}")
            if field.required:
                break
        return found

    def _references(self, field: Field) -> set[str]:
        if field.kind != "text" and self._length:
            return set()
        found = {f"R:{number}" for number, tool in enumerate(self._called[:-1], 1) if tool in field.sources}
        return found - self._used - self._recipients
