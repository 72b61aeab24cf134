"""Sending one message over SMTP (RFC 5321), step by step, so that it is known how far it came."""

from __future__ import annotations

import base64
import re
import smtplib
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage

from tinyagent.apps.formats.letters import Letter
from tinyagent.apps.network._wire import Line, on_line
from tinyagent.apps.network.security import Security, require_protection, tls_context
from tinyagent.errors import AppFailed, NotConfigured, ToolError

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)
_FULL = (452, 552)
_LOGGED_IN = (235, 503)
"""Now, or before."""


@dataclass(frozen=True)
class Refused:
    """A recipient that the server did not take; a `temporary` refusal may end."""

    address: str
    temporary: bool


class _Client(smtplib.SMTP):
    """The standard client on our connection."""

    def __init__(self, line: Line, security: Security) -> None:
        self._line = line
        self._tls = security == "tls"
        # The computer's name goes to nobody; an address literal is what a client without a name says.
        super().__init__(local_hostname="[127.0.0.1]", timeout=line.seconds)
        self.command_encoding = "utf-8"
        # The client sets the name that STARTTLS checks only when it connects by itself at once.
        self._host = line.host

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._line.connect_tls() if self._tls else self._line.connect()


class Sender:
    """A server that mail is sent by. Raises ConfigurationError when a password would travel unprotected."""

    def __init__(
        self,
        host: str,
        user: str = "",
        password: str = "",
        port: int = 587,
        security: Security = "starttls",
        *,
        seconds: float = 30.0,
    ) -> None:
        require_protection("smtp", host, security != "none")
        self.host, self.user = host, user
        self._port, self._password = port, password
        self._security: Security = security
        self._seconds = seconds

    async def send(self, letter: Letter, sender: Address) -> list[Refused]:
        """Send the message; the recipients that were refused while others were taken.

        Raises ToolError when all are refused, NotConfigured for a wrong password, AppFailed when it
        certainly was not sent, and OutcomeUnknown when the connection was lost after the text was sent.
        """

        def deliver(line: Line) -> list[Refused]:
            with self._session(line) as client:
                refused = _envelope(client, line, letter, sender)
                _text(client, line, letter.message)
            return refused

        return await on_line(self._line(), deliver)

    async def check(self) -> None:
        """Log in and send nothing. Raises NotConfigured for a wrong password, AppFailed."""

        def log_in(line: Line) -> None:
            with self._session(line):
                pass

        await on_line(self._line(), log_in)

    def _line(self) -> Line:
        return Line("mail server", self.host, self._port, self._seconds)

    @contextmanager
    def _session(self, line: Line) -> Generator[smtplib.SMTP]:
        client = _Client(line, self._security)
        try:
            code = _code(client.connect(line.host, line.port))
            if code != 220:
                raise _refused(line, code, "take the connection")
            if self._security == "starttls":
                client.ehlo_or_helo_if_needed()
                client.starttls(context=tls_context())
            client.ehlo_or_helo_if_needed()
            self._log_in(client, line)
            yield client
        except smtplib.SMTPNotSupportedError:
            raise NotConfigured(
                f"The mail server {line.host} does not offer what is set under [smtp].",
                hint="Check smtp.security and smtp.user.",
            ) from None
        finally:
            # The server's farewell is not worth waiting for.
            client.close()

    def _log_in(self, client: smtplib.SMTP, line: Line) -> None:
        if not self.user:
            return
        try:
            code = _authenticate(client, self.user, self._password)
        except UnicodeEncodeError:
            raise NotConfigured(
                f"The mail server {line.host} takes no user or password with such letters.",
                hint="Set smtp.user and smtp.password to ones in plain Latin letters.",
            ) from None
        if 400 <= code < 500:
            raise AppFailed(f"The mail server {line.host} is busy.", hint="Try again later.")
        if code not in _LOGGED_IN:
            raise NotConfigured(
                f"The mail server {line.host} refused the user or the password.",
                hint="Check smtp.user and smtp.password; many services want a password made for apps.",
            )


