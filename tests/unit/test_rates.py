"""How often tokens and addresses may try, by a clock that the test holds."""

from __future__ import annotations

import pytest

from tinyagent.api import rates
from tinyagent.api.rates import MAX_SENDERS, WRONG_TOKENS_PER_MINUTE, RateExceeded, RequestRates


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait_of(made: RequestRates, token: str = "a") -> int:
    with pytest.raises(RateExceeded) as refused:
        made.count_request(token)
    assert f"{refused.value.wait_s} s" in str(refused.value)
    return refused.value.wait_s


def test_each_request_is_free_again_a_minute_after_it_was_sent(clock: Clock) -> None:
    made = RequestRates(3, clock)
    for seconds in (0, 10, 20):
        clock.now = 1_000 + seconds
        made.count_request("a")
    assert wait_of(made) == 40
    clock.now = 1_059.5
    assert wait_of(made) == 1
    clock.now = 1_060
    made.count_request("a")
    assert wait_of(made) == 10


def test_what_is_refused_is_not_counted_and_whoever_waits_as_told_gets_in(clock: Clock) -> None:
    made = RequestRates(1, clock)
    made.count_request("a")
    for _ in range(50):
        clock.now += 1
        wait_s = wait_of(made)
    clock.now += wait_s
    made.count_request("a")


def test_a_clock_of_the_computer_that_is_put_back_shuts_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = RequestRates(1)
    monkeypatch.setattr("time.time", lambda: 4e9)
    made.count_request("a")
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert wait_of(made) <= 60


def test_however_many_addresses_try_the_room_for_them_is_bounded(clock: Clock) -> None:
    made = RequestRates(1, clock)
    for number in range(MAX_SENDERS + 500):
        made.count_wrong_token(f"10.0.{number // 256}.{number % 256}")
    assert len(made._wrong._moments) == MAX_SENDERS
    clock.now += 61
    made.count_wrong_token("10.0.0.1")
    assert len(made._wrong._moments) == 1


def test_who_tries_now_is_not_forgotten_for_those_who_tried_before(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MAX_SENDERS", 2)
    made = RequestRates(2, clock)
    for token in ("busy", "a", "busy", "b"):
        made.count_request(token)
    assert wait_of(made, "busy") == 60


@pytest.mark.parametrize(
    ("addresses", "one"),
    [
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1"], True),
        (["2001:db8:0:1::1", "2001:db8:0:2::1"], False),
        (["203.0.113.1", "::ffff:203.0.113.1"], True),
        (["203.0.113.1", "203.0.113.2"], False),
        (["unknown"], True),
    ],
)
def test_addresses_that_one_sender_has_for_free_count_as_one(
    clock: Clock, addresses: list[str], one: bool
) -> None:
    made = RequestRates(1, clock)
    for number in range(WRONG_TOKENS_PER_MINUTE):
        made.count_wrong_token(addresses[number % len(addresses)])
    if one:
        with pytest.raises(RateExceeded):
            made.check_address(addresses[-1])
    else:
        made.check_address(addresses[-1])
