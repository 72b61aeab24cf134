"""Zoom meetings over its REST API, with a server-to-server OAuth app's credentials."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from tinyagent.apps.base import Made, Meeting, UndoRecord
from tinyagent.errors import AppFailed, NoMatch, NotConfigured, OutcomeUnknown, ToolError

MAX_TOPIC = 200
_SCHEDULED = 2
"""Zoom's number for a meeting at a fixed time."""

_LONGEST_NUMBER = 20
_TOKEN_MARGIN_S = 60.0
_MEETING = "meeting"
"""Holds the meeting's number in the record that takes it back."""

_LOOK_HINT = "Look into Zoom whether it was done before you try again."
_UNREADABLE = "Zoom's answer could not be read."
_UNREACHABLE = "The connection to Zoom failed."
_MISSING = (
    "Zoom meetings are off: set account_id, client_id and client_secret of a server-to-server OAuth app "
    "under [zoom] in config.toml."
)
_SETUP_HINT = (
    "Create the app on marketplace.zoom.us and set zoom.account_id, zoom.client_id and zoom.client_secret."
)


@cache
def _tls() -> ssl.SSLContext:
    """Verified TLS for every connection; the list of authorities takes long to read."""
    return httpx.create_ssl_context()


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account_id = account_id
        self._credentials = (client_id, client_secret)
        self._timezone = timezone
        self._oauth_url = oauth_url
        self._api_url = api_url.rstrip("/")
        self._seconds = seconds
        self._clock = clock
        self._token = ""
        self._token_until = 0.0
        self._token_lock = asyncio.Lock()

    def unavailable(self) -> str:
        return "" if self._account_id and all(self._credentials) else _MISSING

    async def create(self, meeting: Meeting) -> Made:
        response = await self._request("POST", "/users/me/meetings", self._body(meeting))
        if response.is_server_error:
            raise OutcomeUnknown(
                f"Zoom broke off while it made the meeting (HTTP {response.status_code}).", hint=_LOOK_HINT
            )
        _require_success(response, "make the meeting", hint="Check the topic, time and invitees.")
        answer = _json(response)
        id = answer.get("id")
        return Made(_join_url(answer), {_MEETING: str(id)} if isinstance(id, int) else None)

    async def undo(self, record: UndoRecord) -> str:
        """Delete the meeting. Raises NoMatch when it is gone."""
        id = record.get(_MEETING, "")
        if not (id.isascii() and id.isdigit() and len(id) <= _LONGEST_NUMBER):
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
        """One request; a token that is refused is fetched anew, once. All of it has one deadline."""
        if self.unavailable():
            raise NotConfigured(_MISSING, hint=_SETUP_HINT)
        asked = False
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx.AsyncClient(timeout=self._seconds, follow_redirects=False, verify=_tls()) as client,
            ):
                token = await self._access_token(client)
                asked = True
                response = await self._send(client, token, method, path, body)
                if response.status_code != HTTPStatus.UNAUTHORIZED:
                    return response
                asked = False
                token = await self._access_token(client, refused=token)
                asked = True
                return await self._send(client, token, method, path, body)
        except (TimeoutError, httpx.HTTPError) as error:
            raise self._broken(error, asked) from None

    async def _send(
        self, client: httpx.AsyncClient, token: str, method: str, path: str, body: dict[str, Any] | None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await client.request(method, f"{self._api_url}{path}", headers=headers, json=body)

    async def _access_token(self, client: httpx.AsyncClient, refused: str = "") -> str:
        """The token that is in use, or a new one when it is over or the `refused` one."""
        async with self._token_lock:
            if self._token in ("", refused) or self._clock() >= self._token_until:
                self._token, lifetime = await self._fetch_token(client)
                self._token_until = self._clock() + lifetime - _TOKEN_MARGIN_S
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
            raise AppFailed(_UNREADABLE, hint="Nothing was done. Try again later.")
        return token, float(lifetime)

    def _broken(self, error: Exception, asked: bool) -> ToolError:
        """What a missing answer means: once Zoom was asked to act, nobody knows whether it did."""
        silent = isinstance(error, (TimeoutError, httpx.TimeoutException))
        what = f"Zoom did not answer within {self._seconds:g} seconds." if silent else _UNREACHABLE
        if asked and not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return OutcomeUnknown(what, hint=_LOOK_HINT)
        return AppFailed(what, hint="Nothing was done. Check the network connection and try again.")


class DemoMeetings:
    """Implements `apps.base.Meetings` with links that plainly lead nowhere."""

    def unavailable(self) -> str:
        return ""

    async def create(self, meeting: Meeting) -> Made:
        digest = hashlib.sha256(f"{meeting.topic}|{meeting.start.isoformat()}".encode()).hexdigest()
        return Made(f"https://zoom.example/j/DEMO-{digest[:10]}")

    async def undo(self, record: UndoRecord) -> str:
        raise NoMatch("A demo has no meetings that could be deleted.")


def _require_success(response: httpx.Response, what: str, hint: str | None = None) -> None:
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
            hint="Give the OAuth app the scopes meeting:write:meeting:admin, meeting:delete:meeting:admin.",
        )
    if status >= 500:
        raise AppFailed(f"Zoom could not {what} (HTTP {status}).", hint="Try again later.")
    raise AppFailed(f"Zoom refused to {what} (HTTP {status}).", hint=hint)


def _retry_hint(response: httpx.Response) -> str:
    wait = response.headers.get("Retry-After", "")
    return f"Try again in {wait} seconds." if wait.isdigit() else "Try again later."


def _json(response: httpx.Response) -> dict[str, Any]:
    """The answer; empty when it cannot be read."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}


def _join_url(answer: dict[str, Any]) -> str:
    url = answer.get("join_url")
    if not isinstance(url, str) or urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise OutcomeUnknown(_UNREADABLE, hint=_LOOK_HINT)
    return url
