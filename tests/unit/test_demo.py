"""The demo's files are real, harmless and never in the way of anybody's own."""

from __future__ import annotations

import email
import re
import zipfile
from datetime import datetime
from email import policy
from pathlib import Path
from xml.etree import ElementTree

import phonenumbers
import pypdfium2
import pytest
import vobject
from PIL import Image

from tinyagent.apps.portable.contacts import PortableContacts
from tinyagent.apps.portable.files import PortableFiles
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.apps.portable.notes import PortableNotes
from tinyagent.demo import OWNER, OWNER_ADDRESS, make_demo
from tinyagent.errors import Ambiguous, Conflict

RESERVED_DOMAINS = ("example.com", "example.net", "example.org")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_demo(folder / "data", folder / "documents")
    return folder


def contents(*roots: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(root): path.read_bytes()
        for root in roots
        for path in root.rglob("*")
        if path.is_file()
    }


def test_everything_is_made_and_reported(data: Path, documents: Path) -> None:
    report = make_demo(data, documents)

    assert set(report.added) == {data / path for path in contents(data)} | {
        documents / path for path in contents(documents)
    }
    assert report.kept == ()
    counts = {folder: len(list((data / folder).rglob("*.*"))) for folder in ("contacts", "notes")}
    assert counts["contacts"] >= 25 and counts["notes"] >= 8
    assert len(list((data / "mail" / "Inbox" / "cur").iterdir())) == 6
    assert len(contents(documents)) >= 8


def test_the_demo_is_the_same_every_time(made: Path, tmp_path: Path) -> None:
    make_demo(tmp_path / "data", tmp_path / "documents")

    assert contents(tmp_path) == contents(made)


def test_a_second_making_changes_nothing_and_mends_what_is_missing(data: Path, documents: Path) -> None:
    first = make_demo(data, documents)
    edited, removed = data / "notes" / "Notes" / "Shopping List.md", documents / "Packing List.txt"
    edited.write_text("my own words")
    removed.unlink()

    second = make_demo(data, documents)

    assert second.added == (removed,)
    assert len(second.kept) == len(first.added) - 1
    assert edited.read_text() == "my own words"


@pytest.mark.parametrize("name", ["contacts/me.vcf", "mail/Inbox/new/1", "notes/Private/diary.md"])
def test_a_folder_with_private_files_is_left_alone(data: Path, documents: Path, name: str) -> None:
    (data / name).parent.mkdir(parents=True)
    (data / name).write_text("private")

    with pytest.raises(Conflict) as caught:
        make_demo(data, documents)
    assert caught.value.hint
    assert contents(data) == {Path(name): b"private"}
    assert not documents.exists()


def test_documents_beside_the_users_own_do_not_replace_them(data: Path, documents: Path) -> None:
    own = documents / "Home" / "Lease Agreement.pdf"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")

    report = make_demo(data, documents)

    assert report.kept == (own,)
    assert own.read_bytes() == b"mine"


def test_a_dangling_link_is_not_written_through(data: Path, documents: Path, tmp_path: Path) -> None:
    documents.mkdir()
    (documents / "Packing List.txt").symlink_to(tmp_path / "elsewhere.txt")

    make_demo(data, documents)

    assert not (tmp_path / "elsewhere.txt").exists()


def test_addresses_and_numbers_belong_to_nobody(made: Path) -> None:
    everything = b"\n".join(contents(made / "data").values()).decode()
    domains = {address.rpartition("@")[2] for address in re.findall(r"[\w.]+@[\w.]+\w", everything)}
    assert domains <= set(RESERVED_DOMAINS)
    numbers = re.findall(r"\+[\d ]{8,}\d", everything)
    assert len(numbers) >= 20
    for number in numbers:
        digits = number.replace(" ", "")
        assert re.fullmatch(r"\+1\d{3}55501\d\d|\+447700900\d{3}", digits)
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))


async def test_cards_are_read_by_another_parser(made: Path) -> None:
    cards = [
        vobject.readOne(path.read_text("utf-8")) for path in sorted((made / "data" / "contacts").iterdir())
    ]
    names = [card.fn.value for card in cards]
    assert len(set(names)) == len(names)
    assert {"Henrik Sørensen", "Connor O'Rourke", "Minh Anh Nguyễn", "Dr. Fatoumata Diarra"} <= set(names)
    without_address = [card.fn.value for card in cards if "email" not in card.contents]
    assert without_address == ["Gustav Thorne"]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Jane", ["Jane Ashdown"]),
        ("Janie", ["Jane Ashdown"]),
        ("sister", ["Jane Ashdown"]),
        ("Mum", ["Margaret Ashdown"]),
        ("manager", ["Adaeze Okonkwo"]),
        ("landlord", ["Elif Yıldız"]),
        ("henrik sorensen", ["Henrik Sørensen"]),
        ("Pepe", ["José Luis Herrera"]),
        ("Mrs. Oyelaran", ["Mrs. Beatriz Oyelaran"]),
        ("marketing team", ["Marketing Team"]),
        ("Maria", ["Maria Kowalska", "Maria Santos"]),
    ],
)
async def test_people_are_found_as_they_are_called(made: Path, said: str, names: list[str]) -> None:
    found = await PortableContacts(made / "data", OWNER_ADDRESS).find(said)

    assert sorted(contact.name for contact in found) == names


async def test_notes_are_found_by_name(made: Path) -> None:
    note = await PortableNotes(made / "data").open("lentil soup", "")

    assert (note.name, note.folder) == ("Lentil Soup", "Recipes")
    assert note.text.startswith("For four.")


async def test_the_inbox_is_a_maildir_with_a_selected_mail(data: Path, documents: Path) -> None:
    make_demo(data, documents)

    for path in (data / "mail" / "Inbox" / "cur").iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        sent: datetime = message["Date"].datetime
        assert not message.defects
        assert message["To"] == OWNER
        assert path.stat().st_mtime == sent.timestamp()
    mail = PortableMail(data, OWNER)
    assert (await mail.selected()).subject == "Quote for the ramp"
    (data / "mail" / "selected").unlink()
    assert (await mail.selected()).subject == "Bergen in May"


def test_documents_open_with_other_readers(made: Path) -> None:
    papers = sorted((made / "documents").rglob("*.pdf"))
    assert len(papers) == 3
    for path in papers:
        paper = pypdfium2.PdfDocument(path)
        assert len(paper) == 3
        assert len(paper[0].get_textpage().get_text_bounded().split()) > 60
        paper.close()
    for path in (*(made / "documents").rglob("*.docx"), *(made / "documents").rglob("*.xlsx")):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            roots = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
        assert "[Content_Types].xml" in roots
    with Image.open(made / "documents" / "Home" / "Floor Plan.png") as picture:
        picture.load()
        assert picture.size == (160, 100)


async def test_two_documents_share_a_name(made: Path) -> None:
    with pytest.raises(Ambiguous):
        await PortableFiles([made / "documents"]).find("project plan")
