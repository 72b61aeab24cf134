"""A desktop of open formats in one data folder: vCard, iCalendar, Markdown, mail files, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tinyagent.apps.base import Desktop, Meetings

if TYPE_CHECKING:
    from tinyagent.apps.portable.maps import Provider


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
    # Imported here, since some of them share modules beside this package that use others within it.
    from tinyagent.apps.portable.calendar import PortableCalendar
    from tinyagent.apps.portable.contacts import PortableContacts
    from tinyagent.apps.portable.documents import PortableDocuments
    from tinyagent.apps.portable.files import PortableFiles
    from tinyagent.apps.portable.mail import PortableMail
    from tinyagent.apps.portable.maps import PortableMaps
    from tinyagent.apps.portable.messages import PortableMessages
    from tinyagent.apps.portable.notes import PortableNotes
    from tinyagent.apps.portable.reminders import PortableReminders

    _, address = parseaddr(sender)
    return Desktop(
        contacts=PortableContacts(data, address),
        calendar=PortableCalendar(data, zone, address),
        reminders=PortableReminders(data, zone),
        notes=PortableNotes(data),
        mail=PortableMail(data, sender),
        messages=PortableMessages(data),
        files=PortableFiles(folders, opener),
        documents=PortableDocuments(),
        maps=PortableMaps(maps, opener),
        meetings=meetings,
    )
