"""How a script fails."""

from __future__ import annotations


class ScriptError(Exception):
    """An AppleScript error, by its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