def _authenticate(client: smtplib.SMTP, user: str, password: str) -> int:
    """Log in by a password; the code of the answer.

    Raises UnicodeEncodeError for letters that the server's ways cannot carry, SMTPNotSupportedError when
    it has none for passwords.
    """
    ways = client.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in ways:  # the standard client writes it in ASCII alone
        secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return _code(client.docmd("AUTH", f"PLAIN {secret}"))
    if not {"LOGIN", "CRAM-MD5"} & set(ways):
        raise smtplib.SMTPNotSupportedError
    try:
        return client.login(user, password)[0]
    except smtplib.SMTPAuthenticationError as error:
        return error.smtp_code


def _envelope(client: smtplib.SMTP, line: Line, letter: Letter, sender: Address) -> list[Refused]:
    addresses = [address.addr_spec for address in (*letter.to, *letter.cc)]
    options: list[str] = []
    if not all(address.isascii() for address in (sender.addr_spec, *addresses)):
        if not client.has_extn("smtputf8"):
            raise ToolError(
                f"The mail server {line.host} cannot send to or from addresses with such letters.",
                hint="Use an address in plain Latin letters.",
            )
        options.append("SMTPUTF8")
    if client.has_extn("8bitmime"):
        options.append("BODY=8BITMIME")
    if client.has_extn("size"):
        options.append(f"SIZE={len(letter.content)}")
    code = _code(client.docmd("MAIL", " ".join([f"FROM:<{sender.addr_spec}>", *options])))
    if code != 250:
        raise _refused(line, code, f"take mail from {sender.addr_spec}")
    refused: list[Refused] = []
    for address in addresses:
        code = _code(client.docmd("RCPT", f"TO:<{address}>"))
        if code not in (250, 251):
            refused.append(Refused(address, 400 <= code < 500))
    if len(refused) == len(addresses):
        raise _all_refused(line, refused)
    return refused


def _text(client: smtplib.SMTP, line: Line, message: EmailMessage) -> None:
    code = _code(client.docmd("DATA"))
    if code != 354:
        raise _refused(line, code, "take the mail")
    client.send(_on_the_wire(_flat(client, message)))
    # A server drops a text that has no end, so up to here nothing can have been sent.
    line.committed = True
    client.send(b".\r\n")
    code = _code(client.getreply())
    line.committed = False
    if code != 250:
        raise _refused(line, code, "take the mail")


def _code(reply: tuple[int, bytes]) -> int:
    """The number of an answer. Raises ValueError when it has none."""
    if reply[0] < 0:
        raise ValueError
    return reply[0]


def _flat(client: smtplib.SMTP, message: EmailMessage) -> bytes:
    """The message's bytes; without letters beyond ASCII for a server that may not pass them on."""
    if client.has_extn("8bitmime"):
        return message.as_bytes()
    return message.as_bytes(policy=message.policy.clone(cte_type="7bit"))


def _on_the_wire(content: bytes) -> bytes:
    """The text as it is sent: uniform line ends, and dots at line starts doubled."""
    lines = _LINE_END.sub(b"\r\n", content)
    closed = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    return _DOT.sub(b"..", closed)


def _refused(line: Line, code: int, what: str) -> ToolError:
    if code in _FULL:
        return AppFailed(
            f"The mail server {line.host} found the mail too large or a mailbox full ({code}).",
            hint="Send it without attachments, or try again later.",
        )
    hint = "Try again later." if 400 <= code < 500 else "Check smtp.user and the sender's address."
    return AppFailed(f"The mail server {line.host} refused to {what} ({code}); it was not sent.", hint=hint)


def _all_refused(line: Line, refused: Sequence[Refused]) -> ToolError:
    shown = ", ".join(entry.address for entry in refused[:3])
    hint = "Try again later." if all(entry.temporary for entry in refused) else "Check the addresses."
    return ToolError(
        f"The mail server {line.host} refused all recipients ({shown}); nothing was sent.", hint=hint
    )
