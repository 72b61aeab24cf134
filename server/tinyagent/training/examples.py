"""Rows as numbers: wordpieces, words, target symbols and what the decoder is fed back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from tinyagent.planners.symbols import FIELDS, ITEM, JOIN, symbols_of
from tinyagent.planners.words import split_words, word_pieces
from tinyagent.toolrag.labels import CLASSES
from tinyagent.training.rows import Row

PAD, BOS, COPY = "<pad>", "<bos>", "<copy>"
MAX_PIECES = 192
"""The encoder's window in wordpieces; what stands beyond it is not read."""
MAX_SYMBOLS = 160
MAX_REFERENCE = 14
MAX_COUNT = 3


@dataclass(frozen=True)
class Example:
    """One row for the network.

    `targets` are symbol numbers (-1: only copyable), `copies` the word positions that may be copied
    instead; `fed_symbols` and `fed_words` (-1: none) are the decoder's inputs. `counts` says how
    often each tool is called (3 is three or more, -1 unknown); `one_of` are tools of which one is
    needed when the plan itself is not known (then there are no targets).
    """

    pieces: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    targets: tuple[int, ...]
    copies: tuple[tuple[int, ...], ...]
    fed_symbols: tuple[int, ...]
    fed_words: tuple[int, ...]
    counts: tuple[int, ...]
    one_of: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        return len(self.pieces) + len(self.targets)


def fixed_symbols() -> list[str]:
    """The symbols that are no words."""
    names = dict.fromkeys(field.name for fields in FIELDS.values() for field in fields)
    choices = dict.fromkeys(
        choice for fields in FIELDS.values() for field in fields for choice in field.choices
    )
    return [
        PAD, BOS, COPY, JOIN, ITEM,
        *(f"T:{tool}" for tool in CLASSES),
        *(f"A:{name}" for name in names),
        *(f"R:{index}" for index in range(1, MAX_REFERENCE + 1)),
        *(f"V:{choice}" for choice in choices),
    ]  # fmt: skip


def vocabulary(rows: Iterable[Row], words: int = 3000) -> list[str]:
    """The fixed symbols, then the most frequent words of plans that their requests do not hold."""
    counted: Counter[str] = Counter()
    for row in rows:
        own = {word.text.lower() for word in split_words(row.query)}
        for symbol in symbols_of(row.calls):
            word = symbol[2:].lower()
            if symbol.startswith("W:") and word not in own:
                counted[word] += 1
    return [*fixed_symbols(), *(f"W:{word}" for word, _ in counted.most_common(words))]


class Encoder:
    """Turns rows into examples with one tokenizer and one vocabulary."""

    def __init__(self, tokenizer: Tokenizer, symbols: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._number = {symbol: index for index, symbol in enumerate(symbols)}

    def example(self, row: Row) -> Example | None:
        """None for a row that is longer than the window, or that no symbols can write."""
        pieces, first, last, words = self._read(row.query)
        symbols = symbols_of(row.calls)
        unknown = any(symbol[:2] == "R:" and symbol not in self._number for symbol in symbols)
        if len(pieces) >= MAX_PIECES or len(symbols) > MAX_SYMBOLS or unknown:
            return None
        places: dict[str, list[int]] = defaultdict(list)
        for index, word in enumerate(words[: len(first)]):
            places[word].append(index)
        copies = [
            tuple(places.get(symbol[2:].lower(), ())) if symbol[:2] == "W:" else () for symbol in symbols
        ]
        targets = [self._target(symbol) for symbol in symbols]
        fed = _fed_words(copies)
        fed_symbols = [self._number[BOS]]
        for target, word in zip(targets[:-1], fed[:-1], strict=True):
            fed_symbols.append(self._number[COPY] if word >= 0 or target < 0 else target)
        counts = _counts(row)
        return Example(
            tuple(pieces), tuple(first), tuple(last), tuple(targets), tuple(copies), tuple(fed_symbols),
            (-1, *fed[:-1]), counts,
        )  # fmt: skip

    def bare(self, query: str, counts: Sequence[int], one_of: Sequence[int]) -> Example | None:
        """A request of which only the needed tools are known."""
        pieces, first, last, _ = self._read(query)
        if not first:
            return None
        return Example(tuple(pieces), tuple(first), tuple(last), (), (), (), (), tuple(counts), tuple(one_of))

    def _read(self, query: str) -> tuple[list[int], list[int], list[int], list[str]]:
        encoded = self._tokenizer.encode(query)
        words = split_words(query)
        found = word_pieces(encoded.offsets, words)
        return (
            encoded.ids,
            [first for first, _ in found],
            [last for _, last in found],
            [word.text.lower() for word in words],
        )

    def _target(self, symbol: str) -> int:
        if symbol.startswith("W:"):
            return self._number.get(symbol.lower().replace("w:", "W:", 1), -1)
        return self._number[symbol]


def _fed_words(copies: Sequence[Sequence[int]]) -> list[int]:
    """For each copied word the position from which the longest run goes on; -1 for the others."""
    runs: list[dict[int, int]] = [{} for _ in range(len(copies) + 1)]
    for index in range(len(copies) - 1, -1, -1):
        runs[index] = {place: 1 + runs[index + 1].get(place + 1, 0) for place in copies[index]}
    chosen: list[int] = []
    for index, places in enumerate(copies):
        if not places:
            chosen.append(-1)
        elif index and chosen[-1] >= 0 and chosen[-1] + 1 in places:
            chosen.append(chosen[-1] + 1)
        else:
            run = runs[index]
            chosen.append(max(places, key=lambda place: (run[place], -place)))
    return chosen


def _counts(row: Row) -> tuple[int, ...]:
    called = Counter(call.tool for call in row.calls)
    return tuple(min(called[tool], MAX_COUNT) for tool in CLASSES)
