"""A command in a terminal of its own, read and typed into as a person would."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

WAIT_S = 30.0

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
"""Makes the terminal the controlling one, so that Ctrl-C reaches the command."""


class Terminal:
    """What the command has printed so far, and its keyboard."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master = master
        self._process = process
        self._printed = bytearray()
        self._more = asyncio.Event()
        self._read_to = 0
        asyncio.get_running_loop().add_reader(master, self._take)

    @property
    def text(self) -> str:
        """Everything that was printed, without colours and movements of the cursor."""
        return _CONTROL.sub("", self._printed.decode(errors="replace")).replace("\r\n", "\n")

    async def shows(self, text: str) -> None:
        """Wait until this is printed, after what was waited for before."""
        try:
            async with asyncio.timeout(WAIT_S):
                while (found := self.text.find(text, self._read_to)) < 0:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"not shown within {WAIT_S} s: {text!r}\n{self.text}") from None
        self._read_to = found + len(text)

    def types(self, keys: str) -> None:
        """Press these keys; `\\x03` is Ctrl-C."""
        os.write(self._master, keys.encode())

    async def ends(self) -> int:
        """Wait for the end of the command; its exit code."""
        async with asyncio.timeout(WAIT_S):
            return await self._process.wait()

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        os.close(self._master)

    def _take(self) -> None:
        with suppress(OSError):  # the command has ended
            self._printed += os.read(self._master, 65_536)
            self._more.set()
            return
        asyncio.get_running_loop().remove_reader(self._master)


@asynccontextmanager
async def in_terminal(
    *arguments: str, environment: Mapping[str, str], columns: int = 100, lines: int = 50
) -> AsyncIterator[Terminal]:
    """Run `tinyagent` with these arguments in a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TINYAGENT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _TAKE_TERMINAL, "-m", "tinyagent", *arguments),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**kept, "TERM": "xterm", "NO_COLOR": "1", **environment},
    )
    os.close(slave)
    terminal = Terminal(master, process)
    try:
        yield terminal
    finally:
        await terminal.close()
