"""A real IMAP server (pymap, in memory) on a port of its own, in a thread."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import ssl
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

import pysasl
from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pymap.listtree import ListEntry
from pysasl.hashing import BuiltinHash

USER, PASSWORD = "robin@example.com", 'pass word: \\ " ü'
START_S = 20.0

_mechanisms = cache(pysasl.entry_points)  # type: ignore[attr-defined]
"""The installed ways to log in, which the server would look for anew at every connection."""


@dataclass
class ImapServer:
    """A running server with one user."""

    port: int

    @contextmanager
    def session(self) -> Iterator[imaplib.IMAP4]:
        """The account as another mail program sees it."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            yield client
        finally:
            client.shutdown()

    def deliver(self, raw: bytes, folder: str = "INBOX", flags: str = "", date: str = "") -> None:
        """Put a message into a folder."""
        with self.session() as client:
            kind, answer = client.append(folder, flags, date, raw)
            assert kind == "OK", answer

    def make_folder(self, name: str) -> None:
        with self.session() as client:
            assert client.create(f'"{name}"')[0] == "OK"

    def messages(self, folder: str) -> list[tuple[str, bytes]]:
        """Flags and content of each message of a folder."""
        with self.session() as client:
            kind, count = client.select(f'"{folder}"', readonly=True)
            assert kind == "OK", count
            if not int(count[0] or 0):
                return []
            _, answer = client.fetch("1:*", "(FLAGS BODY.PEEK[])")
        return [(part[0].decode(), part[1]) for part in answer if isinstance(part, tuple)]


@contextmanager
def imap_server(
    special_uses: Mapping[str, str] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
) -> Iterator[ImapServer]:
    """Start a server; `special_uses` are attributes by readable name, which pymap itself does not have.

    With `tls` every connection is encrypted from its first byte, with `starttls` before the password.
    """
    uses = special_uses or {}
    plain = ListEntry.attributes.fget  # type: ignore[attr-defined]

    def attributes(entry: ListEntry) -> list[bytes]:
        extra = [uses[entry.name].lstrip("\\").encode()] if entry.name in uses else []
        return [*plain(entry), *extra]

    ready = threading.Event()
    state: dict[str, Any] = {}

    async def serve() -> None:
        options = Namespace(
            host=["127.0.0.1"], port="0", cert=None, key=None, tls=starttls is not None, debug=False,
            proxy_protocol=None, inherited_sockets=None, passlib_cfg=None,
            demo_data=False, demo_user=USER, demo_password=PASSWORD,
        )  # fmt: skip
        backend, config = await DictBackend.init(
            options,
            reject_dnsbl=False,
            invalid_user_sleep=0.0,
            hash_context=BuiltinHash(rounds=1),
            ssl_context=starttls,
        )
        config.apply_context()
        answer = ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(backend.login, config))
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
        state.update(port=server.sockets[0].getsockname()[1], loop=asyncio.get_running_loop())
        stop = asyncio.Event()
        state["stop"] = stop
        ready.set()
        async with server:
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    # Its greeting would look the computer's name up, which takes seconds in some networks.
    with (
        patch.dict("os.environ", {"FQDN": "localhost"}),
        patch.object(ListEntry, "attributes", property(attributes)),
        patch("pysasl.entry_points", _mechanisms),
    ):
        thread.start()
        assert ready.wait(START_S), "the mail server did not start"
        try:
            yield ImapServer(state["port"])
        finally:
            state["loop"].call_soon_threadsafe(state["stop"].set)
            thread.join(START_S)
