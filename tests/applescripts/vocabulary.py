"""The words that the scripts may use: the language's, and those of each application's dictionary.

Without a Mac nothing compiles a script, so that a word misspelt would be found by its user. A word
that is not listed here is a fault; one is added after it was looked up in the dictionary.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LANGUAGE = _words(
    """
    after alias and application as at boolean by character contains count current date day delay does else
    end error every exists exit false file from hours id if in integer is item items last linefeed list
    minutes missing month my not number of on or POSIX repeat return run seconds set start tell
    text the then thru timeout times to true try use value whose with without year
    """
)

APPLICATIONS: dict[str, frozenset[str]] = {
    "Calendar": _words(
        "calendar calendars event events make new properties summary start date end location description "
        "uid name writable delete"
    ),
    "Contacts": _words("person people name nickname organization phones emails label groups"),
    "Finder": _words("reveal activate Finder windows"),
    "Mail": _words(
        """
        account accounts address addresses attachment attachments cc close content drafts email
        enabled extract forward inbox mail mailbox mailboxes make message messages name new opening
        outgoing paragraph properties received recipient recipients reply save saving selected send sender
        source subject viewer viewers visible window yes no delete
        """
    ),
    "Maps": _words("activate open location"),
    "Messages": _words("account accounts enabled service type SMS send participant"),
    "Notes": _words(
        "account accounts attachments body container default delete folder make name new note notes "
        "password plaintext properties protected"
    ),
    "Reminders": _words(
        "allday body completed default delete due lists make me name new priority properties remind reminder"
    ),
}

CAPITALISED_TERMS = frozenset({"iMessage"})
"""Terms of a dictionary that look like a name of the script's own."""

FORBIDDEN: dict[tuple[str, ...], str] = {
    ("do", "shell", "script"): "a script runs no shell",
    ("run", "script"): "a script runs no text as a script",
    ("load", "script"): "a script is whole in itself",
    ("store", "script"): "a script is whole in itself",
    ("keystroke",): "keys go to whatever has the focus",
    ("key", "code"): "keys go to whatever has the focus",
    ("System", "Events"): "other programs' windows are not touched",
    ("display", "dialog"): "nobody may be there to answer",
    ("display", "alert"): "nobody may be there to answer",
    ("whose", "service"): "an account that does not tell its service ends the search: ask one by one",
    ("choose",): "nobody may be there to answer",
    ("clipboard",): "the clipboard is the user's",
    ("quoted", "form"): "a script runs no shell",
}
"""Sequences of words with what is wrong with them."""

SELECTORS = _words("UUID alloc atomically attributes dictionary encoding options")
"""Words of Objective-C without a capital inside, which might be words of AppleScript too: these are not."""

LOOKED_UP = frozenset({"account", "calendar", "folder", "list", "mailbox"})
"""Things that are named by people, in their own language: a script looks them up."""

MANY = frozenset({"person", "people", "message", "event", "note", "reminder"})
"""Things that there may be ten thousand of."""
