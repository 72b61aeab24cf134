"""What the user said, to tell an address of the user's own from one that a planner read elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BETWEEN_ADDRESSES = re.compile(r"[\s<>\"“”(),:;\\\[\]!?/]+")
_AROUND_ADDRESS = ".'‘’"

_SEPARATOR = r"[\s.()/‐‑–-]"
_GAP = _SEPARATOR + "{0,3}"
_FIRST = "".join(rf"(?<!\d{_SEPARATOR}{{{length}}})" for length in range(4))
"""No digit stands before, across a gap either."""
_LOCAL, _LONGEST = 7, 18
"""Digits from which on a number may be written without its country code, and those of the longest one."""
_COUNTRY_CODE = 3
"""The most digits that it has."""


@dataclass(frozen=True)
class UserWords:
    """The user's messages.

    `foreign`: the planner was shown earlier answers too, which may quote what others wrote.
    """

    text: str
    foreign: bool = False

    def hold(self, recipient: str) -> bool:
        """Whether the user gave this address, number or name: the whole of it, and not a part of another."""
        wanted, said = recipient.strip().casefold(), self.text.casefold()
        if "@" in wanted:
            return wanted in {word.strip(_AROUND_ADDRESS) for word in _BETWEEN_ADDRESSES.split(said)}
        digits = "".join(character for character in wanted if character.isdecimal())
        if digits:
            return len(digits) <= _LONGEST and any(re.search(form, said) for form in _forms(digits))
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", said) is not None


def _forms(digits: str) -> list[str]:
    """Patterns of a number as people write it: in groups, with its country code or without."""
    digits = digits.lstrip("0") or digits
    if len(digits) < _LOCAL:
        return [rf"(?<!\d)0*{_GAP.join(digits)}(?!\d)"]
    whole = rf"(?<!\d)0*(?:\d{_GAP}){{0,{_COUNTRY_CODE}}}{_GAP.join(digits)}(?!\d)"
    shortened = [digits[cut:] for cut in range(1, _COUNTRY_CODE + 1) if len(digits) - cut >= _LOCAL]
    return [whole, *(rf"{_FIRST}0?{_GAP}{_GAP.join(rest)}(?!\d)" for rest in shortened)]
