"""Where a value comes from, and what follows from it.

A call's result is `untrusted` when it holds text that others wrote (a mail, a note, a PDF, a file's name),
and so is everything that was made with it: an address looked up by a name out of a mail was chosen by
whoever wrote the mail. Recipients come from the user or the contacts alone (CaMeL, arXiv:2503.18813,
checks the same before each call).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

Source = Literal["user", "contacts", "apps", "untrusted"]
"""`user`: words of the request; `contacts`: the address book; `apps`: what our calls report (a link)."""

_WORST_LAST: tuple[Source, ...] = ("user", "contacts", "apps", "untrusted")

CONTACTS_APP = "contacts"


def mixed(sources: Iterable[Source]) -> Source:
    """The source of a value that is made of several: the least trusted; the user's when there is none."""
    worst: Source = "user"
    for source in sources:
        if _WORST_LAST.index(source) > _WORST_LAST.index(worst):
            worst = source
    return worst


def result_source(app: str, untrusted: bool, needed: Iterable[Source]) -> Source:
    """Where the result of an app's call comes from, given the sources of the results that it used."""
    if untrusted or mixed(needed) == "untrusted":
        return "untrusted"
    return "contacts" if app == CONTACTS_APP else "apps"


def argument_source(references: Iterable[int], results: Mapping[int, Source]) -> Source:
    """Where an argument comes from that refers to these results; one without references is the user's."""
    return mixed(results[index] for index in references)
