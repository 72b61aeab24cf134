"""Every outbox keeps a message as it was given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyagent.apps.base import Messages
from tinyagent.apps.portable.messages import PortableMessages
from tinyagent.errors import NoMatch, NotConfigured


@dataclass(frozen=True)
class Outbox:
    """An outbox under test and a way to see what it holds: recipients and text by id."""

    messages: Messages
    stored: Callable[[], dict[str, tuple[list[str], str]]]


def portable(folder: Path) -> Outbox:
    return Outbox(PortableMessages(folder), lambda: _read(folder / "messages" / "outbox"))


def _read(root: Path) -> dict[str, tuple[list[str], str]]:
    records = [json.loads(path.read_text("utf-8")) for path in root.glob("*.json")]
    return {record["id"]: (record["recipients"], record["text"]) for record in records}


@pytest.fixture(params=[portable], ids=["portable"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Outbox:
    return request.param(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "On my way",
        'say "hi" & it\'s \\ ok',
        "one\ntwo\r\nthree\n",
        "../../x; rm -rf ~; $(reboot)",
        "שלום \u202eabc\u202c 🍕",
        "?body=other&x=#y %20",
    ],
)
async def test_any_text_is_kept_as_it_was_given(outbox: Outbox, text: str) -> None:
    id = (await outbox.messages.send(["+14155552671", "5550142"], text)).id

    assert outbox.stored() == {id: (["+14155552671", "5550142"], text)}


async def test_messages_stored_at_once_are_all_kept(outbox: Outbox) -> None:
    made = await asyncio.gather(
        *(outbox.messages.send(["+14155552671"], f"text {number}") for number in range(8))
    )

    assert {outbox.stored()[message.id][1] for message in made} == {f"text {number}" for number in range(8)}


async def test_a_message_that_was_not_sent_is_taken_back_once(outbox: Outbox) -> None:
    kept = await outbox.messages.send(["+14155552671"], "one")
    made = await outbox.messages.send(["+14155552671"], "two")
    assert made.undo is not None

    assert (await outbox.messages.undo(made.undo)).endswith(".")

    assert list(outbox.stored()) == [kept.id]
    with pytest.raises(NoMatch):
        await outbox.messages.undo(made.undo)


async def test_what_cannot_be_sent_is_neither_sent_nor_stored(outbox: Outbox) -> None:
    assert outbox.messages.drafts_only()

    with pytest.raises(NotConfigured) as error:
        await outbox.messages.send(["+14155552671"], "one", send=True)

    assert error.value.hint
    assert outbox.stored() == {}
