"""A CalDAV server that refuses, hangs, breaks off or talks nonsense gives a clear error."""

from __future__ import annotations

import gzip
from datetime import datetime

import pytest

from tests.support.talking_server import Peer, talking_server
from tinyagent.apps.base import EventDraft
from tinyagent.apps.network.caldav import CalDavCalendar, CalDavStore
from tinyagent.apps.network.dav import DavServer
from tinyagent.errors import AccessDenied, AppFailed, NotConfigured, OutcomeUnknown


def calendar(port: int, seconds: float = 20) -> CalDavCalendar:
    server = DavServer("caldav", f"http://127.0.0.1:{port}/", "robin", "secret", seconds=seconds)
    return CalDavCalendar(CalDavStore(server), None, "robin@example.com")


def event(invitees: tuple[str, ...] = (), name: str = "") -> EventDraft:
    return EventDraft("Lunch", datetime(2026, 12, 1, 9), datetime(2026, 12, 1, 10), "", invitees, "", name)


ANSWER = (
    '<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response>'
    "<d:href>{href}</d:href><d:propstat><d:prop>{properties}</d:prop>"
    "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"
)
HOME = "<c:calendar-home-set><d:href>/h/</d:href></c:calendar-home-set>"
WORK = "<d:resourcetype><c:calendar/></d:resourcetype><d:displayname>Work</d:displayname>"
ETAG = '<d:getetag>"7"</d:getetag>'
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aa">]><d:multistatus xmlns:d="DAV:">&a;</d:multistatus>'


def http(status: int, body: str = "", *headers: str) -> bytes:
    content = body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def properties(href: str, inner: str) -> bytes:
    return http(207, ANSWER.format(href=href, properties=inner))


def found(more_home: str = "", more_work: str = "") -> tuple[bytes, bytes]:
    return properties("/", HOME + more_home), properties("/h/w/", WORK + more_work)


async def test_a_server_that_hangs_is_given_up() -> None:
    with (
        talking_server(lambda peer: peer.hang()) as server,
        pytest.raises(AppFailed, match="did not answer within"),
    ):
        await calendar(server.port, seconds=0.3).create(event())


async def test_a_server_that_hangs_after_the_event_was_sent_leaves_the_outcome_unknown() -> None:
    def talk(peer: Peer) -> None:
        peer.answer_http(*found())
        peer.hang()

    with talking_server(talk) as server, pytest.raises(OutcomeUnknown):
        await calendar(server.port, seconds=0.5).create(event())


async def test_a_connection_that_ends_after_the_event_was_sent_leaves_the_outcome_unknown() -> None:
    def talk(peer: Peer) -> None:
        peer.answer_http(*found(), b"")

    with talking_server(talk) as server, pytest.raises(OutcomeUnknown):
        await calendar(server.port).create(event())


async def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    with talking_server(lambda peer: None) as server:
        pass
    with pytest.raises(AppFailed, match="cannot be reached"):
        await calendar(server.port).create(event())


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        http(207, "<html>"),
        http(207, "<html/>"),
        http(207, ENTITIES),
        properties("http://[", ""),
    ],
)
async def test_an_answer_that_makes_no_sense_is_said_to(answer: bytes) -> None:
    with (
        talking_server(lambda peer: peer.answer_http(answer, answer)) as server,
        pytest.raises(AppFailed, match="makes no sense"),
    ):
        await calendar(server.port).create(event())


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyagent.apps.network.dav.MAX_ANSWER", 1000)
    with (
        talking_server(lambda peer: peer.answer_http(http(207, " " * 5000))) as server,
        pytest.raises(AppFailed, match="too large"),
    ):
        await calendar(server.port).create(event())


async def test_the_password_does_not_follow_to_a_foreign_server() -> None:
    with (
        talking_server(lambda peer: peer.answer_http(http(404))) as other,
        talking_server(
            lambda peer: peer.answer_http(http(301, "", f"Location: http://127.0.0.1:{other.port}/"))
        ) as server,
    ):
        with pytest.raises(AppFailed, match="another server"):
            await calendar(server.port).create(event())
        assert other.heard == []


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, NotConfigured, "refused the user or the password"),
        (403, AccessDenied, "does not allow this account to write to Work"),
        (412, AppFailed, "could not write to Work"),
        (413, AppFailed, "no room"),
        (507, AppFailed, "no room"),
        (503, AppFailed, "Try again later"),
        (504, OutcomeUnknown, "Look there before"),
    ],
)
async def test_a_refused_event_says_why(status: int, error: type[Exception], words: str) -> None:
    answers = (*found(), http(status, "private text of the server"))
    with (
        talking_server(lambda peer: peer.answer_http(*answers)) as server,
        pytest.raises(error, match=words) as raised,
    ):
        await calendar(server.port).create(event())
    assert "private" not in str(raised.value)


async def test_a_calendar_that_may_only_be_read_is_not_written_to() -> None:
    reading = (
        "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>"
    )
    answers = (*found(more_work=reading), properties("/h/w/", WORK + reading))
    with talking_server(lambda peer: peer.answer_http(*answers)) as server:
        app = calendar(server.port)
        with pytest.raises(NotConfigured):
            await app.create(event())
    with talking_server(lambda peer: peer.answer_http(*answers)) as server, pytest.raises(AccessDenied):
        await calendar(server.port).create(event(name="work"))


