"""Drafts land in an IMAP account and mail goes out by SMTP, byte for byte as it was written."""

from __future__ import annotations

import email
import ssl
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support import imap_server as imap_support
from tests.support import smtp_server as smtp_support
from tests.support.imap_server import ImapServer, imap_server
from tests.support.smtp_server import SmtpServer, smtp_server
from tinyagent.apps._letters import LetterWriter
from tinyagent.apps.base import MailDraft, StoredMail
from tinyagent.apps.network._mailbox import MailAccount
from tinyagent.apps.network._smtp import Sender
from tinyagent.apps.network.mail import NetworkMail
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.errors import AppFailed, ChangedSince, ConfigurationError, NoMatch, NotConfigured, ToolError

ROBIN = "Robin Ashdown <robin@example.com>"
BODY = "\n".join(
    [".", ".dot", "..two", "Grüße, 你好 🎉", "x" * 3000, "From here", "tab\tand trailing  ", "", "end"]
)


def account(server: ImapServer, password: str = imap_support.PASSWORD) -> MailAccount:
    return MailAccount("127.0.0.1", imap_support.USER, password, server.port, "none")


def sender(server: SmtpServer, password: str = smtp_support.PASSWORD) -> Sender:
    return Sender("127.0.0.1", smtp_support.USER, password, server.port, "none")


def mail(
    folder: Path, imap: ImapServer | None = None, smtp: SmtpServer | None = None, own: str = ROBIN
) -> NetworkMail:
    return NetworkMail(
        LetterWriter(own),
        PortableMail(folder, own),
        account=account(imap) if imap else None,
        sender=sender(smtp) if smtp else None,
    )


def draft(
    recipients: Sequence[str] = ("ann@example.org",),
    subject: str = "Hello",
    body: str = BODY,
    cc: Sequence[str] = (),
    attachments: Sequence[Path] = (),
) -> MailDraft:
    return MailDraft(tuple(recipients), tuple(cc), subject, body, tuple(attachments))


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=policy.default)
    assert not message.defects
    return message


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def in_folder(server: ImapServer, folder: str) -> EmailMessage:
    ((flags, raw),) = server.messages(folder)
    assert "\\Draft" in flags or folder != "Drafts"
    return parsed(raw)


def undo_of(stored: StoredMail) -> dict[str, str]:
    assert stored.undo is not None
    return dict(stored.undo)


ORIGINAL = (
    b"From: Adaeze <adaeze@example.org>\r\nTo: robin@example.com\r\nSubject: =?utf-8?q?Angebot_=C3=BCber_12?=\r\n"
    b"Message-ID: <quote.1@example.org>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\n\r\nThe ramp costs 9530 euros.\r\n"
)


# --- drafts ------------------------------------------------------------------------------------


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
    assert await app.undo(undo_of(stored)) == "Deleted the draft."
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
    assert selected.id == "<quote.1@example.org>"
    assert selected.subject == "Angebot über 12"
    assert selected.sender == "Adaeze <adaeze@example.org>"
    assert selected.answer_to == ("adaeze@example.org",)
    assert "\\Seen" not in imap.messages("INBOX")[0][0]


async def test_an_empty_inbox_selects_nothing(imap: ImapServer, tmp_path: Path) -> None:
    with pytest.raises(NoMatch):
        await mail(tmp_path, imap).selected()


async def test_a_reply_answers_the_selected_mail_in_its_thread(imap: ImapServer, tmp_path: Path) -> None:
    imap.deliver(ORIGINAL.replace(b"<quote.1@", b"<not.quote.1@"))
    imap.deliver(ORIGINAL)
    imap.deliver(ORIGINAL.replace(b"<quote.1@", b"<quote.12@"))
    stored = await mail(tmp_path, imap).reply("<quote.1@example.org>", ["ben@example.org"], "Thanks!", [])
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
    await mail(tmp_path, imap).forward("<p@example.org>", ["ben@example.org"], [], "For you", [])
    message = in_folder(imap, "Drafts")
    assert message["Subject"] == "Fwd: Plan"
    assert "For you" in text_of(message) and "See the plan." in text_of(message)
    assert [part.get_filename() for part in message.iter_attachments()] == ["plan.pdf"]


@pytest.mark.parametrize(
    "id",
    ["<gone@example.org>", "", "uid:1:1", '<a"b@c> UNDELETED', "<ü@example.org>", "<" + "x" * 2000 + ">"],
)
async def test_a_mail_that_is_gone_is_not_answered(imap: ImapServer, tmp_path: Path, id: str) -> None:
    imap.deliver(ORIGINAL)
    with pytest.raises(NoMatch):
        await mail(tmp_path, imap).reply(id, [], "Hi", [])
    with pytest.raises(AssertionError):
        imap.messages("Drafts")


