"""Drafts, answers and forwards land in an IMAP account and can be taken back."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.imap_server import ImapServer, imap_server
from tests.support.mailing import (
    BODY,
    ORIGINAL,
    ROBIN,
    draft,
    in_folder,
    mail,
    text_of,
    undo_of,
)
from tinyagent.errors import ChangedSince, NoMatch


async def test_a_draft_lies_in_the_drafts_folder_and_can_be_taken_back(
    imap: ImapServer, tmp_path: Path
) -> None:
    file = tmp_path / "plan ü.txt"
    file.write_bytes(b"attached\x00")
    app = mail(tmp_path, imap)
    stored = await app.compose(draft(subject="Grüße", attachments=[file]))
    message = in_folder(imap, "Drafts")
    assert (stored.status, stored.id, stored.remark) == ("draft", message["Message-ID"], "")
    assert (message["From"], message["Subject"]) == (ROBIN, "Grüße")
    assert text_of(message).rstrip("\n") == BODY
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("plan ü.txt", "attached\x00") or (
        attached.get_payload(decode=True) == b"attached\x00"
    )
    assert await app.undo(undo_of(stored)) == "Deleted the draft “Grüße”."
    assert imap.messages("Drafts") == []
    with pytest.raises(NoMatch):
        await app.undo(undo_of(stored))


async def test_other_drafts_stay_when_one_is_taken_back(imap: ImapServer, tmp_path: Path) -> None:
    app = mail(tmp_path, imap)
    first = await app.compose(draft(subject="first"))
    await app.compose(draft(subject="second"))
    with imap.session() as other:
        other.select("Drafts")
        other.store("2", "+FLAGS", r"(\Deleted)")
    await app.undo(undo_of(first))
    assert in_folder(imap, "Drafts")["Subject"] == "second"


async def test_a_draft_that_was_edited_is_left_alone(imap: ImapServer, tmp_path: Path) -> None:
    app = mail(tmp_path, imap)
    stored = await app.compose(draft(body="before"))
    ((_, raw),) = imap.messages("Drafts")
    with imap.session() as other:
        other.select("Drafts")
        other.append("Drafts", r"(\Draft)", "", raw.replace(b"before", b"after!"))
        other.store("1", "+FLAGS", r"(\Deleted)")
        other.expunge()
    with pytest.raises(ChangedSince):
        await app.undo(undo_of(stored))
    assert text_of(in_folder(imap, "Drafts")) == "after!\n"


async def test_a_record_that_names_another_message_deletes_nothing(imap: ImapServer, tmp_path: Path) -> None:
    app = mail(tmp_path, imap)
    stored = await app.compose(draft())
    for change in (
        {"message_id": "<other@example.org>"},
        {"uid": "1:*"},
        {"validity": "1", "message_id": "x"},
    ):
        with pytest.raises((NoMatch, ChangedSince)):
            await app.undo({**undo_of(stored), **change})
    assert len(imap.messages("Drafts")) == 1


@pytest.mark.parametrize(
    ("uses", "folders", "expected"),
    [
        ({"Entwürfe": "\\Drafts"}, ["Drafts", "Entw&APw-rfe"], "Entw&APw-rfe"),
        ({}, ["Entw&APw-rfe"], "Entw&APw-rfe"),
        ({}, ["Archive/drafts"], "Archive/drafts"),
        ({}, [], "Drafts"),
        ({'A b\\"c': "\\Drafts"}, ['A b\\\\\\"c'], 'A b\\\\\\"c'),
    ],
)
async def test_the_drafts_folder_is_found_by_its_use_then_its_name_and_made_at_last(
    tmp_path: Path, uses: dict[str, str], folders: list[str], expected: str
) -> None:
    with imap_server(uses) as server:
        for folder in folders:
            server.make_folder(folder)
        await mail(tmp_path, server).compose(draft())
        assert len(server.messages(expected)) == 1


async def test_without_smtp_mail_that_shall_be_sent_is_a_draft_that_says_why(
    imap: ImapServer, tmp_path: Path
) -> None:
    app = mail(tmp_path, imap)
    stored = await app.compose(draft(), send=True)
    assert stored.status == "draft"
    assert stored.remark == app.drafts_only() != ""
    assert len(imap.messages("Drafts")) == 1


# --- the selected mail ------------------------------------------------------------------------


async def test_the_latest_mail_of_the_inbox_is_selected(imap: ImapServer, tmp_path: Path) -> None:
    imap.deliver(ORIGINAL, date='"21-Nov-2026 10:00:00 +0000"')
    imap.deliver(b"Subject: older\r\n\r\nx\r\n", date='"20-Nov-2026 10:00:00 +0000"')
    imap.deliver(
        b"Subject: thrown away\r\n\r\nx\r\n", flags=r"(\Deleted)", date='"22-Nov-2026 10:00:00 +0000"'
    )
    selected = await mail(tmp_path, imap).selected()
    assert selected.subject == "Angebot über 12"
    assert selected.sender == "Adaeze <adaeze@example.org>"
    assert selected.answer_to == ("adaeze@example.org",)
    assert "\\Seen" not in imap.messages("INBOX")[0][0]


async def test_a_reply_answers_the_selected_mail_in_its_thread(imap: ImapServer, tmp_path: Path) -> None:
    imap.deliver(ORIGINAL)
    app = mail(tmp_path, imap)
    selected = await app.selected()
    imap.deliver(ORIGINAL.replace(b"adaeze", b"thief"))
    stored = await app.reply(selected.id, ["ben@example.org"], "Thanks!", [])
    message = in_folder(imap, "Drafts")
    assert stored.recipients == ("adaeze@example.org",)
    assert message["Subject"] == "Re: Angebot über 12"
    assert message["In-Reply-To"] == message["References"] == "<quote.1@example.org>"
    assert message["Cc"] == "ben@example.org"
    assert text_of(message).startswith("Thanks!\n\nOn 2026-11-21 at 10:00, Adaeze")
    assert "> The ramp costs 9530 euros." in text_of(message)


async def test_a_forward_carries_text_and_attachments(imap: ImapServer, tmp_path: Path) -> None:
    original = EmailMessage(policy.SMTP)
    for name, value in {"From": "a@example.org", "Subject": "Plan", "Message-ID": "<p@example.org>"}.items():
        original[name] = value
    original.set_content("See the plan.\n")
    original.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    imap.deliver(original.as_bytes())
    app = mail(tmp_path, imap)
    await app.forward((await app.selected()).id, ["ben@example.org"], [], "For you", [])
    message = in_folder(imap, "Drafts")
    assert message["Subject"] == "Fwd: Plan"
    assert "For you" in text_of(message) and "See the plan." in text_of(message)
    assert [part.get_filename() for part in message.iter_attachments()] == ["plan.pdf"]


@pytest.mark.parametrize(
    "id",
    ["<quote.1@example.org>", "", "1:1", "1:*", "1 UNDELETED", "٣:٣", "9" * 2000 + ":1"],
)
async def test_a_mail_that_is_gone_is_not_answered(imap: ImapServer, tmp_path: Path, id: str) -> None:
    imap.deliver(ORIGINAL)
    with pytest.raises(NoMatch):
        await mail(tmp_path, imap).reply(id, [], "Hi", [])
    with pytest.raises(AssertionError):
        imap.messages("Drafts")


async def test_a_mail_that_was_thrown_away_is_not_answered(imap: ImapServer, tmp_path: Path) -> None:
    imap.deliver(ORIGINAL)
    app = mail(tmp_path, imap)
    selected = await app.selected()
    with imap.session() as other:
        other.select("INBOX")
        other.store("1", "+FLAGS", r"(\Deleted)")
        other.expunge()
    imap.deliver(ORIGINAL)
    with pytest.raises(NoMatch):
        await app.reply(selected.id, [], "Hi", [])


@pytest.mark.parametrize("header", [b"", b"Message-ID: <\xc3\xbc@example.org>\r\n", b"Message-ID: none\r\n"])
async def test_a_mail_without_usable_message_id_is_answered(
    imap: ImapServer, tmp_path: Path, header: bytes
) -> None:
    imap.deliver(header + b"From: ann@example.org\r\nSubject: Hi\r\n\r\nHello.\r\n")
    app = mail(tmp_path, imap)
    selected = await app.selected()
    stored = await app.reply(selected.id, [], "Hi Ann", [])
    assert stored.recipients == ("ann@example.org",)
