"""When an address book that is remembered is to be read anew for a name that nobody in it has."""

from __future__ import annotations

from tinyagent.apps.matching.text import key

RECENT_SECONDS = 2.0


class Misses:
    """The names that nobody had in the copy that is remembered.

    Somebody may have been added since, so a miss is a reason to look again; but a copy that was just made
    is not made anew for each of the many names that are tried within a moment.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()

    def is_reason_to_read(self, name: str, age: float) -> bool:
        """Note the miss on a copy that was made `age` seconds before the name was asked for.

        Look again when the copy is not recent, or when the name is asked for once more. A copy that was
        made for this very question (of no or a negative age) is as new as can be.
        """
        missed = key(name)
        again = age > 0 and (missed in self._names or age >= RECENT_SECONDS)
        self._names = {missed} if again else self._names | {missed}
        return again
