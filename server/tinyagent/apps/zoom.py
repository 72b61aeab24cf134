"""Zoom meetings over its REST API, with a server-to-server OAuth app's credentials."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from tinyagent.apps.base import Made, Meeting, UndoRecord
from tinyagent.errors import AppFailed, NoMatch, NotConfigured, ToolError

MAX_TOPIC = 200
_SCHEDULED = 2
"""Zoom's number for a meeting at a fixed time."""

_TOKEN_MARGIN_S = 60.0
_MEETING = "meeting"
"""Holds the meeting's number in the record that takes it back."""

_MISSING = (
    "Zoom meetings are off: set account_id, client_id and client_secret of a server-to-server OAuth app "
    "under [zoom] in config.toml."
)
_SETUP_HINT = (
    "Create the app on marketplace.zoom.us and set zoom.account_id, zoom.client_id and zoom.client_secret."
)


class ZoomMeetings:
    """Implements `apps.base.Meetings`.

    `timezone` is the IANA name of the zone that meetings' times are in; without it Zoom takes the
    one of the account. A request that makes a meeting is not repeated when it fails, so that none
    is made twice.
    """

    def __init__(
        self,
        account_id: str,
        client_id: str,
        client_secret: str,
        timezone: str = "",
        *,
        oauth_url: str = "https://zoom.us/oauth/token",
        api_url: str = "https://api.zoom.us/v2",
        seconds: float = 20.0,
    ) -> None:
        self._account_id = account_id
        self._credentials = (client_id, client_secret)
        self._timezone = timezone
        self._oauth_url = oauth_url
        self._api_url = api_url.rstrip("/")
        self._seconds = seconds
        self._token = ""
        self._token_until = 0.0
        self._token_lock = asyncio.Lock()

    def unavailable(self) -> str:
        return "" if self._account_id and all(self._credentials) else _MISSING

    async def create(self, meeting: Meeting) -> Made:
        response = await self._request("POST", "/users/me/meetings", self._body(meeting))
        _require_success(response, "make the meeting")
        id = _json(response).get("id")
        return Made(_join_url(response), {_MEETING: str(id)} if isinstance(id, int) else None)

    async def undo(self, record: UndoRecord) -> str:
        """Delete the meeting. Raises NoMatch when it is gone."""
        id = record.get(_MEETING, "")
        if not (id.isascii() and id.isdigit()):
            raise ToolError("The record of the call names no Zoom meeting.", hint="Delete it in Zoom.")
        response = await self._request("DELETE", f"/meetings/{id}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise NoMatch("The Zoom meeting is gone already.", hint="Nothing is left to take back.")
        _require_success(response, "delete the meeting")
        return "Deleted the Zoom meeting."

    def _body(self, meeting: Meeting) -> dict[str, Any]:
        return {
            "topic": " ".join(meeting.topic.split())[:MAX_TOPIC],
            "type": _SCHEDULED,
            "start_time": meeting.start.strftime("%Y-%m-%dT%H:%M:%S"),
            "duration": meeting.minutes,
            "settings": {"meeting_invitees": [{"email": email} for email in meeting.invitees]},
            **({"timezone": self._timezone} if self._timezone else {}),
        }

    async def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """One request; a token that is refused is fetched anew, once."""
        if self.unavailable():
            raise NotConfigured(_MISSING, hint=_SETUP_HINT)
        async with self._client() as client:
            token = await self._access_token(client)
            response = await self._send(client, token, method, path, body)
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                token = await self._access_token(client, refused=token)
                response = await self._send(client, token, method, path, body)
        return response

    async def _send(
        self, client: httpx.AsyncClient, token: str, method: str, path: str, body: dict[str, Any] | None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await client.request(method, f"{self._api_url}{path}", headers=headers, json=body)

    async def _access_token(self, client: httpx.AsyncClient, refused: str = "") -> str:
        """The token that is in use, or a new one when it is over or the `refused` one."""
        async with self._token_lock:
            if self._token in ("", refused) or time.monotonic() >= self._token_until:
                self._token, lifetime = await self._fetch_token(client)
                self._token_until = time.monotonic() + lifetime - _TOKEN_MARGIN_S
            return self._token

    async def _fetch_token(self, client: httpx.AsyncClient) -> tuple[str, float]:
        response = await client.post(
            self._oauth_url,
            params={"grant_type": "account_credentials", "account_id": self._account_id},
            auth=self._credentials,
        )
        if response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
            raise NotConfigured("Zoom refused the credentials.", hint=_SETUP_HINT)
        _require_success(response, "sign in")
        answer = _json(response)
        token, lifetime = answer.get("access_token"), answer.get("expires_in", 3600)
        if not isinstance(token, str) or not isinstance(lifetime, (int, float)):
            raise _unreadable()
        return token, float(lifetime)

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient]:
        """A client with one deadline for all that happens in the block."""
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx.AsyncClient(timeout=self._seconds, follow_redirects=False) as client,
            ):
                yield client
        except (TimeoutError, httpx.TimeoutException):
            raise AppFailed(
                f"Zoom did not answer within {self._seconds:g} seconds.",
                hint="Look into Zoom whether the meeting was made before you try again.",
            ) from None
        except httpx.HTTPError:
            raise AppFailed("Zoom cannot be reached.", hint="Check the network connection.") from None


class DemoMeetings:
    """Implements `apps.base.Meetings` with links that plainly lead nowhere."""

    def unavailable(self) -> str:
        return ""

    async def create(self, meeting: Meeting) -> Made:
        digest = hashlib.sha256(f"{meeting.topic}|{meeting.start.isoformat()}".encode()).hexdigest()
        return Made(f"https://zoom.example/j/DEMO-{digest[:10]}")

    async def undo(self, record: UndoRecord) -> str:
        raise NoMatch("A demo has no meetings that could be deleted.")


def _require_success(response: httpx.Response, what: str) -> None:
    status = response.status_code
    if response.is_success:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise AppFailed(
            f"Zoom could not {what}: its limit of requests is reached.", hint=_retry_hint(response)
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise NotConfigured(
            f"Zoom did not allow to {what} (HTTP {status}).",
            hint="Give the OAuth app the scope meeting:write:meeting:admin.",
        )
    if status >= 500:
        raise AppFailed(f"Zoom could not {what} (HTTP {status}).", hint="Try again later.")
    raise AppFailed(f"Zoom refused to {what} (HTTP {status}).", hint="Check the topic, time and invitees.")


def _retry_hint(response: httpx.Response) -> str:
    wait = response.headers.get("Retry-After", "")
    return f"Try again in {wait} seconds." if wait.isdigit() else "Try again later."


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        raise _unreadable() from None
    if not isinstance(answer, dict):
        raise _unreadable()
    return cast("dict[str, Any]", answer)


def _join_url(response: httpx.Response) -> str:
    url = _json(response).get("join_url")
    if not isinstance(url, str) or urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise _unreadable()
    return url


def _unreadable() -> AppFailed:
    return AppFailed("Zoom's answer could not be read.", hint="Look into Zoom whether the meeting was made.")
