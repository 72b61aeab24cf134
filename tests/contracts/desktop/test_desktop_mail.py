"""Every mail program drafts what it is given, sends only when told to, and acts on the mail that is meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import Letter, World, require
from tinyagent.apps.base import MailDraft
from tinyagent.errors import NoMatch, ToolError

pytestmark = pytest.mark.app("mail")

DRAFT = MailDraft(("a@x.example", "b@x.example"), ("c@x.example",), "Café plans", "Hi,\n\nsee you.", ())


@pytest.fixture
def paper(world: World) -> Path:
    path = world.folder / "It's a plan.txt"
    path.write_text("content")
    return path


async def test_a_mail_is_drafted_and_not_sent(world: World, paper: Path) -> None:
    stored = await world.desktop.mail.compose(replace(DRAFT, attachments=(paper,)))

    (letter,) = world.drafts()
    assert (letter.to, letter.cc, letter.subject) == (DRAFT.recipients, DRAFT.cc, DRAFT.subject)
    assert letter.body.strip() == DRAFT.body
    assert letter.attachments == (paper.name,)
    assert (stored.status, stored.recipients, stored.subject) == ("draft", DRAFT.recipients, DRAFT.subject)
    assert world.sent() == []


async def test_a_mail_that_is_to_be_sent_goes_out_or_says_why_not(world: World) -> None:
    stored = await world.desktop.mail.compose(DRAFT, send=True)

    if world.desktop.mail.drafts_only():
        assert (stored.status, len(world.drafts()), world.sent()) == ("draft", 1, [])
        assert stored.remark == world.desktop.mail.drafts_only()
    else:
        assert (stored.status, world.drafts()) == ("sent", [])
        assert world.sent() == [Letter(DRAFT.recipients, DRAFT.cc, DRAFT.subject, DRAFT.body, ())]
        assert stored.undo is None


async def test_undo_deletes_the_draft_and_no_other(world: World) -> None:
    kept = await world.desktop.mail.compose(replace(DRAFT, subject="Kept"))
    stored = await world.desktop.mail.compose(DRAFT)
    assert kept.id != stored.id and stored.undo

    said = await world.desktop.mail.undo(stored.undo)

    assert [letter.subject for letter in world.drafts()] == ["Kept"]
    assert DRAFT.subject in said


async def test_a_draft_that_is_gone_cannot_be_taken_back(world: World) -> None:
    stored = await world.desktop.mail.compose(DRAFT)
    world.empty()
    assert stored.undo

    with pytest.raises(NoMatch):
        await world.desktop.mail.undo(stored.undo)


@pytest.mark.parametrize(
    "address", ["nobody", "a@x.example\nBcc: thief@x.example", "", "a b@x.example", "-oProxy@"]
)
async def test_what_is_no_address_gets_no_mail(world: World, address: str) -> None:
    with pytest.raises(ToolError):
        await world.desktop.mail.compose(MailDraft((address,), (), "s", "b", ()))

    assert world.drafts() == []


async def test_an_attachment_that_is_not_there_is_an_error(world: World) -> None:
    with pytest.raises(NoMatch):
        await world.desktop.mail.compose(
            MailDraft(("a@x.example",), (), "s", "b", (world.folder / "no.txt",))
        )

    assert world.drafts() == []


async def test_without_any_mail_there_is_nothing_to_answer(world: World) -> None:
    with pytest.raises(NoMatch):
        await world.desktop.mail.selected()


async def test_the_latest_mail_is_meant(world: World) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")
    world.add_mail("Ben <ben@x.example>", "Second", "two")

    latest = await world.desktop.mail.selected()

    assert (latest.subject, latest.answer_to) == ("Second", ("ben@x.example",))
    assert latest.sender == "Ben <ben@x.example>"


async def test_a_mail_that_is_selected_is_meant_before_the_latest(world: World) -> None:
    require(world, "selected mail")
    world.add_mail("Ann <ann@x.example>", "First", "one")
    world.add_mail("Ben <ben@x.example>", "Second", "two")
    world.select_mail("First")

    selected = await world.desktop.mail.selected()

    assert (selected.subject, selected.answer_to) == ("First", ("ann@x.example",))


async def test_a_reply_goes_to_the_sender_of_the_mail_that_was_meant(world: World, paper: Path) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")
    original = await world.desktop.mail.selected()
    world.add_mail("Ben <ben@x.example>", "Second", "two")

    stored = await world.desktop.mail.reply(original.id, ["c@x.example"], "Thanks", [paper])

    (letter,) = world.drafts()
    assert (letter.to, letter.cc, letter.subject) == (("ann@x.example",), ("c@x.example",), "Re: First")
    assert letter.body.startswith("Thanks")
    assert letter.attachments == (paper.name,)
    assert (stored.status, stored.recipients, stored.subject) == ("draft", letter.to, "Re: First")


async def test_a_forward_goes_to_whom_it_was_meant_for(world: World) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")
    original = await world.desktop.mail.selected()

    stored = await world.desktop.mail.forward(original.id, ["b@x.example"], ["c@x.example"], "FYI", [])

    (letter,) = world.drafts()
    assert (letter.to, letter.cc, letter.subject) == (("b@x.example",), ("c@x.example",), "Fwd: First")
    assert stored.undo


@pytest.mark.parametrize("action", ["reply", "forward"])
async def test_an_original_that_is_gone_is_an_error(world: World, action: str) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")
    mail = world.desktop.mail

    with pytest.raises(NoMatch):
        if action == "reply":
            await mail.reply("no-such-mail", [], "x", [])
        else:
            await mail.forward("no-such-mail", ["b@x.example"], [], "x", [])

    assert world.drafts() == []


async def test_a_draft_in_mail_says_that_it_may_look_odd(mac: MacWorld) -> None:
    assert "quotation" in (await mac.desktop.mail.compose(DRAFT)).remark


@pytest.mark.parametrize(("action", "to"), [("reply", "ann@x.example"), ("forward", "b@x.example")])
async def test_an_answer_that_is_to_be_sent_goes_out_or_says_why_not(
    world: World, action: str, to: str
) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")
    original = (await world.desktop.mail.selected()).id
    mail = world.desktop.mail

    if action == "reply":
        stored = await mail.reply(original, [], "x", [], send=True)
    else:
        stored = await mail.forward(original, ["b@x.example"], [], "x", [], send=True)

    kept, sent = [[one.to for one in letters] for letters in (world.drafts(), world.sent())]
    if mail.drafts_only():
        assert (stored.status, stored.remark, kept, sent) == ("draft", mail.drafts_only(), [(to,)], [])
    else:
        assert (stored.status, stored.undo, kept, sent) == ("sent", None, [], [(to,)])
