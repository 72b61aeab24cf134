"""The worker that reads one PDF: `python -P pdf_text.py PATH MAX_CHARS`.

A process of its own, since PDFium is not safe in threads and a hostile file may crash it. It
prints one JSON object: `{"text": …}` or `{"error": "encrypted" | "damaged" | "empty"}`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import unicodedata
from typing import Any

import pypdfium2 as pdfium

_MEMORY_BYTES = 4 * 2**30
_CPU_SECONDS = 60
_PASSWORD_ERROR = 4
"""PDFium's FPDF_ERR_PASSWORD."""

_LINE_END_HYPHENS = ("\ufffe", "\x02", "\u00ad")
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how words of several scripts are spelt."""


def read(path: str, max_chars: int) -> dict[str, str]:
    """The text of the PDF's pages, or what is wrong with the file."""
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        code: Any = getattr(error, "err_code", None)
        return {"error": "encrypted" if code == _PASSWORD_ERROR else "damaged"}
    except OSError:
        return {"error": "damaged"}
    try:
        text = _text(document, max_chars)
    except pdfium.PdfiumError:
        return {"error": "damaged"}
    return {"text": text} if any(char.isalnum() for char in text) else {"error": "empty"}


def _text(document: pdfium.PdfDocument, max_chars: int) -> str:
    pages: list[str] = []
    left = max_chars
    for number in range(len(document)):
        if left <= 0:
            break
        page = document[number]
        text_page: Any = page.get_textpage()
        pages.append(clean(text_page.get_text_bounded())[:left])
        left -= len(pages[-1])
        page.close()
    return "\n\n".join(pages)


def clean(text: str) -> str:
    """The text of a page with uniform line ends and spaces, without what has no form."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for hyphen in _LINE_END_HYPHENS:
        text = text.replace(f"{hyphen}\n", "").replace(hyphen, "")
    return "".join(map(_kept, text)).strip()


def _kept(char: str) -> str:
    """The character; a plain space for one of another width, nothing for what has no form."""
    if unicodedata.category(char) == "Zs":
        return " "
    return char if char.isprintable() or char in f"\n\t{_JOINERS}" else ""


def _limit_resources() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    _limit_resources()
    sys.stdout.buffer.write(json.dumps(read(sys.argv[1], int(sys.argv[2]))).encode())


if __name__ == "__main__":
    main()
