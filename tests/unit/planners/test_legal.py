"""What the pointer decoder may write next."""

from __future__ import annotations

import random

from tinyagent.planners.inner import DraftCall
from tinyagent.planners.legal import MAX_CALLS, PlanState
from tinyagent.planners.symbols import FIELDS, JOIN, symbols_of


def _after(*symbols: str, tools: tuple[str, ...] = tuple(FIELDS)) -> PlanState:
    state = PlanState(tools)
    for symbol in symbols:
        state.take(symbol)
    return state


def test_a_plan_begins_with_an_offered_tool_or_ends() -> None:
    assert _after(tools=("send_sms", "someone_elses_tool")).legal().symbols == {"T:send_sms", JOIN}


def test_a_plan_that_must_call_does_not_end_before() -> None:
    state = PlanState(("send_sms",), must_call=True)
    assert state.legal().symbols == {"T:send_sms"}
    for symbol in ("T:send_sms", "A:recipients", "W:+1234567", "A:message", "W:hello"):
        state.take(symbol)
    assert JOIN in state.copy().legal().symbols
    assert PlanState((), must_call=True).legal().symbols == {JOIN}


def test_arguments_that_a_tool_lacks_are_not_written() -> None:
    state = PlanState(("reply_to_email",), absent={"reply_to_email": {"cc", "attachments"}})
    state.take("T:reply_to_email")
    assert "A:context" in state.legal().symbols
    assert not state.legal().symbols & {"A:cc", "A:attachments"}


def test_required_arguments_come_before_the_next_call() -> None:
    state = _after("T:send_sms")
    assert state.legal().symbols == {"A:recipients"}
    state = _after("T:send_sms", "A:recipients", "W:+1234567")
    assert "A:message" in state.legal().symbols and JOIN not in state.legal().symbols


def test_references_lead_back_to_results_of_the_right_kind() -> None:
    state = _after(
        "T:get_email_address",
        "A:name",
        "W:ann",
        "T:get_phone_number",
        "A:name",
        "W:ann",
        "T:send_sms",
        "A:recipients",
    )
    assert {symbol for symbol in state.legal().symbols if symbol.startswith("R:")} == {"R:2"}


def test_a_person_stands_once_in_a_list() -> None:
    state = _after("T:get_phone_number", "A:name", "W:ann", "T:send_sms", "A:recipients", "R:1", "I")
    assert "R:1" not in state.legal().symbols


def test_nobody_is_sent_an_own_address() -> None:
    state = _after("T:get_phone_number", "A:name", "W:ann", "T:get_phone_number", "A:name", "W:bob")
    for symbol in ("T:send_sms", "A:recipients", "R:1", "A:message"):
        state.take(symbol)
    references = {symbol for symbol in state.legal().symbols if symbol.startswith("R:")}
    assert references == {"R:2"}


def test_dates_are_copied_and_never_made_up() -> None:
    legal = _after("T:create_reminder", "A:name", "W:call", "A:due_date").legal()
    assert legal.copies and not legal.words and not any(symbol.startswith("R:") for symbol in legal.symbols)


def test_every_random_walk_ends_within_bounds() -> None:
    chance = random.Random(7)
    for _ in range(20):
        state, calls = PlanState(FIELDS), 0
        for _ in range(4000):
            legal = state.legal()
            options = sorted(legal.symbols) + ["W:word"] * (5 if legal.copies or legal.words else 0)
            assert options, "something may always follow"
            symbol = chance.choice(options)
            calls += symbol.startswith("T:")
            state.take(symbol)
            if symbol == JOIN:
                break
        assert calls <= MAX_CALLS


def test_symbols_of_calls_are_legal_in_their_order() -> None:
    calls = [
        DraftCall("get_email_address", {"name": "Ann"}),
        DraftCall("get_email_address", {"name": "Bob"}),
        DraftCall(
            "compose_new_email", {"recipients": ["$1", "b@c.example"], "subject": "Hi", "context": "Bob: $2"}
        ),
        DraftCall("maps_show_directions", {"end_location": "Bath", "transport": "w"}),
    ]
    state = PlanState(FIELDS)
    for symbol in symbols_of(calls):
        legal = state.legal()
        assert symbol in legal.symbols or (symbol.startswith("W:") and (legal.words or legal.copies))
        state.take(symbol)
