"""A real SMTP server (aiosmtpd) on a port of its own, which keeps what it gets."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.server import free_port

USER, PASSWORD = "robin@example.com", "smtp secret"


@dataclass
class SmtpServer:
    """A running server. `refused` maps recipients to the answers that refuse them."""

    port: int
    refused: dict[str, str] = field(default_factory=dict)
    answer: str = "250 kept"
    """What it says after a message's text."""
    received: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not session.authenticated:
            return "530 log in first"
        if self.answer.startswith("250"):
            self.received.append(envelope)
            self.encrypted.append(
                session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None
            )
        return self.answer


def _check(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
) -> AuthResult:
    known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@contextmanager
def smtp_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> Iterator[SmtpServer]:
    """Start a server that asks for the password, after encryption: from the first byte or by STARTTLS."""
    kept = SmtpServer(free_port())
    controller = Controller(
        kept,
        hostname="127.0.0.1",
        port=kept.port,
        ready_timeout=20,
        authenticator=_check,
        auth_require_tls=starttls is not None,
        tls_context=starttls,
        require_starttls=starttls is not None,
        ssl_context=tls,
    )
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()
