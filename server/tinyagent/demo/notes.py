"""The notes of the demo."""

from __future__ import annotations

from datetime import UTC, datetime

from tinyagent.apps.portable.note_file import compose

_CREATED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

_NOTES = {
    ("Notes", "Shopping List"): "- oat milk\n- lentils\n- two lemons\n- coffee filters",
    (
        "Notes",
        "Gift Ideas",
    ): "- Jane: a good trowel\n- Mum: tickets for the winter concert\n- Henrik: sea charts",
    ("Notes", "Wifi for Guests"): "Network: Ashdown-Guests\nPassword: ask Robin, it changes every month",
    ("Work", "Library Reopening"): (
        "The reading room opens again on 12 January.\n\n"
        "Open points\n- shelves for the children's corner arrive on 8 January\n"
        "- Adaeze asks the council about the ramp\n- a press text by Friday"
    ),
    ("Work", "Offsite Ideas"): (
        "A day at the old lighthouse: a walk in the morning, the budget after lunch, "
        "dinner at the harbour. Twelve people at most."
    ),
    ("Work", "Meeting Minutes"): (
        "10 November. Present: Adaeze, Priya, Wei, Robin.\n"
        "Decided to keep the late opening on Thursdays and to try self-service returns in spring."
    ),
    ("Recipes", "Lentil Soup"): (
        "For four. Fry an onion and two carrots in oil, add 300 g of red lentils, a litre of stock "
        "and cumin. Simmer for 25 minutes; finish with lemon."
    ),
    ("Travel", "Bergen in May"): (
        "Fly on Thursday evening, come back on Monday. Ingrid offers her guest room.\n"
        "- funicular early, before the ships\n- a boat to the islands on Saturday\n- rain jackets"
    ),
}


def notes() -> dict[str, bytes]:
    """One Markdown file a note, by its path in the data folder."""
    return {
        f"notes/{folder}/{name}.md": compose(name, text, _CREATED) for (folder, name), text in _NOTES.items()
    }
