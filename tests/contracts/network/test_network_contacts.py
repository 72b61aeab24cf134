"""Contacts of a CardDAV account are found as those of the data folder are, and are kept up to date."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.radicale_server import PASSWORD, USER, RadicaleServer
from tinyagent.apps.base import Contact
from tinyagent.apps.network._xml import Resource
from tinyagent.apps.network.carddav import CardDavContacts
from tinyagent.apps.network.dav import DavServer, DavSession
from tinyagent.errors import AppFailed, NotConfigured


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def card(uid: str, name: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", *lines, "END:VCARD", ""])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(radicale: RadicaleServer) -> RadicaleServer:
    """An account with an address book of two people."""
    radicale.make_collection("people", "People", "VCARD")
    radicale.put(
        "people/1.vcf",
        card("u1", "Ann Smith", "EMAIL:ann@example.org", "TEL;TYPE=CELL:+49 151 1"),
        "text/vcard",
    )
    radicale.put("people/2.vcf", card("u2", "Ben Öztürk", "EMAIL:ben@example.org"), "text/vcard")
    return radicale


def contacts(
    server: RadicaleServer, clock: Clock, owner: str = "", password: str = PASSWORD
) -> CardDavContacts:
    return CardDavContacts(DavServer("carddav", server.url, USER, password), owner, lifetime=60, clock=clock)


async def test_a_contact_is_found_with_its_number_and_address(book: RadicaleServer, clock: Clock) -> None:
    found = await contacts(book, clock).find("ann")
    assert found == [Contact("u1", "Ann Smith", ("+49 151 1",), ("ann@example.org",))]


async def test_all_contacts_of_all_address_books_are_there(book: RadicaleServer, clock: Clock) -> None:
    book.make_collection("team", "Team", "VCARD")
    book.make_collection("work", "Work", "VEVENT")
    book.put("team/3.vcf", card("u3", "Cleo"), "text/vcard")
    assert {found.id for found in await contacts(book, clock).all()} == {"u1", "u2", "u3"}


async def test_the_relations_on_the_own_card_are_known(book: RadicaleServer, clock: Clock) -> None:
    own = card(
        "u9",
        "Robin",
        "EMAIL:robin@example.com",
        "i1.X-ABRELATEDNAMES:Ann Smith",
        "i1.X-ABLABEL:_$!<Sister>!$_",
    )
    book.put("people/9.vcf", own, "text/vcard")
    assert [found.id for found in await contacts(book, clock, "robin@example.com").find("my sister")] == [
        "u1"
    ]


async def test_what_was_read_is_trusted_for_its_lifetime_and_not_longer(
    book: RadicaleServer, clock: Clock
) -> None:
    app = contacts(book, clock)
    assert len(await app.all()) == 2
    book.put("people/1.vcf", card("u1", "Anna Smith"), "text/vcard")
    book.put("people/3.vcf", card("u3", "Cleo"), "text/vcard")
    book.delete("people/2.vcf")
    clock.now += 59
    assert {found.name for found in await app.all()} == {"Ann Smith", "Ben Öztürk"}
    clock.now += 1
    assert {found.name for found in await app.all()} == {"Anna Smith", "Cleo"}


async def test_a_name_that_nobody_has_is_looked_for_anew_but_not_at_once(
    book: RadicaleServer, clock: Clock
) -> None:
    app = contacts(book, clock)
    assert await app.find("Cleo") == []
    book.put("people/3.vcf", card("u3", "Cleo"), "text/vcard")
    clock.now += 1
    assert await app.find("Zoe") == []
    assert len(await app.all()) == 2
    assert [found.id for found in await app.find("Cleo")] == ["u3"]
    book.put("people/4.vcf", card("u4", "Dana"), "text/vcard")
    clock.now += 2
    assert [found.id for found in await app.find("Dana")] == ["u4"]


async def test_only_what_changed_is_read_again(
    book: RadicaleServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = contacts(book, clock)
    await app.all()
    read: list[int] = []
    report = DavSession.report

    async def counted(
        self: DavSession, kind: str, url: str, names: Sequence[str], hrefs: Sequence[str]
    ) -> list[Resource]:
        read.append(len(hrefs))
        return await report(self, kind, url, names, hrefs)

    monkeypatch.setattr(DavSession, "report", counted)
    clock.now += 100
    await app.all()
    assert read == []
    book.put("people/3.vcf", card("u3", "Cleo"), "text/vcard")
    clock.now += 100
    assert len(await app.all()) == 3
    assert read == [1]


async def test_a_damaged_card_does_not_hide_the_others(book: RadicaleServer, clock: Clock) -> None:
    folder = book.data / "collection-root" / USER / "people"
    (folder / "4.vcf").write_text(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u4\r\nFN:Dan\r\nN:x\r\nPHOTO;ENCODING=b:!!\r\nEND:VCARD\r\n"
    )
    assert {"u1", "u2"} <= {found.id for found in await contacts(book, clock).all()}


async def test_many_contacts_are_read_in_several_requests(
    book: RadicaleServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyagent.apps.network.carddav._CARDS_A_REQUEST", 3)
    for number in range(3, 9):
        book.put(f"people/{number}.vcf", card(f"u{number}", f"Person {number}"), "text/vcard")
    assert len(await contacts(book, clock).all()) == 8


async def test_what_was_read_before_a_failure_is_not_read_again(
    book: RadicaleServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 9):
        book.put(f"people/{number}.vcf", card(f"u{number}", f"Person {number}"), "text/vcard")
    monkeypatch.setattr("tinyagent.apps.network.carddav._CARDS_A_REQUEST", 1)
    monkeypatch.setattr("tinyagent.apps.network.carddav._REQUESTS_AT_ONCE", 2)
    report, read, left = DavSession.report, list[str](), [5]

    async def breaking_off(
        self: DavSession, kind: str, url: str, names: Sequence[str], hrefs: Sequence[str]
    ) -> list[Resource]:
        if not left[0]:
            raise AppFailed("The connection broke off.")
        left[0] -= 1
        read.extend(hrefs)
        return await report(self, kind, url, names, hrefs)

    monkeypatch.setattr(DavSession, "report", breaking_off)
    app = contacts(book, clock)
    with pytest.raises(AppFailed):
        await app.all()
    left[0] = 5
    assert len(await app.all()) == 8
    assert len(read) < 8 + 2, "only requests that were under way may be repeated"


async def test_a_wrong_password_and_a_missing_server_are_said(book: RadicaleServer, clock: Clock) -> None:
    with pytest.raises(NotConfigured, match=r"carddav\.password"):
        await contacts(book, clock, password="wrong").find("Ann")
    with pytest.raises(AppFailed, match="cannot be reached"):
        await CardDavContacts(DavServer("carddav", "http://127.0.0.1:9/", USER, PASSWORD)).find("Ann")
