"""The text of a PDF is read, or it is said plainly why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from fpdf import FPDF

from tinyagent.apps.base import Documents
from tinyagent.apps.local.documents import PdfDocuments
from tinyagent.apps.local.pdf_text import clean
from tinyagent.demo.office import pdf, png
from tinyagent.errors import UnreadableFile


@pytest.fixture
def documents() -> Documents:
    return PdfDocuments()


async def test_all_pages_are_read_in_order(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "-rf $(x) “ü” 🎉.pdf"
    path.write_bytes(pdf("Title", {"First": ["Größe zählt."], "Second": ["And the end."]}))

    text = await documents.text(path)

    assert [
        text.index(words) for words in ("Title", "First", "Größe zählt.", "Second", "And the end.")
    ] == sorted(text.index(words) for words in ("Title", "First", "Größe zählt.", "Second", "And the end."))
    assert "\r" not in text


@pytest.mark.parametrize(
    "content", [b"", b"plain text", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"\xff\x00obj<<>>" * 500, b"PK\x03\x04"]
)
async def test_what_is_no_pdf_is_said_to_be_damaged(
    documents: Documents, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match="damaged or not a PDF"):
        await documents.text(path)


async def test_a_truncated_pdf_is_read_or_said_to_be_damaged(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    whole = pdf("Title", {"First": ["Words."]})
    path.write_bytes(whole[: len(whole) // 3])

    with pytest.raises(UnreadableFile):
        await documents.text(path)


async def test_a_file_that_is_gone_is_unreadable(documents: Documents, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        await documents.text(tmp_path / "missing.pdf")


async def test_a_password_is_named_as_the_reason(documents: Documents, tmp_path: Path) -> None:
    paper = FPDF()
    paper.set_encryption(owner_password="owner", user_password="user")
    paper.add_page()
    paper.set_font("Helvetica")
    paper.cell(text="secret")
    (tmp_path / "x.pdf").write_bytes(bytes(paper.output()))

    with pytest.raises(UnreadableFile, match="password") as caught:
        await documents.text(tmp_path / "x.pdf")
    assert caught.value.hint


async def test_a_scan_is_said_to_have_no_text(documents: Documents, tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(png([b"\x00\xff" * 20] * 40))
    paper = FPDF()
    paper.add_page()
    paper.image(tmp_path / "scan.png")
    (tmp_path / "x.pdf").write_bytes(bytes(paper.output()))

    with pytest.raises(UnreadableFile, match="no text") as caught:
        await documents.text(tmp_path / "x.pdf")
    assert "OCR" in (caught.value.hint or "")


def test_words_stay_apart_and_keep_their_joiners() -> None:
    assert clean("10\u00a0km, 1\u202f000\u3000m") == "10 km, 1 000 m"
    assert clean("می\u200cخواهم 👩\u200d🚀\u200b") == "می\u200cخواهم 👩\u200d🚀"


async def test_long_documents_are_cut(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("T", {str(number): ["word " * 300] for number in range(5)}))

    assert len(await PdfDocuments(max_chars=1000).text(tmp_path / "x.pdf")) <= 1010


async def test_reading_stops_at_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("Title", {"First": ["Words."]}))

    with pytest.raises(UnreadableFile, match="within 0 seconds"):
        await PdfDocuments(seconds=0).text(tmp_path / "x.pdf")


async def test_modules_in_the_current_folder_are_not_run(
    documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pypdfium2.py").write_text("raise SystemExit('run')")
    (tmp_path / "x.pdf").write_bytes(pdf("Title", {"First": ["Words."]}))
    monkeypatch.chdir(tmp_path)

    assert "Words." in await documents.text(tmp_path / "x.pdf")
