"""Grammar rules (GBNF) for whole numbers between two bounds, digit by digit."""

from __future__ import annotations

LARGEST = 10**15 - 1
"""A number without bounds is at most this far from zero: what every JSON reader keeps exactly."""


def whole_numbers(least: int | None, most: int | None) -> str:
    """The whole numbers from `least` to `most`, as alternatives; empty when there is none."""
    low = -LARGEST if least is None else max(least, -LARGEST)
    high = LARGEST if most is None else min(most, LARGEST)
    positive = _natural(max(low, 0), high)
    negative = [f'"-" ({options})' for options in [" | ".join(_natural(max(-high, 1), -low))] if options]
    return " | ".join([*positive, *negative])


def _natural(low: int, high: int) -> list[str]:
    """Alternatives for the numbers from `low` to `high`, neither below zero."""
    options: list[str] = []
    while low <= high:
        digits, whole = len(str(low)), len(str(high + 1)) - 1
        if low == 10 ** (digits - 1) and digits <= whole:
            options.append(f"[1-9] [0-9]{{{digits - 1},{whole - 1}}}")
            low = 10**whole
            continue
        last = min(high, 10 ** len(str(low)) - 1)
        options += _between(str(low), str(last))
        low = last + 1
    return options


def _between(low: str, high: str) -> list[str]:
    """Alternatives for the digits from `low` to `high`, which are equally many."""
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if not rest:
        return [_digit(first, last)]
    if first == last:
        return [f'"{first}" ({" | ".join(_between(low[1:], high[1:]))})']
    options: list[str] = []
    if low[1:].strip("0"):
        options.append(f'"{first}" ({" | ".join(_between(low[1:], "9" * rest))})')
        first += 1
    upper: list[str] = []
    if high[1:].strip("9"):
        upper.append(f'"{last}" ({" | ".join(_between("0" * rest, high[1:]))})')
        last -= 1
    if first <= last:
        options.append(f"{_digit(first, last)} [0-9]{{{rest}}}")
    return options + upper


def _digit(first: int, last: int) -> str:
    return f'"{first}"' if first == last else f"[{first}-{last}]"
