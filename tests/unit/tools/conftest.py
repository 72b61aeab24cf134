"""A host on a portable desktop in a temporary folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.zoom import DemoMeetings
from tinyagent.ports import CallContext, ToolResult
from tinyagent.tools.host import LocalToolHost
from tinyagent.writers.composed import ComposedWriter
from tinyagent.writers.extractive import ExtractiveSummarizer

NOW = datetime(2024, 4, 1, 8, 0)

CARDS = """\
BEGIN:VCARD
VERSION:3.0
FN:Sid Meier
TEL;TYPE=CELL:(415) 555-2671
TEL;TYPE=HOME:(415) 555-2672
EMAIL:sid@home.example
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Alex Kim
EMAIL:kim@x.example
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Alex Novak
TEL:+44 20 7946 0000
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Two Lines
TEL;TYPE=HOME:+44 20 7946 0001
TEL;TYPE=WORK:+44 20 7946 0002
EMAIL:a@x.example
EMAIL:b@x.example
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Ada Byron
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Copy Cat
EMAIL:cat@x.example
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Copy Cat
TEL:5550142
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Odd Number
TEL:ask at the desk
END:VCARD
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "contacts").mkdir()
    (tmp_path / "contacts" / "all.vcf").write_text(CARDS)
    return tmp_path


@pytest.fixture
def host(data: Path) -> LocalToolHost:
    desktop = portable_desktop(data, meetings=DemoMeetings(), folders=[data])
    return LocalToolHost(desktop, ComposedWriter(ExtractiveSummarizer()))


@pytest.fixture
def call(host: LocalToolHost) -> Callable[..., Awaitable[ToolResult]]:
    """Call a tool by name with positional arguments."""

    async def run(tool: str, *arguments: Any) -> ToolResult:
        return await host.call(tool, arguments, CallContext(NOW))

    return run
