"""Passwords and keys: from the settings, else from the system's keychain.

The keychain is asked in a thread with a time limit, since a locked one may wait for somebody to unlock it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from pydantic import SecretStr

from tinyagent.errors import NotConfigured, NotFound

SERVICE = "tinyagent"
"""What the entries of the keychain are filed under."""

NAMES = ("zoom.client_secret", "imap.password", "smtp.password", "caldav.password", "carddav.password")

_OF_SERVER = re.compile(r"mcp\.[^.\s]+\.token")

READ_SECONDS = 5.0
WRITE_SECONDS = 60.0
"""Long enough for a person to unlock the keychain."""

_asking: list[threading.Thread] = []


def is_secret(name: str) -> bool:
    """Whether there is a secret setting of this name, such as `imap.password` or `mcp.SERVER.token`."""
    return name in NAMES or _OF_SERVER.fullmatch(name) is not None


def secret(name: str, configured: SecretStr | str) -> str:
    """The secret: the configured one if there is one, else the keychain's; empty when neither has it.

    `name` is that of the setting, such as `zoom.client_secret`. A keychain that is missing, locked or
    silent counts as empty, and a silent one is not asked again while it still keeps the last question.
    """
    given = configured.get_secret_value() if isinstance(configured, SecretStr) else configured
    if given:
        return given
    if any(thread.is_alive() for thread in _asking):
        return ""
    try:
        return _read(name, READ_SECONDS)
    except NotConfigured:
        return ""


def variable_of(name: str) -> str:
    """The environment variable that sets the secret."""
    return f"TINYAGENT_{name.upper().replace('.', '__')}"


def require_keychain(name: str) -> None:
    """Raises NotConfigured when there is no keychain that answers, before anybody is asked for a secret."""
    _read(name, WRITE_SECONDS)


def store_secret(name: str, value: str) -> None:
    """Put a secret into the keychain. Raises NotConfigured when there is none that keeps it."""

    def store() -> None:
        import keyring

        keyring.set_password(SERVICE, name, value)

    _ask(store, name, WRITE_SECONDS)
    if _read(name, WRITE_SECONDS) != value:
        raise _unusable(name, "did not keep it")


def delete_secret(name: str) -> None:
    """Take a secret out of the keychain. Raises NotFound when it is not there, or NotConfigured."""

    def delete() -> None:
        import keyring

        keyring.delete_password(SERVICE, name)

    if not _read(name, WRITE_SECONDS):
        raise NotFound(f"The keychain has no {name}.", hint="Nothing was changed.")
    _ask(delete, name, WRITE_SECONDS)


def _read(name: str, seconds: float) -> str:
    def read() -> str | None:
        import keyring

        return keyring.get_password(SERVICE, name)

    return _ask(read, name, seconds) or ""


def _ask(question: Callable[[], str | None], name: str, seconds: float) -> str | None:
    """What the keychain answers. Raises NotConfigured for one that fails or does not answer in time."""
    answers: SimpleQueue[str | Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(question())
        except Exception as error:  # backends raise whatever their systems do
            answers.put(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        _asking[:] = [*(other for other in _asking if other.is_alive()), thread]
        raise _unusable(name, f"did not answer within {seconds:g} seconds") from None
    if isinstance(answer, Exception):
        missing = type(answer).__name__ == "NoKeyringError"
        raise _unusable(name, "is missing" if missing else f"failed ({type(answer).__name__})")
    return answer


def _unusable(name: str, what: str) -> NotConfigured:
    return NotConfigured(
        f"The system's keychain {what}.",
        hint=f"Set it up or unlock it and try again, or set {variable_of(name)} instead.",
    )
