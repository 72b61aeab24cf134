"""Training rows of the small GGUF: token ids of prompts and plans, made anew in every pass."""

from __future__ import annotations

import lzma
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.errors import InvalidRequest
from tinyagent.planners.compact import ASK, MAX_REFERENCE, PLAN, TOOLS, tag, write_calls
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS
from tinyagent.training.gguf_tokenizer import PlannerTokenizer
from tinyagent.training.recombine import Pools, join, swap
from tinyagent.training.rows import Row

LONGEST = 420
"""Rows with more tokens are left out."""
_FIRST_LENGTH = 60
"""Tokens of the longest rows at the beginning."""
_STRETCH = 600
"""Characters of English in a row."""
_LOOKUPS = frozenset({"get_email_address", "get_phone_number"})


@dataclass(frozen=True)
class TokenRow:
    """Ids of a prompt and of the plan that follows."""

    prompt: list[int]
    plan: list[int]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.plan)


def texts_of(rows: Iterable[Row]) -> Iterator[str]:
    """What the tokenizer learns its pieces from: requests, plans' words and unknown names."""
    source = random.Random(0)
    for row in rows:
        yield f" {row.query}"
        yield re.sub(r"⟨\w+⟩", "", write_calls(row.calls))
        yield f" {random_name(source)}"


def random_name(source: random.Random) -> str:
    """A name that nobody has: it can only be copied, not guessed."""
    return " ".join(_random_word(source) for _ in range(source.choice([1, 1, 2])))


def _random_word(source: random.Random) -> str:
    count = source.randint(1, 3)
    syllables = (source.choice("bcdfghjklmnprstvwzyšñç") + source.choice("aeiouáéöüø") for _ in range(count))
    return ("".join(syllables) + source.choice(["", "n", "s", "l", "rt", "k", "m"])).capitalize()


def read_english(path: Path) -> list[str]:
    """The paragraphs of a text file, which may be compressed (`.xz`); one is a dialogue, say.

    Raises InvalidRequest for a file that cannot be read or holds no sentence.
    """
    try:
        with (
            lzma.open(path, "rt", encoding="utf-8")
            if path.suffix == ".xz"
            else path.open(encoding="utf-8") as file
        ):
            paragraphs = [text for block in file.read().split("\n\n") if (text := block.strip())]
    except (OSError, EOFError, UnicodeDecodeError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text, or damaged"
        raise InvalidRequest(
            f"{path} cannot be read: {reason}.",
            hint="Give ordinary English as text, or as .xz, with --english.",
        ) from error
    if not any(" " in text for text in paragraphs):
        raise InvalidRequest(f"{path} holds no sentence.", hint="Leave --english out, or give another text.")
    return paragraphs


def english_rows(
    tokenizer: PlannerTokenizer, paragraphs: Sequence[str], source: random.Random
) -> Iterator[TokenRow]:
    """Stretches of ordinary English, every token of which is to be guessed from those before it."""
    while True:
        text = source.choice(paragraphs)
        at = source.randrange(max(1, len(text) - _STRETCH // 2))
        ids = tokenizer.bpe.encode(text[at : at + _STRETCH]).ids
        if len(ids) > 1:
            yield TokenRow(ids[:1], ids[1:])


def copy_rows(tokenizer: PlannerTokenizer, source: random.Random) -> Iterator[TokenRow]:
    """Two tagged stretches among random tokens, which the plan repeats: learning to copy."""
    ids = tokenizer.ids
    first, second, end = (ids[tag(name)] for name in ("name", "content", "notes"))
    ordinary = range(256, len(tokenizer.bpe.get_vocab()))

    def some(least: int, most: int) -> list[int]:
        return source.choices(ordinary, k=source.randint(least, most))

    while True:
        one, two = [first, *some(1, 3)], [second, *some(1, 5)]
        body = [*some(0, 8), *one, *two, end, *some(0, 8)]
        yield TokenRow([ids[TOOLS], ids[ASK], *body, ids[PLAN]], [*one, *two, ids[END_OF_PLAN]])


def plan_rows(
    tokenizer: PlannerTokenizer, rows: Sequence[Row], source: random.Random, progress: Callable[[], float]
) -> Iterator[TokenRow]:
    """Endless rows with other names, some in pairs, short ones first (`progress` goes from 0 to 1).

    Raises InvalidRequest when none of the rows is short enough ever.
    """
    pools = Pools.of(rows)
    first = _FIRST_LENGTH
    while first <= 2 * LONGEST:
        made_some = False
        for row in source.sample(rows, len(rows)):
            made = token_row(tokenizer, _varied(row, rows, pools, source), source)
            if made is not None and made.length <= min(first + 900 * progress(), LONGEST):
                made_some = True
                yield made
        if not made_some:  # nothing is as short as that: progress would stand still
            first *= 2
    raise InvalidRequest(
        f"None of the {len(rows)} requests with its plan is as short as {LONGEST} tokens.",
        hint="Give shorter requests to train on.",
    )


def _varied(row: Row, rows: Sequence[Row], pools: Pools, source: random.Random) -> Row:
    varied = swap(row, pools, source, 0.4)
    if source.random() < 0.12:
        other = source.choice(rows)
        joined = join(varied, other, source) if len(row.calls) + len(other.calls) <= 6 else None
        varied = joined or varied
    return invent_names(varied, source) if source.random() < 0.4 else varied


def invent_names(row: Row, source: random.Random) -> Row:
    """The row with names that nobody has in place of the people that it looks up."""
    names = {str(call.arguments.get("name", "")) for call in row.calls if call.tool in _LOOKUPS}
    query, calls = row.query, list(row.calls)
    for name in sorted(name for name in names if name[:1].isupper()):
        pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        new = random_name(source)
        if pattern.search(query):
            query = pattern.sub(lambda _, new=new: new, query)
            calls = [_renamed(call, pattern, new) for call in calls]
    return Row(query, tuple(calls), row.dates)


def _renamed(call: DraftCall, pattern: re.Pattern[str], new: str) -> DraftCall:
    def of(value: str) -> str:
        return pattern.sub(lambda _: new, value)

    return DraftCall(
        call.tool,
        {
            name: [of(item) for item in value] if isinstance(value, list) else of(value)
            for name, value in call.arguments.items()
        },
    )


def token_row(tokenizer: PlannerTokenizer, row: Row, source: random.Random) -> TokenRow | None:
    """The row as token ids, up to four needless tools shown; None when it has too many calls."""
    if len(row.calls) > MAX_REFERENCE:
        return None
    used = list(dict.fromkeys(call.tool for call in row.calls))
    others = [tool for tool in FIELDS if tool not in used]
    shown = used + source.sample(others, min(len(others), source.choice([0, 0, 1, 1, 2, 3, 4])))
    source.shuffle(shown)
    return TokenRow(tokenizer.prompt(row.query, shown), tokenizer.plan(write_calls(row.calls)))
