"""Asking in a terminal. What was typed before a question appeared is never an answer to it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console

from tinyagent.cli.question_view import question_view
from tinyagent.cli.terminal import output, printable
from tinyagent.domain.events import ApprovalRequestedData

YES = frozenset({"y", "yes"})
NO = frozenset({"", "n", "no", "none"})
CHOOSE = frozenset({"c", "choose"})

_LONGEST = 4096


@dataclass(frozen=True)
class Answer:
    """The digests of the calls that may be carried out, and of those that may not, by task."""

    approved: dict[int, str] = field(default_factory=dict[int, str])
    rejected: dict[int, str] = field(default_factory=dict[int, str])


class Prompt(Protocol):
    """Asks the user about waiting calls."""

    async def ask(
        self, waiting: Sequence[ApprovalRequestedData], parameters: Mapping[str, Sequence[str]]
    ) -> Answer:
        """The user's answer; a cancelled question is withdrawn."""
        ...


def can_ask() -> bool:
    """Whether there is a terminal to ask in."""
    return os.name == "posix" and sys.stdin.isatty() and sys.stdout.isatty()


class TerminalPrompt:
    """Shows all waiting calls on one screen and takes one answer for them, or one for each."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or output()

    async def ask(
        self, waiting: Sequence[ApprovalRequestedData], parameters: Mapping[str, Sequence[str]]
    ) -> Answer:
        self._console.print()
        self._console.print(question_view(waiting, parameters, self._console))
        if len(waiting) == 1:
            approved = waiting if await self._yes("Carry it out?") else ()
        else:
            approved = await self._which(waiting)
        yes = {one.task: one.digest for one in approved}
        return Answer(yes, {one.task: one.digest for one in waiting if one.task not in yes})

    async def _which(self, waiting: Sequence[ApprovalRequestedData]) -> Sequence[ApprovalRequestedData]:
        while True:
            answer = await self._line("Carry them out? [y] yes to all  [N] none  [c] choose one by one: ")
            if answer in YES:
                return waiting
            if answer in NO:
                return ()
            if answer in CHOOSE:
                return [
                    one for one in waiting if await self._yes(f"Carry out {one.task}. {printable(one.tool)}?")
                ]

    async def _yes(self, question: str) -> bool:
        while True:
            answer = await self._line(f"{question} [y/N] ")
            if answer in YES | NO:
                return answer in YES

    async def _line(self, question: str) -> str:
        """One line of input, without case and outer spaces; empty when there is no more input."""
        try:
            descriptor = sys.stdin.fileno()
            _forget_typed(descriptor)
            self._console.print(question, end="", style="bold", markup=False)
            self._console.file.flush()
            return (await _next_line(descriptor)).decode(errors="replace").strip().lower()
        except (OSError, ValueError):  # the terminal has gone
            return ""


def _forget_typed(descriptor: int) -> None:
    """Drop what was typed and not read yet. Raises OSError."""
    import termios

    try:
        termios.tcflush(descriptor, termios.TCIFLUSH)
    except termios.error as error:
        raise OSError(*error.args) from error


async def _next_line(descriptor: int) -> bytes:
    """What is typed, up to the end of a line; a terminal hands over whole lines. Raises OSError."""
    typed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, _LONGEST)
