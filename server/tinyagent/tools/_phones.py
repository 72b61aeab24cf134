"""Phone numbers as they are dialled."""

from __future__ import annotations

import re

import phonenumbers

_NUMBER = re.compile(r"(?:tel:)?\s*\+?[\d\s().\-/‐‑–]+")
_SHORTEST, _LONGEST = 3, 15


def dialable(text: str, region: str) -> str | None:
    """The number in E.164 form; a local or short one as its digits; None when it cannot be dialled.

    `region` is the country of numbers without a country code.
    """
    written = text.strip()
    if not _NUMBER.fullmatch(written):
        return None
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        number = None
    if (
        number
        and phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = phonenumbers.normalize_digits_only(written)
    # A number without its area code works from the user's own phone; with a country code it must be whole.
    return digits if "+" not in written and _SHORTEST <= len(digits) <= _LONGEST else None
