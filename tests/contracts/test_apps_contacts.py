"""Every address book finds the person who is meant, and says so when it cannot know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyagent.apps.base import Contacts
from tinyagent.apps.portable.contacts import PortableContacts

OWNER = "me@home.example"


@dataclass(frozen=True)
class Entry:
    """A card of an address book, whatever the book's format."""

    given: str
    family: str
    title: str = ""
    nickname: str = ""
    phones: tuple[tuple[str, str], ...] = ()
    """Type (`CELL`, `HOME`, `FAX`, `CELL,PREF`) and number."""
    emails: tuple[tuple[str, str], ...] = ()
    note: str = ""
    role: str = ""
    relatives: tuple[tuple[str, str], ...] = ()
    is_group: bool = False


def portable(folder: Path, entries: Sequence[Entry]) -> Contacts:
    cards = [_card(entry) for entry in entries]
    (folder / "contacts").mkdir()
    half = len(cards) // 2
    (folder / "contacts" / "first.vcf").write_text("".join(cards[:half]), "utf-8", newline="")
    (folder / "contacts" / "second.vcf").write_text("".join(cards[half:]), "utf-8", newline="")
    return PortableContacts(folder, OWNER)


def _card(entry: Entry) -> str:
    full = " ".join(part for part in (entry.title, entry.given, entry.family) if part)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{full}"]
    if not entry.is_group:
        lines.append(f"N:{entry.family};{entry.given};;{entry.title};")
    if entry.is_group:
        lines.append("X-ADDRESSBOOKSERVER-KIND:group")
    lines += [f"NICKNAME:{entry.nickname}"] if entry.nickname else []
    lines += [f"TEL;TYPE={kind}:{number}" for kind, number in entry.phones]
    lines += [f"EMAIL;TYPE={kind}:{address}" for kind, address in entry.emails]
    lines += [f"NOTE:{entry.note}"] if entry.note else []
    lines += [f"ROLE:{entry.role}"] if entry.role else []
    for number, (relation, name) in enumerate(entry.relatives, start=1):
        lines += [f"item{number}.X-ABRELATEDNAMES:{name}", f"item{number}.X-ABLabel:_$!<{relation}>!$_"]
    return "\r\n".join([*lines, "END:VCARD", ""])


BOOK = (
    Entry("Sid", "Meier", emails=(("HOME", "sid@home.example"),), phones=(("CELL", "+1 415 555 2671"),)),
    Entry("Sidonie", "Ferrand"),
    Entry("Åsa", "Lindqvist", nickname="Ossi"),
    Entry("Alex", "Kim"),
    Entry("Alex", "Novak"),
    Entry("Michael", "O'Brien", title="Dr."),
    Entry("Tunde", "Oyelaran", title="Mr."),
    Entry("Ada", "Oyelaran", title="Mrs."),
    Entry("Maria", "Rossi"),
    Entry("Jane", "Doe", nickname="Mum"),
    Entry("Bo", "Berg", note="my plumber\\, also roofs", role="Landlord"),
    Entry("Marketing Team", "", is_group=True, emails=(("WORK", "marketing@work.example"),)),
    Entry("Nia", "Me", emails=(("HOME", OWNER),), relatives=(("Sister", "Ida Me"),)),
    Entry("Ida", "Me", relatives=(("Sister", "Maria Rossi"),)),
    Entry("李", "小龙"),
    Entry("Zed", "Álvarez-Ruiz"),
)


@pytest.fixture(params=[portable], ids=["portable"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Sequence[Entry]], Contacts]:
    return lambda entries: request.param(tmp_path, entries)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Sid Meier", ["Sid Meier"]),
        ("sid", ["Sid Meier"]),
        ("MEIER, Sid", ["Sid Meier"]),
        ("asa lindqvist", ["Åsa Lindqvist"]),
        ("Prof. Lindqvist", ["Åsa Lindqvist"]),
        ("ossi", ["Åsa Lindqvist"]),
        ("Alex", ["Alex Kim", "Alex Novak"]),
        ("Alex Novak", ["Alex Novak"]),
        ("Mrs. Oyelaran", ["Mrs. Ada Oyelaran"]),
        ("Mr Oyelaran", ["Mr. Tunde Oyelaran"]),
        ("Oyelaran", ["Mr. Tunde Oyelaran", "Mrs. Ada Oyelaran"]),
        ("Doctor O’Brien", ["Dr. Michael O'Brien"]),
        ("obrien", ["Dr. Michael O'Brien"]),
        ("Micheal", ["Dr. Michael O'Brien"]),
        ("Lindkvist", ["Åsa Lindqvist"]),
        ("Sido", ["Sidonie Ferrand"]),
        ("mom", ["Jane Doe"]),
        ("plumber", ["Bo Berg"]),
        ("landlord", ["Bo Berg"]),
        ("sister", ["Ida Me"]),
        ("the marketing team", ["Marketing Team"]),
        ("marketing", ["Marketing Team"]),
        ("李 小龙", ["李 小龙"]),
        ("alvarez ruiz", ["Zed Álvarez-Ruiz"]),
    ],
)
async def test_a_name_means_the_best_matching_contacts(
    build: Callable[[Sequence[Entry]], Contacts], asked: str, meant: list[str]
) -> None:
    found = await build(BOOK).find(asked)

    assert sorted(contact.name for contact in found) == meant


@pytest.mark.parametrize(
    "asked", ["Mario", "Mario Rossi", "Si", "Sid Vicious", "", "  ", "Prof. Oyelaran", "*", "Bob"]
)
async def test_a_name_that_only_resembles_a_contact_means_nobody(
    build: Callable[[Sequence[Entry]], Contacts], asked: str
) -> None:
    assert await build(BOOK).find(asked) == []


@pytest.mark.parametrize(
    ("phones", "kept"),
    [
        ((("HOME", "111 2222"), ("CELL", "333 4444")), ("333 4444",)),
        ((("HOME", "111 2222"), ("WORK,PREF", "333 4444")), ("333 4444",)),
        ((("CELL", "111 2222"), ("CELL,PREF", "333 4444")), ("333 4444",)),
        ((("HOME", "111 2222"), ("WORK", "333 4444")), ("111 2222", "333 4444")),
        ((("FAX", "111 2222"), ("WORK", "333 4444")), ("333 4444",)),
        ((("FAX", "111 2222"),), ()),
    ],
)
async def test_the_numbers_are_those_that_tie_for_the_best(
    build: Callable[[Sequence[Entry]], Contacts],
    phones: tuple[tuple[str, str], ...],
    kept: tuple[str, ...],
) -> None:
    (contact,) = await build([Entry("Sid", "Meier", phones=phones)]).find("Sid")

    assert contact.phones == kept


async def test_the_preferred_address_comes_first(build: Callable[[Sequence[Entry]], Contacts]) -> None:
    emails = (("HOME", "a@x.example"), ("WORK,PREF", "b@x.example"), ("HOME", "c@x.example"))

    (contact,) = await build([Entry("Sid", "Meier", emails=emails)]).find("Sid")

    assert contact.emails == ("b@x.example", "a@x.example", "c@x.example")
