"""A desktop of open formats in one data folder: vCard, iCalendar, Markdown, mail files, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from zoneinfo import ZoneInfo

from tinyagent.apps.base import Desktop, Meetings
from tinyagent.apps.local.documents import PdfDocuments
from tinyagent.apps.local.map_links import Provider
from tinyagent.apps.local.outbox import Outbox
from tinyagent.apps.portable.calendar import PortableCalendar
from tinyagent.apps.portable.contacts import PortableContacts
from tinyagent.apps.portable.files import PortableFiles
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.apps.portable.maps import PortableMaps
from tinyagent.apps.portable.notes import PortableNotes
from tinyagent.apps.portable.reminders import PortableReminders


def portable_desktop(
    data: Path,
    *,
    meetings: Meetings,
    folders: Sequence[Path],
    sender: str = "",
    zone: ZoneInfo | None = None,
    opener: Sequence[str] = (),
    maps: Provider = "apple",
) -> Desktop:
    """The desktop that keeps everything under `data`.

    `folders` are searched for files; `sender` is the user's own email address, with or without a
    name; `zone` the user's time zone (times are floating without one); `opener` the program, with
    its first arguments, that shows a file or a map.
    """
    _, address = parseaddr(sender)
    return Desktop(
        contacts=PortableContacts(data, address),
        calendar=PortableCalendar(data, zone, address),
        reminders=PortableReminders(data, zone),
        notes=PortableNotes(data),
        mail=PortableMail(data, sender),
        messages=Outbox(data),
        files=PortableFiles(folders, opener),
        documents=PdfDocuments(),
        maps=PortableMaps(maps, opener),
        meetings=meetings,
    )
