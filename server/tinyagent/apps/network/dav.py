"""A session with a WebDAV server: bounded in time and size, the password kept to the server it is for.

A thin client on httpx serves CalDAV and CardDAV alike. The few requests that are needed here are plain,
and each wait and each answer has a limit of its own, which libraries for calendars do not offer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import httpx

from tinyagent.apps.network._xml import DAV, Resource, asking_for, resources
from tinyagent.apps.network.security import is_address, require_protection, tls_context
from tinyagent.errors import (
    AccessDenied,
    AppFailed,
    ConfigurationError,
    NotConfigured,
    OutcomeUnknown,
    ToolError,
)
from tinyagent.loopback import is_loopback

MAX_ANSWER = 32 * 2**20
"""Bytes of the largest answer that is read."""

_MAX_REDIRECTS = 5
_NO_ROOM = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INSUFFICIENT_STORAGE)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.LOCKED)
_NOTHING_THERE = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.GONE,
    HTTPStatus.NOT_IMPLEMENTED,
)
_UNCERTAIN = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
"""What a gateway says that lost the server; a change may have reached it before."""
_READABLE = ("gzip", "identity")
"""How answers may be packed: once, in a way that bounds how much a piece of them grows."""
_SPREAD = ("icloud.com", "google.com")
"""Services that keep accounts on several hosts of their domain, and name them in their answers."""


class DavServer:
    """An account on a WebDAV server. `section` names its part of the settings in messages.

    Raises ConfigurationError for an address that is none, or that would send the password unprotected.
    """

    def __init__(self, section: str, url: str, user: str, password: str, *, seconds: float = 20.0) -> None:
        try:
            parts = urlsplit(url.strip())
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            raise ConfigurationError(
                f"{section}.url is not the address of a server.", hint="Write it as https://dav.example.com/."
            )
        require_protection(section, host, parts.scheme == "https")
        self.section, self.host, self.url = section, host, url.strip()
        self._origin = (parts.scheme, parts.netloc.casefold())
        self._auth = httpx.BasicAuth(user, password) if user else None
        self._seconds = seconds
        # Without https the only address that is trusted needs no TLS, and the list of authorities no time.
        secure = parts.scheme == "https"
        self._tls = tls_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[DavSession]:
        """A session with one deadline for all that happens in the block; it turns failures into ours."""
        session: DavSession | None = None
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx.AsyncClient(
                    auth=self._auth,
                    timeout=self._seconds,
                    verify=self._tls,
                    # What is meant for this computer goes through no proxy, for it may be unprotected.
                    trust_env=not is_loopback(self.host),
                ) as client,
            ):
                session = DavSession(self, client)
                yield session
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            if session is not None and session.committed and sent:
                raise self.unknown() from None
            raise self._unreachable(error) from None

    def trusts(self, url: str) -> bool:
        """Whether the password may go there: to the server itself, or over TLS to hosts below its name.

        A common domain alone means nothing: different owners may share it.
        """
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").casefold()
        except ValueError:
            return False
        if (parts.scheme, parts.netloc.casefold()) == self._origin:
            return True
        if self._origin[0] != "https" or parts.scheme != "https" or is_address(self.host):
            return False
        own = self.host.casefold()
        near = next((service for service in _SPREAD if own.endswith(f".{service}")), own)
        return f".{host}".endswith(f".{near}")

    def failed(self, status: int, what: str) -> ToolError:
        """What a refusal by this HTTP status means."""
        if status == HTTPStatus.UNAUTHORIZED:
            return NotConfigured(
                f"{self.host} refused the user or the password.",
                hint=f"Check {self.section}.user and {self.section}.password; many services want a password "
                "made for apps.",
            )
        if status == HTTPStatus.FORBIDDEN:
            return AccessDenied(
                f"{self.host} does not allow this account to {what}.",
                hint="Choose another one, or ask its owner.",
            )
        if status in _NO_ROOM:
            return AppFailed(
                f"{self.host} has no room to {what}.", hint="Free some space there and try again."
            )
        hint = "Try again later." if status in _BUSY or status >= 500 else f"Check {self.section}.url."
        return AppFailed(f"{self.host} could not {what} (HTTP {status}).", hint=hint)

    def unreadable(self) -> ToolError:
        return AppFailed(
            f"{self.host} gave an answer that makes no sense.", hint=f"Check {self.section}.url."
        )

    def unknown(self) -> ToolError:
        return OutcomeUnknown(
            f"The connection to {self.host} was lost before it confirmed.",
            hint="Look there before you try again.",
        )

    def _unreachable(self, error: Exception) -> ToolError:
        causes = _causes(error)
        refusal = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
        if refusal is not None:
            return AppFailed(
                f"{self.host} has no valid certificate: {refusal.verify_message}.",
                hint="Check the address and this computer's clock; the check is never skipped.",
            )
        if isinstance(error, (TimeoutError, httpx.TimeoutException)):
            return AppFailed(
                f"{self.host} did not answer within {self._seconds:g} seconds.", hint="Try again later."
            )
        if isinstance(error, (httpx.RemoteProtocolError, httpx.DecodingError, httpx.InvalidURL)):
            return self.unreadable()
        return AppFailed(f"{self.host} cannot be reached.", hint="Check the address and the network.")


class DavSession:
    """Requests to the server. `committed` is set while a change is under way."""

    def __init__(self, server: DavServer, client: httpx.AsyncClient) -> None:
        self._server = server
        self._client = client
        self.committed = False

    async def properties(self, url: str, depth: int, names: Iterable[str]) -> list[Resource] | None:
        """Properties of a resource, with depth 1 also of what it holds; None where there are none."""
        request = asking_for(f"{DAV}propfind", names)
        return await self._ask("PROPFIND", url, depth, request)

    async def report(self, kind: str, url: str, names: Iterable[str], hrefs: Iterable[str]) -> list[Resource]:
        """A report of this kind on resources that a collection holds."""
        answer = await self._ask("REPORT", url, 1, asking_for(kind, names, hrefs))
        if answer is None:
            raise self._server.unreadable()
        return answer

    async def change(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx.Response:
        """Send a request that changes something; the server's answer without its body.

        Raises OutcomeUnknown when the connection, or that of a gateway, is lost before the answer.
        """
        request = self._request(method, url, headers, content)
        self.committed = True
        async with request as response:
            pass  # the status says it all
        self.committed = False
        if response.status_code in _UNCERTAIN:
            raise self._server.unknown()
        return response

    def joined(self, base: str, href: str) -> str:
        """The full address that an answer from `base` means. Raises AppFailed when it is none."""
        try:
            return urljoin(base, href)
        except ValueError:
            raise self._server.unreadable() from None

    async def _ask(self, method: str, url: str, depth: int, request: bytes) -> list[Resource] | None:
        headers = {"Depth": str(depth), "Content-Type": "application/xml; charset=utf-8"}
        response, content = await self._send(method, url, headers, request)
        for _ in range(_MAX_REDIRECTS):
            if not response.has_redirect_location:
                break
            url = self.joined(url, response.headers["Location"])
            response, content = await self._send(method, url, headers, request)
        if response.status_code == HTTPStatus.MULTI_STATUS:
            try:
                return resources(content, url)
            except ValueError:
                raise self._server.unreadable() from None
        if response.status_code in _NOTHING_THERE or response.is_success or response.is_redirect:
            return None
        raise self._server.failed(response.status_code, "answer")

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[httpx.Response, bytes]:
        body = bytearray()
        async with self._request(method, url, headers, content) as response:
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in _READABLE:
                raise self._server.unreadable()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise AppFailed(f"The answer of {self._server.host} is too large.")
        return response, bytes(body)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """An answer whose body is not read yet. Raises AppFailed where the password must not go."""
        if not self._server.trusts(url):
            raise AppFailed(
                f"{self._server.host} points to another server, which does not get the password.",
                hint=f"Set {self._server.section}.url to the account's address there.",
            )
        asked = {"Accept-Encoding": "gzip", **headers}
        return self._client.stream(method, url, headers=asked, content=content)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(found) < 10:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found
