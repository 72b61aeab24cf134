"""Address cards from the text that a server sends; the reading itself is that of card files."""

from __future__ import annotations

import logging

from tinyagent.apps.portable._vcard import (
    _MEDIA,  # pyright: ignore[reportPrivateUsage]
    Card,
    _blocks,  # pyright: ignore[reportPrivateUsage]
    _card,  # pyright: ignore[reportPrivateUsage]
)

logger = logging.getLogger(__name__)


def cards_of(text: str, source: str) -> list[Card]:
    """All cards of a text. `source` names it where a card has no UID; a damaged card is skipped."""
    cards: list[Card] = []
    for number, block in enumerate(_blocks(_MEDIA.sub("", text)), start=1):
        try:
            card = _card(block, f"{source}#{number}")
        except Exception as error:  # vobject raises errors of many kinds for damaged input
            logger.warning("skipped a damaged card of an address book: %s", type(error).__name__)
        else:
            if card is not None:
                cards.append(card)
    return cards
