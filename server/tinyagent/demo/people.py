"""The people of the demo: an address book with nicknames, relations, groups and one twin first name."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

OWNER_ADDRESS = "robin.ashdown@example.com"
OWNER = f"Robin Ashdown <{OWNER_ADDRESS}>"

_NAMESPACE = uuid.UUID("6b0f8a52-7c1e-4b7e-9d0a-5f2f6d1c3e88")
_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n"})


@dataclass(frozen=True)
class _Person:
    given: str
    family: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    title: str = ""
    nickname: str = ""
    role: str = ""
    organization: str = ""
    note: str = ""
    relations: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.title, self.given, self.family) if part)

    def lines(self) -> list[str]:
        lines = [
            f"N:{_text(self.family)};{_text(self.given)};;{_text(self.title)};",
            f"FN:{_text(self.name)}",
            *(f"EMAIL;TYPE=INTERNET:{email}" for email in self.emails),
            *(f"TEL;TYPE=CELL:{phone}" for phone in self.phones),
        ]
        optional = (
            ("NICKNAME", self.nickname), ("ROLE", self.role), ("ORG", self.organization), ("NOTE", self.note),
        )  # fmt: skip
        lines += [f"{name}:{_text(value)}" for name, value in optional if value]
        for number, (relation, name) in enumerate(self.relations, start=1):
            lines += [f"item{number}.X-ABRELATEDNAMES:{_text(name)}", f"item{number}.X-ABLABEL:{relation}"]
        return lines


@dataclass(frozen=True)
class _Group:
    name: str
    email: str

    def lines(self) -> list[str]:
        return [
            f"N:{_text(self.name)};;;;",
            f"FN:{_text(self.name)}",
            f"EMAIL;TYPE=INTERNET:{self.email}",
            "X-ADDRESSBOOKSERVER-KIND:group",
        ]


_PEOPLE: tuple[_Person | _Group, ...] = (
    _Person(
        "Robin",
        "Ashdown",
        (OWNER_ADDRESS,),
        ("+1 415 555 0100",),
        relations=(("sister", "Jane Ashdown"), ("mother", "Margaret Ashdown"), ("manager", "Adaeze Okonkwo")),
    ),
    _Person("Jane", "Ashdown", ("jane.ashdown@example.com",), ("+1 415 555 0101",), nickname="Janie"),
    _Person("Margaret", "Ashdown", ("margaret.ashdown@example.net",), ("+44 7700 900102",), nickname="Mum"),
    _Person(
        "Adaeze",
        "Okonkwo",
        ("adaeze.okonkwo@example.org",),
        ("+44 7700 900103",),
        organization="Harbour Library",
    ),
    _Person("Maria", "Santos", ("maria.santos@example.com",), ("+1 415 555 0104",), note="book club"),
    _Person("Maria", "Kowalska", ("maria.kowalska@example.org",), ("+44 7700 900105",), note="climbing"),
    _Person("Henrik", "Sørensen", ("henrik.sorensen@example.net",), ("+44 7700 900106",)),
    _Person("Zoë", "Lindqvist", ("zoe.lindqvist@example.com",), ("+1 415 555 0107",)),
    _Person("Minh Anh", "Nguyễn", ("minhanh.nguyen@example.com",), ("+1 415 555 0108",), nickname="Mina"),
    _Person("Tariq", "Al-Masri", ("tariq.almasri@example.org",), ("+44 7700 900109",)),
    _Person("Misaki", "Tanabe", ("misaki.tanabe@example.net",), ("+1 415 555 0110",), note="田辺 美咲"),
    _Person("José Luis", "Herrera", ("jl.herrera@example.com",), ("+1 415 555 0111",), nickname="Pepe"),
    _Person("Priya", "Raghunathan", ("priya.raghunathan@example.com",), ("+1 415 555 0112",)),
    _Person("Kwabena", "Asante", ("kwabena.asante@example.org",), ("+44 7700 900113",), role="accountant"),
    _Person("Ingrid", "Haugland", ("ingrid.haugland@example.net",), ("+44 7700 900114",)),
    _Person("Oleksandr", "Melnyk", ("oleksandr.melnyk@example.com",), ("+1 415 555 0115",), nickname="Sasha"),
    _Person("Leilani", "Kahale", ("leilani.kahale@example.com",), ("+1 808 555 0116",)),
    _Person("Yosef", "Ben-Ami", ("yosef.benami@example.org",), ("+1 212 555 0117",)),
    _Person("Fatoumata", "Diarra", ("fatoumata.diarra@example.net",), ("+44 7700 900118",), title="Dr."),
    _Person("Elif", "Yıldız", ("elif.yildiz@example.com",), ("+44 7700 900119",), role="landlord"),
    _Person(
        "Connor",
        "O'Rourke",
        ("connor.orourke@example.com", "connor@example.net"),
        ("+1 617 555 0120",),
    ),
    _Person(
        "Wei", "Zhang", ("wei.zhang@example.org",), ("+1 415 555 0121",), organization="Tidewater Energy"
    ),
    _Person("Beatriz", "Oyelaran", ("b.oyelaran@example.org",), ("+44 7700 900122",), title="Mrs."),
    _Person("Gustav", "Thorne", (), ("+1 415 555 0123",), note="plumber"),
    _Group("Marketing Team", "marketing@example.com"),
    _Group("Book Club", "bookclub@example.org"),
)


def cards() -> dict[str, bytes]:
    """One vCard file a person, by its path in the data folder."""
    return {f"contacts/{_slug(entry.name)}.vcf": _card(entry) for entry in _PEOPLE}


def _card(entry: _Person | _Group) -> bytes:
    uid = uuid.uuid5(_NAMESPACE, entry.name)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", *entry.lines(), "END:VCARD", ""]
    return "\r\n".join(lines).encode()


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def _slug(name: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in name).casefold().split())