@pytest.mark.parametrize("header", [b"", b"Message-ID: <\xc3\xbc@example.org>\r\n", b"Message-ID: none\r\n"])
async def test_a_mail_without_usable_id_is_answered_by_its_place(
    imap: ImapServer, tmp_path: Path, header: bytes
) -> None:
    imap.deliver(header + b"From: ann@example.org\r\nSubject: Hi\r\n\r\nHello.\r\n")
    app = mail(tmp_path, imap)
    selected = await app.selected()
    stored = await app.reply(selected.id, [], "Hi Ann", [])
    assert stored.recipients == ("ann@example.org",)


# --- sending -------------------------------------------------------------------------------------


async def test_a_sent_mail_arrives_byte_for_byte_and_a_copy_is_kept(
    imap: ImapServer, smtp: SmtpServer, tmp_path: Path
) -> None:
    app = mail(tmp_path, imap, smtp)
    assert app.drafts_only() == ""
    stored = await app.compose(
        draft(["ann@example.org"], cc=["Ben <ben@example.org>"], subject="Grüße"), send=True
    )
    assert (stored.status, stored.undo, stored.remark) == ("sent", None, "")
    (envelope,) = smtp.received
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "robin@example.com",
        ["ann@example.org", "ben@example.org"],
    )
    message = parsed(envelope.content)
    assert message["Message-ID"] == stored.id
    assert text_of(message) == BODY + "\n"
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
    ((flags, copy),) = imap.messages("Sent")
    assert copy == envelope.content
    assert "\\Seen" in flags


async def test_a_sent_reply_goes_to_who_wrote(imap: ImapServer, smtp: SmtpServer, tmp_path: Path) -> None:
    imap.deliver(ORIGINAL)
    stored = await mail(tmp_path, imap, smtp).reply("<quote.1@example.org>", [], "Yes.", [], send=True)
    assert stored.status == "sent"
    assert smtp.received[0].rcpt_tos == ["adaeze@example.org"]


async def test_recipients_that_are_refused_are_told_when_others_got_the_mail(
    smtp: SmtpServer, tmp_path: Path
) -> None:
    smtp.refused["ben@example.org"] = "550 unknown"
    stored = await mail(tmp_path, None, smtp).compose(
        draft(["ann@example.org", "ben@example.org"]), send=True
    )
    assert stored.status == "sent"
    assert stored.remark == "The mail server refused ben@example.org; it took the mail for the others."
    assert smtp.received[0].rcpt_tos == ["ann@example.org"]


async def test_nothing_is_sent_when_all_recipients_are_refused(smtp: SmtpServer, tmp_path: Path) -> None:
    smtp.refused["ann@example.org"] = "450 later"
    with pytest.raises(ToolError, match="refused all recipients"):
        await mail(tmp_path, None, smtp).compose(draft(), send=True)
    assert smtp.received == []


@pytest.mark.parametrize(
    ("answer", "words"), [("554 spam", "554"), ("552 too big", "too large"), ("451 busy", "again later")]
)
async def test_a_refused_text_says_that_it_was_not_sent(
    smtp: SmtpServer, tmp_path: Path, answer: str, words: str
) -> None:
    smtp.answer = answer
    with pytest.raises(AppFailed, match=words):
        await mail(tmp_path, None, smtp).compose(draft(), send=True)


async def test_a_mail_that_was_sent_stays_sent_when_no_copy_can_be_kept(
    imap: ImapServer, smtp: SmtpServer, tmp_path: Path
) -> None:
    app = NetworkMail(
        LetterWriter(ROBIN), PortableMail(tmp_path), account=account(imap, "wrong"), sender=sender(smtp)
    )
    stored = await app.compose(draft(), send=True)
    assert stored.status == "sent"
    assert "no copy was kept" in stored.remark
    assert len(smtp.received) == 1


async def test_without_imap_drafts_and_answers_are_the_data_folders(smtp: SmtpServer, tmp_path: Path) -> None:
    app = mail(tmp_path, None, smtp)
    stored = await app.compose(draft())
    assert (stored.status, stored.remark) == ("draft", "")
    assert len(list((tmp_path / "mail" / "Drafts" / "cur").iterdir())) == 1
    await app.undo(undo_of(stored))
    assert list((tmp_path / "mail" / "Drafts" / "cur").iterdir()) == []
    inbox = tmp_path / "mail" / "Inbox" / "cur"
    inbox.mkdir(parents=True)
    (inbox / "1:2,S").write_bytes(ORIGINAL)
    selected = await app.selected()
    answered = await app.reply(selected.id, [], "Hi", [], send=True)
    assert answered.status == "draft"
    assert "[imap]" in answered.remark
    assert smtp.received == []


