"""Mail goes out by SMTP, byte for byte as it was written, and to nobody else."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support import imap_server as imap_support
from tests.support import smtp_server as smtp_support
from tests.support.imap_server import ImapServer, imap_server
from tests.support.mailing import (
    BODY,
    ORIGINAL,
    ROBIN,
    account,
    draft,
    mail,
    parsed,
    sender,
    text_of,
    undo_of,
)
from tests.support.smtp_server import SmtpServer, smtp_server
from tinyagent.apps.formats.letters import LetterWriter
from tinyagent.apps.network.mail import NetworkMail
from tinyagent.apps.network.mailbox import MailAccount
from tinyagent.apps.network.security import Security
from tinyagent.apps.network.smtp import Sender
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.errors import AppFailed, ConfigurationError, NotConfigured, ToolError


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
    app = mail(tmp_path, imap, smtp)
    stored = await app.reply((await app.selected()).id, [], "Yes.", [], send=True)
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
    assert not {"bcc", "cc"} & {name.casefold() for name in message}
    assert len(message.keys()) == 8
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
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_mail_is_sent_and_kept_over_tls(
    server_tls: ssl.SSLContext, tmp_path: Path, security: Security
) -> None:
    with smtp_server(**{security: server_tls}) as smtp, imap_server(**{security: server_tls}) as imap:
        app = NetworkMail(
            LetterWriter(ROBIN),
            PortableMail(tmp_path),
            account=MailAccount("localhost", imap_support.USER, imap_support.PASSWORD, imap.port, security),
            sender=Sender("localhost", smtp_support.USER, smtp_support.PASSWORD, smtp.port, security),
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
