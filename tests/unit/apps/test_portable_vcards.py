"""Cards of every version are read, and a damaged one hides no other."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from tinyagent.apps.portable.card_file import read_cards
from tinyagent.apps.portable.contacts import PortableContacts

GOOD = "BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nEMAIL:{name}@x.example\nEND:VCARD\n"


def _names(path: Path, content: str | bytes) -> list[str]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [card.names[0] for card in read_cards(path)]


@pytest.mark.parametrize(
    "damaged",
    [
        "BEGIN:VCARD\nVERSION:3.0\nFN:Secret Person\nthis is no property\nEND:VCARD\n",
        "BEGIN:VCARD\nVERSION:3.0\nFN:Secret Person\n",
        "BEGIN:VCARD\nVERSION:2.1\nN;ENCODING=QUOTED-PRINTABLE;CHARSET=nonsense:=FF=FE\nEND:VCARD\n",
        "BEGIN:VCARD\nBEGIN:VEVENT\nEND:VCARD\n",
    ],
)
def test_a_damaged_card_is_skipped_and_its_neighbours_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    content = GOOD.format(name="Ada") + damaged + GOOD.format(name="Sid")

    with caplog.at_level(logging.WARNING):
        names = _names(tmp_path / "all.vcf", content)

    assert names == ["Ada", "Sid"]
    assert "all.vcf" in caplog.text
    assert "Secret" not in caplog.text


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00binary", b"BEGIN:VCARD", b"END:VCARD\n", b"\xff\xfe"])
def test_a_file_without_cards_has_none(tmp_path: Path, content: bytes) -> None:
    assert _names(tmp_path / "x.vcf", content) == []


def test_old_cards_with_quoted_printable_names_are_read(tmp_path: Path) -> None:
    content = (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Lindqvist;=C3=85sa\r\n"
        "TEL;CELL;PREF:070-1234567\r\nTEL;HOME:08-123456\r\nEND:VCARD\r\n"
    )
    path = tmp_path / "old.vcf"

    assert _names(path, content) == ["Åsa Lindqvist"]
    assert read_cards(path)[0].phones == ("070-1234567",)


def test_new_cards_with_uris_and_lists_of_types_are_read(tmp_path: Path) -> None:
    content = (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:4fbe\r\nFN:Ada Byron\r\nNICKNAME:Countess,Ada L.\r\n"
        'TEL;TYPE="voice,cell";VALUE=uri:tel:+44-20-7946-0000;ext=12\r\n'
        "EMAIL;PREF=1:ada@x.example\r\nNOTE:likes numbers, and en\r\n gines\r\nEND:VCARD\r\n"
    )
    path = tmp_path / "new.vcf"
    assert _names(path, content) == ["Ada Byron"]

    (card,) = read_cards(path)
    assert card.id == "4fbe"
    assert card.nicknames == ("Countess", "Ada L.")
    assert card.phones == ("+44-20-7946-0000",)
    assert [part.strip() for part in card.described] == ["likes numbers", "and engines"]


def test_a_name_with_a_bare_comma_is_kept_whole(tmp_path: Path) -> None:
    assert _names(tmp_path / "x.vcf", GOOD.format(name="Meier, Sid")) == ["Meier, Sid"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_common_encodings_are_understood(tmp_path: Path, encoding: str) -> None:
    assert _names(tmp_path / "x.vcf", GOOD.format(name="Åsa").encode(encoding)) == ["Åsa"]


def test_pictures_are_no_obstacle(tmp_path: Path) -> None:
    picture = "PHOTO;ENCODING=b;TYPE=JPEG:not base64 at all!\n AAAA\n BBBB\n"

    assert _names(tmp_path / "x.vcf", GOOD.format(name="Ada").replace("EMAIL", picture + "EMAIL")) == ["Ada"]


def test_a_company_is_found_by_its_organization(tmp_path: Path) -> None:
    content = "BEGIN:VCARD\nVERSION:3.0\nFN:\nN:;;;;\nORG:Oak Street School;Office\nEND:VCARD\n"

    assert _names(tmp_path / "x.vcf", content) == ["Oak Street School"]


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "contacts"
    folder.mkdir()
    contacts = PortableContacts(tmp_path)
    (folder / "a.vcf").write_text(GOOD.format(name="Ada"))
    assert [contact.name for contact in await contacts.find("Ada")] == ["Ada"]

    (folder / "a.vcf").write_text(GOOD.format(name="Sidonie"))
    (folder / "b.VCF").write_text(GOOD.format(name="Bob"))

    assert await contacts.find("Ada") == []
    assert [contact.name for contact in await contacts.find("Sidonie")] == ["Sidonie"]
    assert [contact.name for contact in await contacts.find("Bob")] == ["Bob"]


async def test_files_outside_the_folder_are_not_read_through_links(tmp_path: Path) -> None:
    (tmp_path / "contacts").mkdir()
    (tmp_path / "outside.vcf").write_text(GOOD.format(name="Ada"))
    (tmp_path / "contacts" / "link.vcf").symlink_to(tmp_path / "outside.vcf")

    assert await PortableContacts(tmp_path).find("Ada") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
async def test_a_named_pipe_among_the_cards_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "contacts").mkdir()
    os.mkfifo(tmp_path / "contacts" / "pipe.vcf")
    (tmp_path / "contacts" / "z.vcf").write_text(GOOD.format(name="Ada"))

    assert [contact.name for contact in await PortableContacts(tmp_path).find("Ada")] == ["Ada"]
