"""Who carries out calls: the applications of this computer, or workers; and who has further tools."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tzlocal import get_localzone_name

from tinyagent.apps.base import Desktop, Meetings
from tinyagent.errors import ConfigurationError
from tinyagent.loopback import is_local_url
from tinyagent.ports import ToolHost, Writer
from tinyagent.secrets import secret
from tinyagent.settings import DavSettings, ImapSettings, McpServerSettings, Settings, SmtpSettings

if TYPE_CHECKING:
    from tinyagent.apps.network import DavLogin, MailLogin
    from tinyagent.mcp_client import McpServer
    from tinyagent.plugins.loading import Found
    from tinyagent.workers.queue import WorkerQueue


def build_workers(settings: Settings) -> WorkerQueue | None:
    """The queue that workers take their calls from; None when calls are carried out in this process."""
    from tinyagent.tools.registry import BUILT_IN
    from tinyagent.workers.queue import WorkerQueue

    if settings.executor != "worker":
        return None
    own = settings.worker
    return WorkerQueue([tool.spec for tool in BUILT_IN], wait_s=own.wait_s, lease_s=own.lease_s)


@asynccontextmanager
async def further_hosts(settings: Settings, patience_s: float = 0.0) -> AsyncGenerator[list[ToolHost]]:
    """The hosts of the user's own tools and of the configured MCP servers; closed at the end.

    Servers are connected in the background when tools are first asked for; with `patience_s` they are
    connected at once, and waited for at most so long. Raises ConfigurationError for a token that would
    travel unprotected.
    """
    found = load_own_tools(settings)
    further: list[ToolHost] = []
    if found.tools or found.faults:
        from tinyagent.plugins.host import OwnToolHost

        further.append(OwnToolHost(found, partial(_sends, settings)))
    if not settings.mcp:
        yield further
        return
    from tinyagent.mcp_client import McpToolHost

    taken = [*_built_in_names(), *(tool.spec.name for tool in found.tools)]
    servers = McpToolHost([_mcp_server(*one) for one in settings.mcp.items()], taken)
    try:
        if patience_s:
            await servers.settle(patience_s)
        yield [*further, servers]
    finally:
        await servers.close()


def has_further_tools(settings: Settings) -> bool:
    """Whether there may be other tools than the built-in ones."""
    from tinyagent.plugins.loading import offered_by_packages

    return bool(settings.mcp or settings.tool_files) or offered_by_packages()


def joined(host: ToolHost, further: Sequence[ToolHost]) -> ToolHost:
    """All hosts as one; of two tools with one name, that of `host` counts."""
    from tinyagent.tools.several import SeveralHosts

    return SeveralHosts([host, *further]) if further else host


def load_own_tools(settings: Settings) -> Found:
    """The user's own tools, and what of them cannot be loaded."""
    from tinyagent.plugins.loading import load_tools

    return load_tools(settings.tool_files, _built_in_names())


def _built_in_names() -> list[str]:
    from tinyagent.tools.registry import BUILT_IN

    return [tool.spec.name for tool in BUILT_IN]


def _sends(settings: Settings, tool: str) -> bool:
    """Whether a tool that can make no drafts may be used at all."""
    return settings.approvals.tools.get(tool, settings.approvals.send) != "draft"


def _mcp_server(name: str, server: McpServerSettings) -> McpServer:
    from tinyagent.mcp_client import McpServer
    from tinyagent.mcp_client.servers import no_token

    url = server.url or ""
    exposed = url.startswith("http:") and not is_local_url(url)
    if exposed and server.token.get_secret_value():
        raise ConfigurationError(
            f"mcp.{name}.url is neither encrypted nor on this computer: its token could be read on the way.",
            hint="Use the server's https address.",
        )
    return McpServer(
        name,
        tuple(server.command),
        server.env,
        url,
        no_token if exposed else partial(secret, f"mcp.{name}.token", server.token),
        server.approval,
        tuple(server.tools),
        server.timeout_s,
    )


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
