"""Grammar rules (GBNF) of the numbers between two bounds, as JSON writes them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

DIGITS = 15
"""The most digits before the point: such whole numbers are exact in any reader of JSON."""
_LIMIT = 10**DIGITS - 1
_FRACTION = '("." [0-9]{1,15})?'
_FRACTION_ABOVE_0 = '"." [0-9]{0,9} [1-9]'


@dataclass(frozen=True)
class Bounds:
    """From `low` to `high`; an open end is not itself among the numbers."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False


def integer_rule(bounds: Bounds) -> str:
    """The whole numbers between two bounds; empty when there are none."""
    low, high = max(bounds.low, -_LIMIT), min(bounds.high, _LIMIT)
    least = math.floor(low) + 1 if bounds.low_open else math.ceil(low)
    most = math.ceil(high) - 1 if bounds.high_open else math.floor(high)
    positive = _alternatives(max(least, 0), most)
    negative = _alternatives(max(-most, 1), -least)
    return " | ".join([*([positive] if positive else []), *([f'"-" ({negative})'] if negative else [])])


def number_rule(bounds: Bounds) -> str | None:
    """The numbers between two whole bounds; empty when there are none, None for bounds with a fraction."""
    if bounds.low > _LIMIT or bounds.high < -_LIMIT:
        return ""
    low, low_open = (bounds.low, bounds.low_open) if bounds.low >= -_LIMIT else (-_LIMIT - 1, True)
    high, high_open = (bounds.high, bounds.high_open) if bounds.high <= _LIMIT else (_LIMIT + 1, True)
    if not (float(low).is_integer() and float(high).is_integer()):
        return None
    options: list[str] = []
    if high >= 0:
        options += _decimals(max(int(low), 0), int(high), low_open and low >= 0, high_open)
    if low < 0:
        below = list(_decimals(max(-int(high), 0), -int(low), high_open and high <= 0, low_open))
        options += [f'"-" ({" | ".join(below)})'] if below else []
    return " | ".join(options)


def _decimals(low: int, high: int, low_open: bool, high_open: bool) -> Iterator[str]:
    """The decimal numbers from one number that is not negative to another."""
    if low_open and low < high:
        yield f'"{low}" {_FRACTION_ABOVE_0}'
    if inner := _alternatives(low + low_open, high - 1):
        yield f"({inner}) {_FRACTION}"
    if not high_open and low + low_open <= high:
        yield f'"{high}"'


def _alternatives(low: int, high: int) -> str:
    """The whole numbers from one that is not negative to another, those of each length for themselves."""
    options: list[str] = []
    for length in range(len(str(low)), len(str(high)) + 1 if low <= high else 0):
        least = 0 if length == 1 else 10 ** (length - 1)
        options.append(_same_length(str(max(low, least)), str(min(high, 10**length - 1))))
    return " | ".join(options)


def _same_length(low: str, high: str) -> str:
    """The numbers between two of one length, digit by digit."""
    if low[0] == high[0]:
        return f'"{low[0]}" {_same_length(low[1:], high[1:])}' if low[1:] else f'"{low}"'
    rest = len(low) - 1
    zeros, nines = "0" * rest, "9" * rest
    first, last = int(low[0]), int(high[0])
    options: list[str] = []
    if low[1:] != zeros:
        options.append(f'"{first}" {_same_length(low[1:], nines)}')
        first += 1
    if high[1:] != nines:
        options.append(f'"{last}" {_same_length(zeros, high[1:])}')
        last -= 1
    if first <= last:
        options.append(f"[{first}-{last}]" + (f" [0-9]{{{rest}}}" if rest else ""))
    return f"({' | '.join(options)})"
