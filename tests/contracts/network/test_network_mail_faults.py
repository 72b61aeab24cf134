"""Mail servers that hang, break off or talk nonsense give a clear error in bounded time."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
from pathlib import Path

import pytest

from tests.support.talking_server import Peer, talking_server
from tinyagent.apps.base import MailDraft, StoredMail
from tinyagent.apps.formats.letters import LetterWriter
from tinyagent.apps.network.mail import NetworkMail
from tinyagent.apps.network.mailbox import MailAccount
from tinyagent.apps.network.smtp import Sender
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.errors import AppFailed, NotConfigured, OutcomeUnknown, ToolError

PASSWORD = "very secret"
BODY = "private words"


def draft() -> MailDraft:
    return MailDraft(("ann@example.org",), (), "Hello", BODY, ())


async def send(folder: Path, port: int, seconds: float = 20, user: str = "") -> StoredMail:
    server = Sender("127.0.0.1", user, PASSWORD, port, "none", seconds=seconds)
    letters = LetterWriter("robin@example.com")
    return await NetworkMail(letters, PortableMail(folder), sender=server).compose(draft(), send=True)


async def keep(folder: Path, port: int, seconds: float = 20) -> StoredMail:
    account = MailAccount("127.0.0.1", "robin", PASSWORD, port, "none", seconds=seconds)
    letters = LetterWriter("robin@example.com")
    return await NetworkMail(letters, PortableMail(folder), account=account).compose(draft())


# --- SMTP ----------------------------------------------------------------------------------------


def until_data(peer: Peer) -> None:
    peer.say(b"220 hello\r\n")
    peer.answer(b"250 fine\r\n", b"250 fine\r\n", b"250 fine\r\n", b"354 go on\r\n")


async def test_a_mail_server_that_hangs_or_drips_is_given_up(tmp_path: Path) -> None:
    for talk in (lambda peer: peer.hang(), lambda peer: peer.drip()):
        with talking_server(talk) as server:
            with pytest.raises(AppFailed, match="did not answer within"):
                await send(tmp_path, server.port, seconds=0.2)
            with pytest.raises(AppFailed, match="did not answer within"):
                await keep(tmp_path, server.port, seconds=0.2)


async def test_a_connection_that_ends_within_the_text_means_that_nothing_was_sent(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        until_data(peer)
        peer.hear(b"private")

    # What fits into the system's buffers counts as sent, so the mail is made larger than they are.
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(6 * 2**20))
    with talking_server(talk) as server, pytest.raises(AppFailed, match="broke off"):
        letter = MailDraft(("ann@example.org",), (), "Hello", BODY, (file,))
        sender = Sender("127.0.0.1", "", "", server.port, "none")
        mail = NetworkMail(LetterWriter("robin@example.com"), PortableMail(tmp_path), sender=sender)
        await mail.compose(letter, send=True)


@pytest.mark.parametrize("last", ["end", "hang", "garbage"])
async def test_a_connection_lost_after_the_text_leaves_the_outcome_unknown(tmp_path: Path, last: str) -> None:
    def talk(peer: Peer) -> None:
        until_data(peer)
        peer.hear(b"\r\n.\r\n")
        if last == "hang":
            peer.hang()
        elif last == "garbage":
            peer.say(b"garbage\r\n")
            peer.hang()

    with talking_server(talk) as server, pytest.raises(OutcomeUnknown) as raised:
        await send(tmp_path, server.port, seconds=1)
    assert BODY not in str(raised.value)


async def test_dots_at_line_starts_are_doubled_on_the_way(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        until_data(peer)
        peer.hear(b"\r\n.\r\n")
        peer.say(b"250 kept\r\n")

    with talking_server(talk) as server:
        sender = Sender("127.0.0.1", "", "", server.port, "none")
        mail = NetworkMail(LetterWriter("robin@example.com"), PortableMail(tmp_path), sender=sender)
        await mail.compose(MailDraft(("ann@example.org",), (), "Dots", ".\n..two\na.b\n.", ()), send=True)
        text = server.heard[-1].partition(b"\r\n\r\n")[2]
    assert text == b"..\r\n...two\r\na.b\r\n.."


async def test_letters_beyond_ascii_are_encoded_for_a_server_that_does_not_pass_them_on(
    tmp_path: Path,
) -> None:
    def talk(peer: Peer) -> None:
        until_data(peer)
        peer.hear(b"\r\n.\r\n")
        peer.say(b"250 kept\r\n")

    with talking_server(talk) as server:
        sender = Sender("127.0.0.1", "", "", server.port, "none")
        mail = NetworkMail(LetterWriter("robin@example.com"), PortableMail(tmp_path), sender=sender)
        await mail.compose(MailDraft(("ann@example.org",), (), "ü", "Grüße", ()), send=True)
        assert server.heard[-1].isascii()


async def test_an_address_in_other_letters_needs_a_server_that_takes_it(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"220 hello\r\n")
        peer.answer(b"250 fine\r\n")
        peer.hang()

    with talking_server(talk) as server, pytest.raises(ToolError, match="such letters"):
        sender = Sender("127.0.0.1", "", "", server.port, "none")
        mail = NetworkMail(LetterWriter("robin@example.com"), PortableMail(tmp_path), sender=sender)
        await mail.compose(MailDraft(("grüße@example.org",), (), "Hi", "Hi", ()), send=True)


@pytest.mark.parametrize(
    "greeting", [b"garbage\r\n", b"\xff\x00\r\n", b"554 go away\r\n", b"x" * 100_000, b""]
)
async def test_a_greeting_of_no_mail_server_is_an_error(tmp_path: Path, greeting: bytes) -> None:
    with talking_server(lambda peer: peer.say(greeting)) as server:
        with pytest.raises(AppFailed) as raised:
            await send(tmp_path, server.port, seconds=5)
        with pytest.raises(AppFailed):
            await keep(tmp_path, server.port, seconds=5)
    assert "go away" not in str(raised.value)


async def test_a_server_that_offers_no_login_is_told_apart_from_a_wrong_password(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"220 hello\r\n")
        peer.answer(b"250 fine\r\n")
        peer.hang()

    with talking_server(talk) as server, pytest.raises(NotConfigured, match="does not offer"):
        await send(tmp_path, server.port, user="robin")


async def test_a_server_that_takes_no_passwords_is_told_apart_from_one_that_breaks_off(
    tmp_path: Path,
) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"220 hello\r\n")
        peer.answer(b"250-fine\r\n250 AUTH XOAUTH2\r\n")
        peer.hang()

    with talking_server(talk) as server, pytest.raises(NotConfigured, match="does not offer"):
        await send(tmp_path, server.port, user="robin")


@pytest.mark.parametrize("ways", [b"LOGIN PLAIN", b"CRAM-MD5 PLAIN"])
async def test_a_name_and_a_password_may_have_any_letters(ways: bytes) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"220 hello\r\n")
        peer.answer(b"250-fine\r\n250 AUTH " + ways + b"\r\n", b"235 welcome\r\n")
        peer.hang()

    with talking_server(talk) as server:
        await Sender("127.0.0.1", "jörg", "pässwört", server.port, "none").check()
        said = server.heard[-1].split()
    assert said[:2] == [b"AUTH", b"PLAIN"]
    assert base64.b64decode(said[2]).decode() == "\0jörg\0pässwört"


async def test_letters_that_a_servers_way_to_log_in_cannot_carry_are_told() -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"220 hello\r\n")
        peer.answer(b"250-fine\r\n250 AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n")
        peer.hang()

    with talking_server(talk) as server, pytest.raises(NotConfigured, match=r"smtp\.password"):
        await Sender("127.0.0.1", "robin", "pässwört", server.port, "none").check()


async def test_an_address_that_swallows_everything_leaves_time_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(timeout)
        raise TimeoutError

    monkeypatch.setattr("tinyagent.apps.network._wire.socket.create_connection", connect)
    with pytest.raises(AppFailed, match="cannot be reached"):
        await keep(tmp_path, 993, seconds=15)
    assert tried == [5.0], "a host has often two addresses, of which one leads nowhere"


async def test_no_server_at_all_cannot_be_reached(tmp_path: Path) -> None:
    with talking_server(lambda peer: None) as server:
        pass
    with pytest.raises(AppFailed, match="cannot be reached"):
        await send(tmp_path, server.port)
    with pytest.raises(AppFailed, match="cannot be reached"):
        await keep(tmp_path, server.port)


async def test_a_cancelled_call_closes_its_connection(tmp_path: Path) -> None:
    greeted, gone = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def talk(peer: Peer) -> None:
        peer.say(b"220 hello\r\n")
        peer.hear()
        loop.call_soon_threadsafe(greeted.set)
        peer.hang()
        loop.call_soon_threadsafe(gone.set)

    with talking_server(talk) as server:
        call = asyncio.create_task(send(tmp_path, server.port))
        await asyncio.wait_for(greeted.wait(), 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), 10)


# --- IMAP ----------------------------------------------------------------------------------------


async def test_a_user_with_a_domain_is_named_as_the_protocol_wants(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"* OK hello\r\n")
        peer.say(b"* CAPABILITY IMAP4rev1\r\n" + peer.hear().split()[0] + b" OK done\r\n")
        peer.say(peer.hear().split()[0] + b" NO no\r\n")
        peer.hang()

    with talking_server(talk) as server:
        with pytest.raises(NotConfigured):
            await MailAccount("127.0.0.1", "CORP\\robin smith", PASSWORD, server.port, "none").check()
        assert server.heard[-1].partition(b" ")[2] == b'LOGIN "CORP\\\\robin smith" "very secret"'


def logged_in(peer: Peer, listing: bytes = b'* LIST (\\Drafts) "/" Drafts\r\n') -> None:
    """Greeting, two CAPABILITY, LOGIN and LIST; the next is what the caller answers."""
    peer.say(b"* OK hello\r\n")
    for answer in (b"* CAPABILITY IMAP4rev1\r\n", b"", b"* CAPABILITY IMAP4rev1\r\n", listing):
        tag = peer.hear().split()[0]
        peer.say(answer + tag + b" OK done\r\n")


async def test_a_draft_whose_answer_is_lost_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        logged_in(peer)
        peer.hear()
        peer.say(b"+ go on\r\n")
        peer.hear(BODY.encode())

    with talking_server(talk) as server, pytest.raises(OutcomeUnknown) as raised:
        await keep(tmp_path, server.port)
    assert BODY not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"NO [OVERQUOTA] private", "is full"),
        (b"NO private", "refused to store a mail"),
        (b"BAD private", "refused to store a mail"),
    ],
)
async def test_a_refused_draft_says_why(tmp_path: Path, said: bytes, words: str) -> None:
    def talk(peer: Peer) -> None:
        logged_in(peer)
        tag = peer.hear().split()[0]
        peer.say(tag + b" " + said + b"\r\n")
        peer.hang()

    with talking_server(talk) as server, pytest.raises(AppFailed, match=words) as raised:
        await keep(tmp_path, server.port)
    assert "private" not in str(raised.value)


@pytest.mark.parametrize(
    "listing",
    [
        b"* LIST garbage\r\n",
        b'* LIST (\\Drafts) "/" {9999999999}\r\n',
        b'* LIST (\\Drafts) "/" {12}\r\nDra\r\nfts\r\n* X\r\n',
        b"\xff\xfe\r\n",
    ],
)
async def test_a_list_of_folders_that_makes_no_sense_is_an_error(tmp_path: Path, listing: bytes) -> None:
    def talk(peer: Peer) -> None:
        logged_in(peer, listing)
        for _ in range(5):
            tag = peer.hear().split()[0]
            peer.say(tag + b" NO no\r\n")

    with talking_server(talk) as server, pytest.raises(AppFailed):
        await keep(tmp_path, server.port, seconds=5)


async def test_a_server_that_talks_without_end_is_not_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"* OK hello\r\n")
        while not peer.released.is_set():
            peer.say(b"* OK and another thing\r\n" * 10)

    monkeypatch.setattr("tinyagent.apps.network._imap.MAX_SESSION", 5000)
    with talking_server(talk) as server, pytest.raises(AppFailed, match="makes no sense"):
        await keep(tmp_path, server.port, seconds=2)


async def test_a_busy_server_is_not_a_wrong_password(tmp_path: Path) -> None:
    def talk(peer: Peer) -> None:
        peer.say(b"* OK hello\r\n")
        peer.say(b"* CAPABILITY IMAP4rev1\r\n" + peer.hear().split()[0] + b" OK done\r\n")
        peer.say(peer.hear().split()[0] + b" NO [UNAVAILABLE] later\r\n")
        peer.hang()

    with talking_server(talk) as server, pytest.raises(AppFailed, match="busy"):
        await keep(tmp_path, server.port)


async def test_nothing_private_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def talk(peer: Peer) -> None:
        logged_in(peer)
        peer.hear()

    with talking_server(talk) as server, pytest.raises(OutcomeUnknown):
        await keep(tmp_path, server.port)
    assert PASSWORD not in caplog.text
    assert BODY not in caplog.text
