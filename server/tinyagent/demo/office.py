"""Small writers for the kinds of files that the demo shows: PDF, Word, Excel and PNG.

They are as plain as their formats allow and give the same bytes each time.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from fpdf import FPDF
from fpdf.enums import XPos, YPos

_MADE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


class _Paper(FPDF):
    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self._name = title
        self.set_title(title)
        self.set_creation_date(_MADE)
        self.set_margin(25)
        self.set_auto_page_break(auto=True, margin=25)

    def footer(self) -> None:
        self.set_y(-18)
        self.set_font("Helvetica", size=9)
        self.cell(0, 8, f"{self._name} - page {self.page_no()}", align="C")

    def write_line(self, text: str, style: str, size: int) -> None:
        self.set_font("Helvetica", style, size)
        self.multi_cell(0, size * 0.55, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)


def pdf(title: str, sections: Mapping[str, Sequence[str]]) -> bytes:
    """A PDF with a page, or more, for each section of a heading and its paragraphs."""
    paper = _Paper(title)
    for number, (heading, paragraphs) in enumerate(sections.items()):
        paper.add_page()
        if number == 0:
            paper.write_line(title, "B", 20)
        paper.write_line(heading, "B", 14)
        for paragraph in paragraphs:
            paper.write_line(paragraph, "", 12)
    return bytes(paper.output())


def docx(paragraphs: Sequence[str]) -> bytes:
    """A Word document of plain paragraphs."""
    body = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(paragraph)}</w:t></w:r></w:p>'
        for paragraph in paragraphs
    )
    document = f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return _package("word/document.xml", kind, {"word/document.xml": document})


def xlsx(rows: Sequence[Sequence[str | int]]) -> bytes:
    """An Excel workbook with one sheet."""
    cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    sheet = f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{cells}</sheetData></worksheet>'
    workbook = (
        f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": _relation(f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
    }
    return _package(
        "xl/workbook.xml",
        f"{kind}.sheet.main+xml",
        parts,
        {"/xl/worksheets/sheet1.xml": f"{kind}.worksheet+xml"},
    )


def png(rows: Sequence[bytes]) -> bytes:
    """A grey picture; each row holds one brightness a pixel."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\x00" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _relation(kind: str, target: str) -> str:
    return (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{kind}" Target="{target}"/></Relationships>'
    )


def _package(
    main: str, kind: str, parts: Mapping[str, str], further: Mapping[str, str] | None = None
) -> bytes:
    """An Open Packaging file: its parts, their content types and where reading begins."""
    types = {f"/{main}": kind, **(further or {})}
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="{value}"/>' for part, value in types.items()
    )
    content_types = (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    files = {
        "[Content_Types].xml": content_types,
        "_rels/.rels": _relation(f"{_OFFICE}/officeDocument", main),
        **parts,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _MADE.timetuple()[:6]), text)
    return buffer.getvalue()
