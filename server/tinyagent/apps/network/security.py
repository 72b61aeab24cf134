"""Which connections may carry a password: those over verified TLS, and those that stay on this computer."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Literal

import certifi

from tinyagent.errors import ConfigurationError
from tinyagent.loopback import is_loopback

Security = Literal["tls", "starttls", "none"]


def tls_context() -> ssl.SSLContext:
    """Verified TLS, by this computer's list of authorities."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509"]:
        # Some builds of Python, on macOS above all, come without a list.
        context.load_verify_locations(certifi.where())
    return context


def is_address(host: str) -> bool:
    """Whether the host is a number and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def require_protection(name: str, host: str, protected: bool) -> None:
    """Raises ConfigurationError when a password would travel in the clear; `name` is a settings section."""
    if not protected and not is_loopback(host):
        raise ConfigurationError(
            f"[{name}] would send the password to {host} without encryption.",
            hint="Use TLS; without it only this computer itself (127.0.0.1, localhost) can be reached.",
        )
