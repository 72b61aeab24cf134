"""How often: the requests of each token, and the wrong tokens that come from each address."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from tinyagent.errors import Overloaded

WRONG_TOKENS_PER_MINUTE = 60


class RateExceeded(Overloaded):
    """More requests in the last minute than allowed; after `wait_s` seconds the next one is taken."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message, hint=f"Try again in {wait_s} s.")
        self.wait_s = wait_s


class RequestRates:
    """Counts requests within the last minute, in this process."""

    def __init__(self, requests_per_minute: int) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(requests_per_minute, namespace="requests")
        self._wrong = RateLimitItemPerMinute(WRONG_TOKENS_PER_MINUTE, namespace="wrong")

    def count_request(self, token: str) -> None:
        """Count a request of the token with this name. Raises RateExceeded, and does not count it then."""
        if not self._window.hit(self._requests, token):
            limit = f"{self._requests.amount:,} requests in a minute"
            raise RateExceeded(f"This token may send {limit}.", self._wait_s(self._requests, token))

    def count_wrong_token(self, address: str) -> None:
        """Note that a token from there was wrong."""
        self._window.hit(self._wrong, address)

    def check_address(self, address: str) -> None:
        """Raises RateExceeded when too many tokens from there were wrong."""
        if not self._window.test(self._wrong, address):
            wait_s = self._wait_s(self._wrong, address)
            raise RateExceeded("Too many wrong tokens came from this address.", wait_s)

    def _wait_s(self, item: RateLimitItem, key: str) -> int:
        """Whole seconds until the oldest of the counted ones is a minute old."""
        return max(1, math.ceil(self._window.get_window_stats(item, key).reset_time - time.time()))
