"""Which of many file names does a spoken name mean?

Names are compared on levels, the strictest first; only the files on the first level that has
any are meant, and several of them are an ambiguity that the user settles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath

from rapidfuzz import fuzz, process

from tinyagent.apps.matching.text import key, words

FUZZY_CUTOFF = 85.0
"""How alike (0 to 100) a misspelt name must be."""

FUZZY_MARGIN = 4.0
"""Names whose likeness is this close to the best one's are as good as it."""

_FILLERS = frozenset({"a", "an", "the", "my", "our", "file", "document", "called", "named"})
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def folded(text: str) -> str:
    """Text without case, accents and kinds of separators; a word boundary is one space."""
    return key(_CAMEL_HUMP.sub(" ", text))


def carrying_words(name: str) -> list[str]:
    """The folded words of a name that say which file it is; all of them when no other is left."""
    every = words(folded(name))
    return [word for word in every if word not in _FILLERS] or list(every)


@dataclass(frozen=True)
class _Named:
    path: Path
    name: str

    @property
    def stem(self) -> str:
        return PurePath(self.name).stem

    @cached_property
    def folded_name(self) -> str:
        return folded(self.name)

    @cached_property
    def folded_stem(self) -> str:
        return folded(self.stem)


def best_matches(query: str, paths: Sequence[Path]) -> list[Path]:
    """The files that `query` means equally well; empty when it means none."""
    wanted = unicodedata.normalize("NFC", query.strip())
    plain = folded(wanted)
    if not plain:
        return []
    files = [_Named(path, unicodedata.normalize("NFC", path.name)) for path in paths]
    carrying = frozenset(carrying_words(wanted) or plain.split())
    levels: list[Callable[[_Named], bool]] = [
        lambda file: file.name == wanted,
        lambda file: file.stem == wanted,
        lambda file: plain in (file.folded_name, file.folded_stem),
        lambda file: carrying <= frozenset(file.folded_name.split()),
    ]
    for level in levels:
        found = [file.path for file in files if level(file)]
        if found:
            return found
    return _alike(wanted, plain, files)


def _alike(wanted: str, plain: str, files: Sequence[_Named]) -> list[Path]:
    """Files whose name is a misspelling away, of the same type when the query names one."""
    suffix = PurePath(wanted).suffix.casefold()
    typed = [file for file in files if suffix and PurePath(file.name).suffix.casefold() == suffix]
    pool = typed or files
    choices = [file.folded_name if typed else file.folded_stem for file in pool]
    scored = process.extract(
        plain, choices, scorer=fuzz.token_sort_ratio, score_cutoff=FUZZY_CUTOFF, limit=20
    )
    if not scored:
        return []
    best = scored[0][1]
    return [pool[index].path for _, score, index in scored if score > best - FUZZY_MARGIN]
