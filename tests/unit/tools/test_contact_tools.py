"""Looking people up gives one answer, a question or an error that helps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tinyagent.errors import Ambiguous, NoMatch
from tinyagent.ports import ToolResult

Caller = Callable[..., Awaitable[ToolResult]]


async def test_a_mobile_number_wins_and_is_international(call: Caller) -> None:
    result = await call("get_phone_number", "Sid")

    assert result.value == "+14155552671"
    assert "Sid Meier" in result.message
    assert not result.untrusted


async def test_an_address_is_returned_as_stored(call: Caller) -> None:
    assert (await call("get_email_address", "sid meier")).value == "sid@home.example"


async def test_two_matching_contacts_are_a_question_with_candidates(call: Caller) -> None:
    with pytest.raises(Ambiguous) as question:
        await call("get_email_address", "Alex")

    assert question.value.candidates == ("Alex Kim (kim@x.example)", "Alex Novak (no email address)")


async def test_two_equal_numbers_of_one_person_are_a_question(call: Caller) -> None:
    with pytest.raises(Ambiguous) as question:
        await call("get_phone_number", "Two Lines")

    assert question.value.candidates == ("Two Lines (+442079460001)", "Two Lines (+442079460002)")


async def test_the_first_of_several_addresses_is_used_and_said(call: Caller) -> None:
    result = await call("get_email_address", "Two Lines")

    assert result.value == "a@x.example"
    assert "first of 2" in result.message


@pytest.mark.parametrize(
    ("tool", "value"), [("get_email_address", "cat@x.example"), ("get_phone_number", "5550142")]
)
async def test_copies_of_one_card_are_one_person(call: Caller, tool: str, value: str) -> None:
    assert (await call(tool, "Copy Cat")).value == value


@pytest.mark.parametrize(
    ("tool", "name", "lacks"),
    [
        ("get_email_address", "Ada", "email address for Ada Byron"),
        ("get_phone_number", "Ada", "phone number for Ada Byron"),
        ("get_phone_number", "Odd Number", "phone number for Odd Number"),
    ],
)
async def test_a_contact_without_the_detail_is_named(call: Caller, tool: str, name: str, lacks: str) -> None:
    with pytest.raises(NoMatch, match=lacks) as error:
        await call(tool, name)

    assert error.value.hint


@pytest.mark.parametrize(
    ("name", "close"), [("Sid Vicious", "Sid Meier"), ("Byran", "Ada Byron"), ("Noväk-Smith", "Alex Novak")]
)
async def test_an_unknown_name_is_an_error_with_similar_names(call: Caller, name: str, close: str) -> None:
    with pytest.raises(NoMatch) as error:
        await call("get_phone_number", name)

    assert close in error.value.candidates
    assert "Say which one" in str(error.value)


@pytest.mark.parametrize("name", ["", "Zacharias", "'; DROP TABLE", "../../all"])
async def test_a_name_like_none_is_an_error_without_candidates(call: Caller, name: str) -> None:
    with pytest.raises(NoMatch) as error:
        await call("get_email_address", name)

    assert error.value.candidates == ()
