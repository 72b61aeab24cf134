"""Blocking protocol clients of the standard library, with one deadline for all that they do.

A socket's own timeout bounds a single read, so a server that sends a byte now and then could keep a
thread for ever. Here the work's whole time is bounded: when it is over, or when the caller goes away,
the connection is shut down, which ends whatever the thread waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from tinyagent.apps.network.security import tls_context
from tinyagent.errors import AppFailed, OutcomeUnknown, TinyAgentError, ToolError

_CONNECT_S = 5.0
"""How long each address of a host is tried: the first may lead nowhere, as IPv6 does in some networks."""

_GRACE_S = 2.0
"""How long a thread whose connection was shut down may take to say how far it came."""

T = TypeVar("T")


class Line:
    """The connection of one piece of work.

    `committed` is set while the server has what it needs to take effect and has not yet answered:
    a failure then leaves the outcome unknown.
    """

    def __init__(self, server: str, host: str, port: int, seconds: float) -> None:
        self.server = server
        self.host = host
        self.port = port
        self.seconds = seconds
        self.committed = False
        self._cut = False
        self._handle: socket.socket | None = None

    def connect(self) -> socket.socket:
        """A plain connection to the host."""
        opened = socket.create_connection((self.host, self.port), min(self.seconds, _CONNECT_S))
        # The clients send a command in pieces, which would wait for each other's receipt.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The deadline of the whole work comes first, and says more than a read that was given up.
        opened.settimeout(2 * self.seconds)
        # A duplicate stays valid when the connection is wrapped in TLS.
        self._handle = opened.dup()
        if self._cut:
            opened.close()
            raise TimeoutError
        return opened

    def connect_tls(self) -> socket.socket:
        """A connection with TLS from the first byte, the certificate verified."""
        return tls_context().wrap_socket(self.connect(), server_hostname=self.host)

    def cut(self) -> None:
        """Shut the connection down, from any thread."""
        self._cut = True
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()

    def failure(self, error: Exception) -> ToolError:
        """What an error of the connection or of the protocol means."""
        if self.committed:
            return OutcomeUnknown(
                f"The connection to the {self._name} was lost before it confirmed.",
                hint="Look into the mail account before you try again.",
            )
        if self._cut or (isinstance(error, TimeoutError) and self._handle is not None):
            return AppFailed(
                f"The {self._name} did not answer within {self.seconds:g} seconds.", hint="Try again later."
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return AppFailed(
                f"The {self._name} has no valid certificate: {error.verify_message}.",
                hint="Check the host's name and this computer's clock; the check is never skipped.",
            )
        if isinstance(error, ssl.SSLError):
            return AppFailed(
                f"The {self._name} could not be reached over TLS.", hint="Check the port and the security."
            )
        if isinstance(error, OSError) and self._handle is not None:
            return AppFailed(f"The connection to the {self._name} broke off.", hint="Try again later.")
        if isinstance(error, OSError):
            return AppFailed(
                f"The {self._name} cannot be reached.",
                hint="Check the host, the port and the network.",
            )
        return AppFailed(
            f"The {self._name} gave an answer that makes no sense.",
            hint="Check the host and the port.",
        )

    @property
    def _name(self) -> str:
        return f"{self.server} {self.host}:{self.port}"


async def on_line(line: Line, work: Callable[[Line], T]) -> T:
    """Do blocking work in a thread, within the line's seconds. Raises what `Line.failure` makes of errors."""

    def guarded() -> T:
        try:
            return work(line)
        except TinyAgentError:
            raise
        except Exception as error:  # the clients raise errors of many kinds for malformed answers
            raise line.failure(error) from None
        finally:
            line.close()

    task = asyncio.create_task(asyncio.to_thread(guarded))
    try:
        async with asyncio.timeout(line.seconds):
            return await asyncio.shield(task)
    except TimeoutError:
        line.cut()
        done, _ = await asyncio.wait([task], timeout=_GRACE_S)
        if done:
            return task.result()
        raise line.failure(TimeoutError()) from None
    except asyncio.CancelledError:
        line.cut()
        raise
    finally:
        task.add_done_callback(_ended)


def _ended(task: asyncio.Task[T]) -> None:
    """Look at the outcome of a thread that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
