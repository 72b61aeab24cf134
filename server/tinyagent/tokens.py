"""Named tokens: for programs that shall do less than the owner, or be shut out one by one.

Their secrets are not kept, only what they are recognized by: each is 256 random bits, so that its SHA-256
gives nothing away. A server that runs reads the file again when it has changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, Literal, TypeVar

from filelock import FileLock
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tinyagent.errors import ConfigurationError, Conflict, InvalidRequest, NotFound
from tinyagent.home import TOKEN_LOCK_S, cannot_make, prepare_home, read_regular, write_private
from tinyagent.settings import Settings

TokenScope = Literal["run", "read", "worker", "admin"]
"""`read` sees, `run` starts and cancels, `worker` carries out calls, `admin` may do everything."""

RESERVED = ("owner", "worker")
"""The names of the two tokens that have files of their own."""
MAX_TOKENS = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SECRET_BYTES = 32


class NamedToken(BaseModel):
    """What is kept of a token: never its secret, only its SHA-256 in hexadecimal digits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scopes: tuple[TokenScope, ...] = Field(min_length=1)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: AwareDatetime
    expires: AwareDatetime | None = None

    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: tuple[NamedToken, ...] = ()


def tokens_file(settings: Settings) -> Path:
    """Where the named tokens are kept."""
    return settings.home / "tokens.json"


def named_tokens(settings: Settings) -> tuple[NamedToken, ...]:
    """All named tokens, the expired ones included. Raises ConfigurationError for a damaged file."""
    path = tokens_file(settings)
    try:
        return tokens_in(path)
    except OSError as error:
        raise cannot_make("file of tokens", path, error) from error


def tokens_in(path: Path) -> tuple[NamedToken, ...]:
    """The same in a file, none where there is no file. Raises OSError, or ConfigurationError for damage."""
    try:
        return _Kept.model_validate_json(read_regular(path)).tokens
    except FileNotFoundError:
        return ()
    except ValidationError as error:  # its text would quote the file
        raise ConfigurationError(
            f"The file of tokens {path} is damaged.", hint="Delete it, and make its tokens anew."
        ) from error


def create_token(
    settings: Settings, name: str, scopes: Iterable[TokenScope], lasts: timedelta | None = None
) -> str:
    """Make a token and return its secret, which is not kept and cannot be shown again.

    Raises InvalidRequest for a name that cannot be, Conflict for one that is taken, ConfigurationError.
    """
    _check_name(name)
    created = datetime.now(UTC).replace(microsecond=0)
    secret, digest = _new_secret()
    token = NamedToken(
        name=name,
        scopes=tuple(sorted(set(scopes))),
        digest=digest,
        created=created,
        expires=created + lasts if lasts else None,
    )
    with _changing(settings) as kept:
        if name in kept:
            raise Conflict(
                f"There is a token {name} already.", hint="Rotate or revoke it, or take another name."
            )
        if len(kept) >= MAX_TOKENS:
            raise Conflict(f"There are {MAX_TOKENS} tokens already.", hint="Revoke what nobody uses.")
        kept[name] = token
    return secret


def revoke_token(settings: Settings, name: str) -> None:
    """Forget a token: a server that runs refuses it from now on. Raises NotFound or ConfigurationError."""
    with _changing(settings) as kept:
        _require(kept, name)
        del kept[name]


def rotate_token(settings: Settings, name: str) -> str:
    """Give a token a new secret, which is returned; the old one is refused from now on.

    Its scopes and its end stay. Raises NotFound or ConfigurationError.
    """
    secret, digest = _new_secret()
    with _changing(settings) as kept:
        _require(kept, name)
        kept[name] = kept[name].model_copy(update={"digest": digest})
    return secret


def _new_secret() -> tuple[str, str]:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    return secret, hashlib.sha256(secret.encode()).hexdigest()


def _check_name(name: str) -> None:
    if name in RESERVED:
        raise InvalidRequest(
            f"The name {name} belongs to a token of its own.", hint="See `tinyagent token --help`."
        )
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            "This cannot be the name of a token.",
            hint="Take up to 64 small letters, digits, dots, hyphens and underscores.",
        )


def _require(kept: dict[str, NamedToken], name: str) -> None:
    if name not in kept:
        known = ", ".join(kept) or "there are none yet"
        raise NotFound(f"There is no token {name!r}.", hint=f"Named tokens: {known}.")


@contextmanager
def _changing(settings: Settings) -> Generator[dict[str, NamedToken]]:
    """The tokens by their names, kept as they are left; one process at a time."""
    prepare_home(settings)
    path = tokens_file(settings)
    try:
        with FileLock(f"{path}.lock", timeout=TOKEN_LOCK_S):
            kept = {token.name: token for token in named_tokens(settings)}
            yield kept
            write_private(path, _Kept(tokens=tuple(kept.values())).model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise cannot_make("file of tokens", path, error) from error


_Value = TypeVar("_Value")


class Watched(Generic[_Value]):
    """What a file says, read again only when the file is another one by now."""

    def __init__(self, path: Path, read: Callable[[], _Value]) -> None:
        self.path = path
        self._read = read
        self._seen: tuple[tuple[int, ...] | None, _Value] | None = None

    def value(self) -> _Value:
        """As things stand now. What `read` raises is raised; the next time, it reads again."""
        standing = self._standing()
        if self._seen is None or self._seen[0] != standing:
            self._seen = (standing, self._read())
        return self._seen[1]

    def _standing(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self.path)  # noqa: PTH116 - at every request
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
