"""The text of PDFs, read by a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import cast

from tinyagent.errors import UnreadableFile

_WORKER = str(Path(__file__).with_name("pdf_text.py"))
_FAULTS = {
    "encrypted": ("is protected by a password", "Save a copy without a password and try again."),
    "damaged": ("is damaged or not a PDF", "Open it in a PDF viewer to check it."),
    "empty": ("has no text; it is probably a scan", "Run text recognition (OCR) on it first."),
}


class PdfDocuments:
    """Implements `apps.base.Documents`: at most `max_chars` characters, within `seconds`."""

    def __init__(self, *, seconds: float = 30.0, max_chars: int = 1_000_000) -> None:
        self._seconds = seconds
        self._max_chars = max_chars

    async def text(self, path: Path) -> str:
        output = await self._read(path)
        try:
            answer = cast("dict[str, str]", json.loads(output))
            if "text" in answer:
                return answer["text"]
            reason = answer["error"]
        except (ValueError, KeyError, TypeError):
            reason = "damaged"
        raise _fault(path, reason)

    async def _read(self, path: Path) -> bytes:
        # -P keeps the modules beside the worker, and those in the current folder, from being imported.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", _WORKER, str(path), str(self._max_chars)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(self._seconds):
                output, _ = await process.communicate()
                return output
        except TimeoutError:
            raise UnreadableFile(
                f"{path.name} could not be read within {self._seconds:g} seconds.", hint="Try a smaller file."
            ) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _fault(path: Path, reason: str) -> UnreadableFile:
    what, hint = _FAULTS.get(reason, _FAULTS["damaged"])
    return UnreadableFile(f"{path.name} {what}.", hint=hint)
