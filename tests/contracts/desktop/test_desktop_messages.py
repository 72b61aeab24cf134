"""Text messages wait in an outbox until they are to be sent."""

from __future__ import annotations

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import Text, World
from tinyagent.errors import NoMatch, NotConfigured

NUMBERS = ("+14155550142", "+442079460000")


async def test_a_text_message_waits_in_the_outbox(world: World) -> None:
    await world.desktop.messages.send(NUMBERS, "On my way\n🎉")

    assert world.outbox() == [Text(NUMBERS, "On my way\n🎉")]
    assert world.texts() == []


async def test_a_text_message_that_is_to_be_sent_goes_out_or_is_refused(world: World) -> None:
    if world.desktop.messages.drafts_only():
        with pytest.raises(NotConfigured):
            await world.desktop.messages.send(NUMBERS, "Hi", send=True)
        assert world.texts() == world.outbox() == []
    else:
        made = await world.desktop.messages.send(NUMBERS, "Hi", send=True)
        assert (world.texts(), world.outbox(), made.undo) == ([Text(NUMBERS, "Hi")], [], None)


async def test_undo_takes_a_draft_out_of_the_outbox(world: World) -> None:
    made = await world.desktop.messages.send(NUMBERS, "Hi")
    assert made.undo

    await world.desktop.messages.undo(made.undo)

    assert world.outbox() == []


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
