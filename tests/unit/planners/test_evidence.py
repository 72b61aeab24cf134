"""What a request must hold for the decoder to write it."""

from __future__ import annotations

import pytest

from tinyagent.planners.evidence import Evidence
from tinyagent.planners.legal import PlanState
from tinyagent.planners.symbols import FIELDS
from tinyagent.planners.words import split_words


def _after(*symbols: str) -> PlanState:
    state = PlanState(FIELDS)
    for symbol in symbols:
        state.take(symbol)
    return state


def _allows(query: str, symbol: str, *before: str) -> bool:
    return Evidence(split_words(query)).allows(symbol, _after(*before))


@pytest.mark.parametrize(
    ("query", "allowed"), [("mail Ann, cc Bob", True), ("and copy in Bob", True), ("mail Ann and Bob", False)]
)
def test_nobody_is_copied_in_without_a_word_for_it(query: str, allowed: bool) -> None:
    mail = ("T:get_email_address", "A:name", "W:ann", "T:compose_new_email", "A:recipients", "R:1")
    assert _allows(query, "A:cc", *mail) is allowed


def test_a_bus_is_not_taken_and_nothing_walked_unasked() -> None:
    way = ("T:maps_show_directions", "A:end_location", "W:bath", "A:transport")
    assert not _allows("the way to Bath, telling Ann", "V:r", *way)
    assert not _allows("the way to Bath", "V:w", *way)
    assert _allows("trains to Bath", "V:r", *way) and _allows("to Bath on foot", "V:w", *way)


def test_a_message_needs_a_number_before_it() -> None:
    assert not _allows("text Ann", "T:send_sms")
    assert _allows("text Ann", "T:send_sms", "T:get_phone_number", "A:name", "W:ann")
    assert _allows("text +49 30 5550 1234", "T:send_sms")
    assert not _allows("text Ann", "T:send_sms", "T:get_email_address", "A:name", "W:ann")


def test_only_addresses_are_copied_as_recipients_and_only_paths_as_attachments() -> None:
    query = "mail ann@x.example the file /tmp/plan.pdf and say hello"
    mail = ("T:compose_new_email", "A:recipients")
    assert _allows(query, "W:ann@x.example", *mail)
    assert not _allows(query, "W:hello", *mail) and not _allows(query, "W:/tmp/plan.pdf", *mail)
    attached = (*mail, "W:ann@x.example", "A:attachments")
    assert _allows(query, "W:/tmp/plan.pdf", *attached)
    assert not _allows(query, "W:ann@x.example", *attached)


def test_a_word_is_not_said_twice_in_a_row_unless_the_request_does() -> None:
    name = ("T:create_note", "A:name", "W:bye")
    assert not _allows("a note bye", "W:bye", *name)
    assert _allows("a note bye bye", "W:bye", *name)
