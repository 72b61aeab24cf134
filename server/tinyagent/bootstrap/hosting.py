"""Who carries out calls: the applications of this computer, servers that are configured, or workers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tzlocal import get_localzone_name

from tinyagent.apps.base import Desktop, Meetings
from tinyagent.ports import ToolHost, Writer
from tinyagent.secrets import secret
from tinyagent.settings import DavSettings, ImapSettings, Settings, SmtpSettings

if TYPE_CHECKING:
    from tinyagent.apps.network import DavLogin, MailLogin
    from tinyagent.workers.queue import WorkerQueue


def build_workers(settings: Settings) -> WorkerQueue | None:
    """The queue that workers take their calls from; None when calls are carried out in this process."""
    from tinyagent.tools.registry import BUILT_IN
    from tinyagent.workers.queue import WorkerQueue

    if settings.executor != "worker":
        return None
    own = settings.worker
    return WorkerQueue([tool.spec for tool in BUILT_IN], wait_s=own.wait_s, lease_s=own.lease_s)


def build_local_host(settings: Settings, writer: Writer) -> ToolHost:
    """The sixteen tools on this computer's desktop."""
    from tinyagent.tools.host import LocalToolHost

    return LocalToolHost(build_desktop(settings), writer, region=settings.phone_region, demo=settings.demo)


def build_desktop(settings: Settings) -> Desktop:
    """The applications of this computer, and those behind configured accounts in place of theirs.

    Raises ConfigurationError for an account whose password would travel unprotected.
    """
    from tinyagent.apps.local.opening import desktop_opener
    from tinyagent.apps.macos import macos_desktop
    from tinyagent.apps.portable import portable_desktop
    from tinyagent.demo import OWNER

    zone = settings.timezone or get_localzone_name()
    make = macos_desktop if uses_mac_apps(settings) else portable_desktop
    desktop = make(
        settings.data,
        meetings=_meetings(settings, zone),
        folders=settings.search_folders,
        sender=settings.sender or (OWNER if settings.demo else ""),
        zone=ZoneInfo(zone),
        opener=desktop_opener() if settings.open_files else (),
        maps=settings.maps,
    )
    return _with_accounts(desktop, settings, ZoneInfo(zone))


def uses_mac_apps(settings: Settings) -> bool:
    """Whether calls go to macOS's own applications; a made-up desktop never does."""
    if settings.apps == "auto":
        return sys.platform == "darwin" and not settings.demo
    return settings.apps == "macos"


def _meetings(settings: Settings, zone: str) -> Meetings:
    from tinyagent.apps.zoom import DemoMeetings, ZoomMeetings

    keys = settings.zoom
    key = secret("zoom.client_secret", keys.client_secret) if keys.client_id else ""
    zoom = ZoomMeetings(keys.account_id, keys.client_id, key, zone)
    return DemoMeetings() if settings.demo and zoom.unavailable() else zoom


def _with_accounts(desktop: Desktop, settings: Settings, zone: ZoneInfo) -> Desktop:
    from tinyagent.apps.network import network_apps

    return network_apps(
        desktop,
        sender=settings.sender,
        zone=zone,
        imap=_mail_login("imap", settings.imap),
        smtp=_mail_login("smtp", settings.smtp),
        caldav=_dav_login("caldav", settings.caldav),
        carddav=_dav_login("carddav", settings.carddav),
    )


def _mail_login(name: str, account: ImapSettings | SmtpSettings | None) -> MailLogin | None:
    from tinyagent.apps.network import MailLogin

    if account is None:
        return None
    password = secret(f"{name}.password", account.password) if account.user else ""
    return MailLogin(account.host, account.port, account.user, password, account.security)


def _dav_login(name: str, account: DavSettings | None) -> DavLogin | None:
    from tinyagent.apps.network import DavLogin

    if account is None:
        return None
    password = secret(f"{name}.password", account.password) if account.user else ""
    return DavLogin(account.url, account.user, password)