async def test_a_mail_without_sender_is_not_sent(smtp: SmtpServer, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="no sender"):
        await mail(tmp_path, None, smtp, own="").compose(draft(), send=True)


async def test_wrong_passwords_say_what_to_check(imap: ImapServer, smtp: SmtpServer, tmp_path: Path) -> None:
    app = NetworkMail(
        LetterWriter(ROBIN),
        PortableMail(tmp_path),
        account=account(imap, "wr0ng"),
        sender=sender(smtp, "wr0ng"),
    )
    for send, section in ((False, "imap.password"), (True, "smtp.password")):
        with pytest.raises(NotConfigured, match=section) as raised:
            await app.compose(draft(), send=send)
        assert "wr0ng" not in str(raised.value)


@pytest.mark.parametrize(
    "subject",
    [
        "Hi\r\nBcc: thief@example.com\r\n\r\nbody",
        "Hi\nBcc: thief@example.com",
        "\u2028Bcc: thief@example.com",
        "\x00" * 9,
        "ü" * 5000,
    ],
)
async def test_a_hostile_subject_stays_one_header(
    imap: ImapServer, smtp: SmtpServer, tmp_path: Path, subject: str
) -> None:
    app = mail(tmp_path, imap, smtp)
    await app.compose(draft(subject=subject, body="Hi"), send=True)
    (envelope,) = smtp.received
    message = parsed(envelope.content)
    assert set(message.keys()) <= {
        "Message-ID", "Date", "From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert envelope.rcpt_tos == ["ann@example.org"]
    assert text_of(message).strip() == "Hi"
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org>\r\nRCPT TO:<thief@example.com",
        "ann@example.org\nBcc: thief@example.com",
        "ann",
        "a b@c.d",
        "@",
        "",
    ],
)
async def test_a_hostile_address_is_refused_before_anything_is_sent(
    imap: ImapServer, smtp: SmtpServer, tmp_path: Path, address: str
) -> None:
    with pytest.raises(ToolError, match="is not an email address"):
        await mail(tmp_path, imap, smtp).compose(draft([address]), send=True)
    assert smtp.received == []


# --- encryption ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
async def test_mail_is_sent_and_kept_over_tls(server_tls: ssl.SSLContext, tmp_path: Path) -> None:
    with smtp_server(starttls=server_tls) as smtp, imap_server(tls=server_tls) as imap:
        app = NetworkMail(
            LetterWriter(ROBIN),
            PortableMail(tmp_path),
            account=MailAccount("localhost", imap_support.USER, imap_support.PASSWORD, imap.port, "tls"),
            sender=Sender("localhost", smtp_support.USER, smtp_support.PASSWORD, smtp.port, "starttls"),
        )
        stored = await app.compose(draft(), send=True)
    assert (stored.status, stored.remark) == ("sent", "")
    assert smtp.encrypted == [True]


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with smtp_server(starttls=server_tls) as smtp, imap_server(tls=server_tls) as imap:
        app = NetworkMail(
            LetterWriter(ROBIN),
            PortableMail(tmp_path),
            account=MailAccount("localhost", imap_support.USER, imap_support.PASSWORD, imap.port, "tls"),
            sender=Sender("localhost", smtp_support.USER, smtp_support.PASSWORD, smtp.port, "starttls"),
        )
        for send in (False, True):
            with pytest.raises(AppFailed, match="no valid certificate"):
                await app.compose(draft(), send=send)
    assert smtp.received == []


async def test_a_server_that_does_not_encrypt_gets_no_password(
    imap: ImapServer, smtp: SmtpServer, tmp_path: Path
) -> None:
    app = NetworkMail(
        LetterWriter(ROBIN),
        PortableMail(tmp_path),
        account=MailAccount("127.0.0.1", imap_support.USER, imap_support.PASSWORD, imap.port, "starttls"),
        sender=Sender("127.0.0.1", smtp_support.USER, smtp_support.PASSWORD, smtp.port, "starttls"),
    )
    for send in (False, True):
        with pytest.raises((AppFailed, NotConfigured)):
            await app.compose(draft(), send=send)
    assert smtp.received == []


def test_passwords_travel_without_encryption_only_on_this_computer() -> None:
    for host in ("mail.example.com", "192.168.1.2", "localhost.example.com"):
        with pytest.raises(ConfigurationError):
            MailAccount(host, "u", "p", security="none")
        with pytest.raises(ConfigurationError):
            Sender(host, "u", "p", security="none")
    MailAccount("localhost", "u", "p", security="none")
    Sender("::1", "u", "p", security="none")
