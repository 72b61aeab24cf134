"""Text messages wait in an outbox until they are to be sent."""

from __future__ import annotations

import asyncio

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import Text, World
from tinyagent.errors import NoMatch, NotConfigured

pytestmark = pytest.mark.app("messages")

NUMBERS = ("+14155550142", "+442079460000")


@pytest.mark.parametrize(
    "text",
    ["On my way\n🎉", "one\ntwo\r\nthree\n", "../../x; rm -rf ~; $(reboot)", "?body=other&x=#y %20"],
)
async def test_a_text_message_waits_in_the_outbox_as_it_was_given(world: World, text: str) -> None:
    await world.desktop.messages.send(NUMBERS, text)

    assert world.outbox() == [Text(NUMBERS, text)]
    assert world.texts() == []


async def test_messages_stored_at_once_are_all_kept(world: World) -> None:
    texts = [f"text {number}" for number in range(8)]

    made = await asyncio.gather(*(world.desktop.messages.send(NUMBERS, text) for text in texts))

    assert len({message.id for message in made}) == 8
    assert sorted(message.text for message in world.outbox()) == texts


async def test_a_text_message_that_is_to_be_sent_goes_out_or_is_refused(world: World) -> None:
    if world.desktop.messages.drafts_only():
        with pytest.raises(NotConfigured) as error:
            await world.desktop.messages.send(NUMBERS, "Hi", send=True)
        assert error.value.hint
        assert world.texts() == world.outbox() == []
    else:
        made = await world.desktop.messages.send(NUMBERS, "Hi", send=True)
        assert (world.texts(), world.outbox(), made.undo) == ([Text(NUMBERS, "Hi")], [], None)


async def test_undo_takes_a_draft_and_no_other_out_of_the_outbox(world: World) -> None:
    await world.desktop.messages.send(NUMBERS, "Kept")
    made = await world.desktop.messages.send(NUMBERS, "Hi")
    assert made.undo

    assert (await world.desktop.messages.undo(made.undo)).endswith(".")

    assert [message.text for message in world.outbox()] == ["Kept"]


async def test_a_draft_that_is_gone_cannot_be_taken_back(world: World) -> None:
    made = await world.desktop.messages.send(NUMBERS, "Hi")
    world.empty()
    assert made.undo

    with pytest.raises(NoMatch):
        await world.desktop.messages.undo(made.undo)


async def test_a_number_that_messages_does_not_know_is_told(mac: MacWorld) -> None:
    mac.mac.change(lambda data: data.update(numbers=["+14155550142"]))

    with pytest.raises(NoMatch, match="number"):
        await mac.desktop.messages.send(NUMBERS, "Hi", send=True)

    assert mac.texts() == []
