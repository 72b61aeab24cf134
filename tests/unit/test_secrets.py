"""Secrets come from the settings or the keychain; a keychain that is not there never stops anything."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeychain
from keyring.backends.null import Keyring as Forgetful
from keyring.errors import PasswordDeleteError
from pydantic import SecretStr
from typer.testing import CliRunner

from tinyagent import secrets
from tinyagent.cli.app import app
from tinyagent.errors import NotConfigured, NotFound
from tinyagent.secrets import delete_secret, is_secret, secret, store_secret

BACKEND = "keyring.backends.null.Keyring"


class InMemory(KeyringBackend):
    """A keychain of this process."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError


class Locked(InMemory):
    """Waits for somebody to unlock it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.unlocked.wait(30)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.unlocked.wait(30)


class Broken(InMemory):
    def get_password(self, service: str, username: str) -> str | None:
        raise OSError("the bus said: hunter2")


@pytest.fixture(autouse=True)
def keychain() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    chain = InMemory()
    keyring.set_keyring(chain)
    yield chain
    keyring.set_keyring(before)


@pytest.mark.parametrize("configured", [SecretStr("mine"), "mine"])
def test_a_configured_secret_wins_over_the_keychain(configured: SecretStr | str) -> None:
    store_secret("imap.password", "kept")

    assert secret("imap.password", configured) == "mine"
    assert secret("imap.password", SecretStr("")) == "kept"


def test_a_stored_secret_lies_under_its_own_name_until_it_is_deleted(keychain: InMemory) -> None:
    store_secret("imap.password", "ö'\"\n\\")

    assert keychain.entries == {("tinyagent", "imap.password"): "ö'\"\n\\"}
    assert secret("smtp.password", "") == ""
    delete_secret("imap.password")
    assert secret("imap.password", "") == ""
    with pytest.raises(NotFound, match=r"imap\.password"):
        delete_secret("imap.password")


@pytest.mark.parametrize("chain", [NoKeychain, Broken])
def test_without_a_working_keychain_there_is_just_no_secret(chain: type[KeyringBackend]) -> None:
    keyring.set_keyring(chain())

    assert secret("zoom.client_secret", "") == ""
    assert secret("zoom.client_secret", "mine") == "mine"
    with pytest.raises(NotConfigured) as error:
        delete_secret("zoom.client_secret")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("chain", [NoKeychain, Forgetful])
def test_a_secret_that_is_not_kept_is_an_error_that_says_where_else_to_put_it(
    chain: type[KeyringBackend],
) -> None:
    keyring.set_keyring(chain())

    with pytest.raises(NotConfigured) as error:
        store_secret("zoom.client_secret", "hunter2")

    assert "TINYAGENT_ZOOM__CLIENT_SECRET" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_locked_keychain_is_asked_once_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "READ_SECONDS", 0.05)
    monkeypatch.setattr(secrets, "WRITE_SECONDS", 0.05)
    locked = Locked()
    keyring.set_keyring(locked)
    try:
        assert secret("imap.password", "") == ""
        assert secret("smtp.password", "") == ""
        assert locked.asked == 1
        with pytest.raises(NotConfigured, match="did not answer"):
            store_secret("imap.password", "x")
    finally:
        locked.unlocked.set()


# --- the command -----------------------------------------------------------------------------


def test_a_secret_is_read_from_standard_input_and_never_shown(keychain: InMemory) -> None:
    result = CliRunner().invoke(app, ["secret", "set", "smtp.password"], input=" hunter2 \r\n")

    assert (result.exit_code, result.stdout) == (0, "Kept smtp.password in the keychain.\n")
    assert keychain.entries == {("tinyagent", "smtp.password"): " hunter2 "}
    result = CliRunner().invoke(app, ["secret", "delete", "smtp.password"])
    assert (result.exit_code, keychain.entries) == (0, {})


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudoterminal")
def test_what_is_typed_at_a_terminal_is_not_shown() -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyagent", "secret", "set", "imap.password"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHON_KEYRING_BACKEND": BACKEND},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"imap.password: " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"hunter2\n")
    process.wait(30)
    while b"keychain" not in shown:
        shown += os.read(ours, 1000)
    os.close(ours)

    assert process.returncode == 1
    assert b"hunter2" not in shown


def test_an_empty_secret_changes_nothing(keychain: InMemory) -> None:
    store_secret("smtp.password", "kept")

    result = CliRunner().invoke(app, ["secret", "set", "smtp.password"], input="\n")

    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr
    assert secret("smtp.password", "") == "kept"


@pytest.mark.parametrize("command", ["set", "delete"])
def test_an_unknown_name_is_wrong_usage(command: str, keychain: InMemory) -> None:
    result = CliRunner().invoke(app, ["secret", command, "imap.passwort"], input="hunter2\n")

    assert result.exit_code == 2
    assert "caldav.password" in result.stderr
    assert keychain.entries == {}


def test_a_missing_keychain_ends_the_command_with_a_sentence_before_it_asks(
    keychain: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(name: str) -> str:
        raise AssertionError("it asked for the secret")

    monkeypatch.setattr("tinyagent.cli.secret._read", asked)
    keyring.set_keyring(NoKeychain())

    result = CliRunner().invoke(app, ["secret", "set", "imap.password"], input="hunter2\n")

    assert result.exit_code == 1
    assert "keychain" in result.stderr
    assert "hunter2" not in result.output


def test_importing_the_module_does_not_look_for_keychains() -> None:
    code = "import sys, tinyagent.secrets; sys.exit('keyring' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
    )


@pytest.mark.parametrize(
    ("name", "known"),
    [("imap.password", True), ("mcp.weather.token", True), ("mcp..token", False), ("imap", False)],
)
def test_tokens_of_servers_are_secrets_too(name: str, known: bool) -> None:
    assert is_secret(name) is known
