"""The desktop of macOS: its own applications, told by scripts and, where they may be used, by frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from zoneinfo import ZoneInfo

from tinyagent.apps.base import Desktop, Meetings
from tinyagent.apps.local.documents import PdfDocuments
from tinyagent.apps.local.map_links import Provider
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.apps.macos.calendar import MacCalendar
from tinyagent.apps.macos.contacts import MacContacts
from tinyagent.apps.macos.files import MacFiles
from tinyagent.apps.macos.mail import MacMail
from tinyagent.apps.macos.maps import MacMaps
from tinyagent.apps.macos.messages import MacMessages
from tinyagent.apps.macos.notes import MacNotes
from tinyagent.apps.macos.reminders import MacReminders


def macos_desktop(
    data: Path,
    *,
    meetings: Meetings,
    folders: Sequence[Path],
    sender: str = "",
    zone: ZoneInfo | None = None,
    opener: Sequence[str] = (),
    maps: Provider = "apple",
    scripts: Scripts | None = None,
) -> Desktop:
    """The desktop of this Mac; drafts of text messages are kept under `data`.

    `folders` are searched for files; `sender` is the user's own email address, with or without a
    name; `zone` the user's time zone (the computer's without one); `opener` is `open` where files and
    maps are to be shown. All applications share `scripts`, which keeps the order of their calls.
    """
    runner = scripts or Scripts()
    _, address = parseaddr(sender)
    return Desktop(
        contacts=MacContacts(runner, address),
        calendar=MacCalendar(runner, zone),
        reminders=MacReminders(runner, zone),
        notes=MacNotes(runner),
        mail=MacMail(runner, sender),
        messages=MacMessages(runner, data),
        files=MacFiles(runner, folders, opener),
        documents=PdfDocuments(),
        maps=MacMaps(runner, maps, opener),
        meetings=meetings,
    )
