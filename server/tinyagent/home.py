"""The user's own folder: made private, held by one process, with the access token in it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tinyagent.errors import ConfigurationError, Conflict, InvalidRequest, StorageFull, TinyAgentError
from tinyagent.settings import Settings

TOKEN_LOCK_S = 10.0
MAX_FILE_BYTES = 1_000_000
"""No file of tokens is nearly as long."""


def prepare_home(settings: Settings) -> None:
    """Make the home folder, readable by its owner only. Raises ConfigurationError or StorageFull."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.data.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise cannot_make("folder", settings.home, error) from error


def cannot_make(kind: str, path: Path, error: OSError | UnicodeDecodeError) -> TinyAgentError:
    """The error to raise for a file or folder of the home folder that failed."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return StorageFull(f"The {kind} {path} cannot be made: the disk is full.", hint="Free some space.")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return ConfigurationError(
        f"The {kind} {path} cannot be made or read: {reason}.",
        hint="Check its permissions, remove it if it is damaged, or choose another folder with --home.",
    )


def read_token(settings: Settings) -> str:
    """The access token: the configured one, else the one in the token file, which is made if need be.

    Raises ConfigurationError or StorageFull.
    """
    if settings.token is not None:
        return settings.token.get_secret_value().strip()
    return _kept_token(settings, settings.token_file)


def read_worker_token(settings: Settings) -> str:
    """The token that workers present to this server; it is made if need be.

    Raises ConfigurationError or StorageFull.
    """
    return _kept_token(settings, settings.worker_token_file)


def rotate_owner_token(settings: Settings) -> str:
    """Make a new access token in place of the old one, which a running server refuses from now on.

    Raises InvalidRequest where the token is a setting, ConfigurationError or StorageFull.
    """
    if settings.token is not None:
        raise InvalidRequest(
            "The access token is a setting, and no file.",
            hint="Change TINYAGENT_TOKEN or `token` in config.toml, and start the server again.",
        )
    prepare_home(settings)
    path = settings.token_file
    token = secrets.token_urlsafe(32)
    try:
        with FileLock(f"{path}.lock", timeout=TOKEN_LOCK_S):
            write_private(path, token + "\n")
    except OSError as error:
        raise cannot_make("token file", path, error) from error
    return token


def token_in(path: Path) -> str:
    """The token in a file, as things stand now: empty when there is none. Raises OSError."""
    try:
        return read_regular(path).decode().strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def read_regular(path: Path) -> bytes:
    """A small file's content, without waiting for anybody, as a pipe would. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, "it is too long")
    return content


def revoke_worker_token(settings: Settings) -> bool:
    """Delete the workers' token; a running server refuses it from now on. False when there was none.

    Raises ConfigurationError.
    """
    path = settings.worker_token_file
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigurationError(
            f"The token file {path} cannot be deleted: {error.strerror}.", hint="Check its permissions."
        ) from error
    return True


def _kept_token(settings: Settings, path: Path) -> str:
    """The token in a file of the home folder; a new one is made where there is none."""
    prepare_home(settings)
    try:
        with FileLock(f"{path}.lock", timeout=TOKEN_LOCK_S):
            if not path.exists():
                write_private(path, secrets.token_urlsafe(32) + "\n")
            token = read_regular(path).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_make("token file", path, error) from error
    if not token:
        raise ConfigurationError(f"The token file {path} is empty.", hint="Delete it; a new one is made.")
    return token


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by the owner only from its first byte on."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


@contextmanager
def home_lock(settings: Settings) -> Generator[None]:
    """Hold the home folder for this process, so that no second one takes its runs for abandoned.

    The system releases the lock with the process, however it ends. Raises Conflict when another
    process holds it, ConfigurationError when there is no locking there.
    """
    prepare_home(settings)
    lock = FileLock(settings.home / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Conflict(
            f"Another tinyagent uses the folder {settings.home}.",
            hint="Stop it, talk to it (`tinyagent ask` without --local), or use another --home.",
        ) from None
    except OSError as error:
        raise cannot_make("lock file", settings.home / "lock", error) from error
    try:
        yield
    finally:
        lock.release()
