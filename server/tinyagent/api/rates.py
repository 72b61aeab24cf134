"""How often: the requests of each token, and the wrong tokens that come from each address."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from tinyagent.errors import Overloaded

MINUTE_S = 60.0
WRONG_TOKENS_PER_MINUTE = 60
MAX_SENDERS = 4_096
"""Most tokens or addresses that are remembered; beyond it those are forgotten that were silent longest."""
_NETWORK_BITS = 64
"""Whoever has one IPv6 address has as many as this leaves free."""


class RateExceeded(Overloaded):
    """More requests in the last minute than allowed; after `wait_s` seconds the next one is taken."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message, hint=f"Try again in {wait_s} s.")
        self.wait_s = wait_s


class RequestRates:
    """Counts requests within the last minute, in this process. `clock` gives seconds that only grow."""

    def __init__(self, requests_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests = _LastMinute(requests_per_minute, clock)
        self._wrong = _LastMinute(WRONG_TOKENS_PER_MINUTE, clock)

    def count_request(self, token: str) -> None:
        """Count a request of the token with this name. Raises RateExceeded, and does not count it then."""
        wait_s = self._requests.wait_s(token)
        if wait_s:
            raise RateExceeded(f"This token may send {self._requests.limit:,} requests in a minute.", wait_s)
        self._requests.count(token)

    def count_wrong_token(self, address: str) -> None:
        """Note that a token from there was wrong."""
        self._wrong.count(_network(address))

    def check_address(self, address: str) -> None:
        """Raises RateExceeded when too many tokens from there were wrong."""
        wait_s = self._wrong.wait_s(_network(address))
        if wait_s:
            raise RateExceeded("Too many wrong tokens came from this address.", wait_s)


class _LastMinute:
    """What each sender did within the last minute, up to a limit."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._clock = clock
        self._moments: dict[str, deque[float]] = {}

    def count(self, sender: str) -> None:
        """Note one more. Senders are kept in the order of their latest moments."""
        moments = self._moments.pop(sender, None) or deque[float](maxlen=self.limit)
        moments.append(self._clock())
        self._moments[sender] = moments
        self._forget()

    def wait_s(self, sender: str) -> int:
        """Whole seconds until one more is allowed; 0 when it is now."""
        moments = self._moments.get(sender)
        if moments is None or len(moments) < self.limit:
            return 0
        return max(0, math.ceil(moments[0] + MINUTE_S - self._clock()))

    def _forget(self) -> None:
        past = self._clock() - MINUTE_S
        while self._moments:
            oldest = next(iter(self._moments))
            if len(self._moments) <= MAX_SENDERS and self._moments[oldest][-1] > past:
                return
            del self._moments[oldest]


def _network(address: str) -> str:
    """The address, or the network that is as easily had as an address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (128 - _NETWORK_BITS))
