"""What is on this computer: it may be spoken to without encryption, and never by way of a proxy."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether the name or number of a host is this computer."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_local_url(url: str) -> bool:
    """Whether the address, which must be one, is on this computer."""
    return is_loopback(urlsplit(url).hostname or "")