async def test_people_are_invited_from_the_address_that_the_account_has() -> None:
    addresses = (
        "<c:calendar-user-address-set><d:href>/principal/</d:href><d:href>mailto:own@example.net</d:href>"
        "</c:calendar-user-address-set>"
    )

    def talk(peer: Peer) -> None:
        peer.answer_http(found(addresses)[0])

    def keep(peer: Peer) -> None:
        peer.answer_http(found()[1])
        peer.hear(b"END:VCALENDAR\r\n")
        peer.say(http(201, "", 'ETag: "1"'))

    with talking_server(talk, keep) as server:
        made = await calendar(server.port).create(event(invitees=("ann@example.org",)))
        sent = server.heard[-1].decode()
    assert "ORGANIZER:mailto:own@example.net" in sent
    assert "If-None-Match: *" in sent
    assert made.undo is not None and made.undo["etag"] == '"1"'


async def test_a_version_that_the_server_does_not_tell_at_once_is_asked_for() -> None:
    def talk(peer: Peer) -> None:
        peer.answer_http(*found(), http(201))

    with talking_server(talk, lambda peer: peer.answer_http(properties("/h/w/x.ics", ETAG))) as server:
        made = await calendar(server.port).create(event())
    assert made.undo is not None and made.undo["etag"] == '"7"'


async def test_an_address_where_no_calendars_are_says_so() -> None:
    with (
        talking_server(lambda peer: peer.answer_http(*[http(404)] * 9)) as server,
        pytest.raises(NotConfigured, match="no calendar account"),
    ):
        await calendar(server.port).create(event())


async def test_a_gateway_that_fails_before_anything_is_written_leaves_nothing_unknown() -> None:
    with (
        talking_server(lambda peer: peer.answer_http(found()[0], http(502), http(502))) as server,
        pytest.raises(AppFailed, match="Try again later"),
    ):
        await calendar(server.port).create(event())


@pytest.mark.parametrize("status", [401, 403, 500, 504])
async def test_an_event_that_is_stored_stays_stored_when_its_version_is_not_told(status: int) -> None:
    with talking_server(
        lambda peer: peer.answer_http(*found(), http(201)), lambda peer: peer.answer_http(http(status))
    ) as server:
        made = await calendar(server.port).create(event())
    assert made.id and made.undo is None


async def test_an_event_that_is_stored_stays_stored_when_the_server_then_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tinyagent.apps.network.caldav._VERSION_S", 0.1)
    with talking_server(
        lambda peer: peer.answer_http(*found(), http(201)), lambda peer: peer.hang()
    ) as server:
        made = await calendar(server.port).create(event())
    assert made.id and made.undo is None


@pytest.mark.parametrize(
    "answers",
    [
        (http(301, "", "Location: http://[/"),),
        (properties("/", "<c:calendar-home-set><d:href>http://[/</d:href></c:calendar-home-set>"),),
        (properties("/", "<d:current-user-principal><d:href>//[x</d:href></d:current-user-principal>"),),
    ],
)
async def test_an_address_that_is_none_makes_no_sense(answers: tuple[bytes, ...]) -> None:
    with (
        talking_server(lambda peer: peer.answer_http(*answers)) as server,
        pytest.raises(AppFailed, match="makes no sense"),
    ):
        await calendar(server.port).create(event())


async def test_an_answer_that_could_unpack_to_any_size_is_not_unpacked() -> None:
    home, work = found()
    body = gzip.compress(gzip.compress(home.partition(b"\r\n\r\n")[2]))
    head = f"HTTP/1.1 207 X\r\nContent-Length: {len(body)}\r\nContent-Encoding: gzip, gzip\r\n\r\n"
    with (
        talking_server(lambda peer: peer.answer_http(head.encode() + body, work, http(201))) as server,
        pytest.raises(AppFailed, match="makes no sense"),
    ):
        await calendar(server.port).create(event())


@pytest.mark.parametrize("status", [403, 501])
async def test_an_account_is_found_where_the_servers_front_page_refuses(status: int) -> None:
    with talking_server(
        lambda peer: peer.answer_http(http(status), *found(), http(201, "", 'ETag: "1"'))
    ) as server:
        made = await calendar(server.port).create(event())
    assert made.undo is not None


async def test_a_server_that_refuses_everywhere_says_why() -> None:
    with (
        talking_server(lambda peer: peer.answer_http(http(403), http(404))) as server,
        pytest.raises(AccessDenied),
    ):
        await calendar(server.port).create(event())


async def test_calendars_that_have_moved_are_looked_for_anew() -> None:
    moved = properties("/", "<c:calendar-home-set><d:href>/new/</d:href></c:calendar-home-set>")
    work = properties("/new/w/", WORK)
    with talking_server(
        lambda peer: peer.answer_http(*found(), http(201, "", 'ETag: "1"')),
        lambda peer: peer.answer_http(http(404)),
        lambda peer: peer.answer_http(moved, work, http(201, "", 'ETag: "1"')),
    ) as server:
        app = calendar(server.port)
        await app.create(event())
        with pytest.raises(AppFailed, match="not there any more"):
            await app.create(event())
        made = await app.create(event())
    assert made.undo is not None and "/new/w/" in made.undo["url"]


@pytest.mark.parametrize("header", ["Content-Encoding: br", "Content-Encoding: gzip"])
async def test_an_event_is_stored_whatever_is_said_after_the_server_has_confirmed(header: str) -> None:
    stored = http(201, "no such thing", header, 'ETag: "1"')
    with talking_server(lambda peer: peer.answer_http(*found(), stored)) as server:
        made = await calendar(server.port).create(event())
    assert made.undo is not None and made.undo["etag"] == '"1"'
