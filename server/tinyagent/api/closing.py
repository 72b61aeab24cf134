"""How a connection ends: its last answer arrives, and nobody holds it open by not reading or not stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

CLOSE_S = 10.0
"""How long a client may take for the last that was written, or go on with what nobody reads any more."""


class ClosingTransport(asyncio.Transport):
    """A connection that ends in time.

    Where `still_sent` says that the client may be in the middle of a request, what it sends is taken and
    thrown away first: closed before, the system would take back an answer that was not read yet.
    """

    def __init__(self, transport: asyncio.Transport, still_sent: Callable[[], bool]) -> None:
        super().__init__()
        self._transport = transport
        self._still_sent = still_sent
        self._closing: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Say that nothing more comes, and end when everything was taken or the time is over."""
        if self.is_closing():
            return
        self._closing = asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)
        if self._still_sent() and self._transport.can_write_eof():
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()

    def is_closing(self) -> bool:
        return self._closing is not None or self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()

    def ended(self) -> None:
        """The connection is gone: nothing is waited for any more."""
        if self._closing is not None:
            self._closing.cancel()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self._transport.write(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self._transport.writelines(list_of_data)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)
