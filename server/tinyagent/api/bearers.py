"""Tokens: named secrets, and what whoever bears them may do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from tinyagent.errors import ConfigurationError

Permission = Literal["run", "read", "worker", "admin"]
"""`read` sees, `run` starts and cancels, `worker` carries out calls, `admin` may do everything."""

MIN_SECRET_CHARACTERS = 16
UNGUESSABLE_CHARACTERS = 32
"""A secret of this length was made by a machine: not even unlimited attempts find it."""


def digest_of(secret: bytes) -> bytes:
    """What secrets are compared by: of one length, and useless to whoever reads it."""
    return hashlib.sha256(secret).digest()


@dataclass(frozen=True)
class HashedToken:
    """A named secret of which only the SHA-256 is known, and what its bearer may do."""

    name: str
    digest: bytes
    scopes: frozenset[Permission]
    strong: ClassVar[bool] = True
    guessable: ClassVar[bool] = False


@dataclass(frozen=True)
class Token:
    """A named secret and what its bearer may do."""

    name: str
    secret: str
    scopes: frozenset[Permission]

    @property
    def digest(self) -> bytes:
        return digest_of(self.secret.encode())

    @property
    def strong(self) -> bool:
        """Whether it is too long to be guessed by hand."""
        return len(self.secret) >= MIN_SECRET_CHARACTERS

    @property
    def guessable(self) -> bool:
        """Whether many attempts may find it, because a person may have made it up."""
        return len(self.secret) < UNGUESSABLE_CHARACTERS


def no_tokens() -> Sequence[Token | HashedToken]:
    """For servers whose tokens stay the same."""
    return ()


def require_strong(token: Token) -> None:
    """Raises ConfigurationError for a token that anybody could guess, or nobody could send."""
    if not (token.secret.isascii() and token.secret.isprintable()):
        raise ConfigurationError(
            f"The token {token.name!r} has characters that no request can send.",
            hint="Take letters, digits and signs of ASCII, or delete it, and a new one is made.",
        )
    if not token.strong:
        raise ConfigurationError(
            f"The token {token.name!r} is shorter than {MIN_SECRET_CHARACTERS} characters.",
            hint="Delete it, and a new one is made at the next start.",
        )
