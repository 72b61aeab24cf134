"""How names that people say compare with names that are stored."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
APOSTROPHES = "'’‘ʼ`´"
"""They stand inside words and do not part them."""

_WITHOUT_APOSTROPHES = str.maketrans(dict.fromkeys(APOSTROPHES))

TYPO_SIMILARITY = 0.83
"""One wrong letter in six: `Micheal` is Michael, `Maria` is not Mario."""

SUGGESTION_SCORE = 55


def fold(text: str) -> str:
    """The text without differences of case and of accents on letters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    # Only the general accents go: in Indic and Japanese scripts other marks make other letters.
    bare = "".join(character for character in decomposed if not "\u0300" <= character <= "\u036f")
    return unicodedata.normalize("NFC", bare).translate(_PLAIN_LETTERS).strip()


def words(text: str) -> tuple[str, ...]:
    """The folded words; punctuation separates them, an apostrophe does not."""
    folded = fold(text.translate(_WITHOUT_APOSTROPHES))
    return tuple("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in folded).split())


def key(text: str) -> str:
    """What two spellings of the same name have in common; text without words (an emoji) is its own key."""
    return " ".join(words(text)) or fold(text)


def same_with_typo(given: str, stored: str) -> bool:
    """Whether two words differ by no more than a slip of the finger."""
    return OSA.normalized_similarity(given, stored) >= TYPO_SIMILARITY


def closest(name: str, candidates: Sequence[str], limit: int = 3) -> list[str]:
    """The candidates that look most like `name`, best first, for a "did you mean"."""
    keys = {candidate: key(candidate) for candidate in candidates}
    found = process.extract(key(name), keys, scorer=fuzz.WRatio, score_cutoff=SUGGESTION_SCORE, limit=limit)
    return [candidate for _, _, candidate in found]
