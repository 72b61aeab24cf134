"""A Zoom meeting is made once, or it is said plainly why not."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from tinyagent.apps.base import Meeting
from tinyagent.apps.zoom import DemoMeetings, ZoomMeetings
from tinyagent.errors import AppFailed, NoMatch, NotConfigured, OutcomeUnknown, ToolError

MEETING = Meeting("Planning", datetime(2026, 12, 1, 15, 30), 45, ("ann@example.com", "bo@example.com"))
HOSTILE = ('"quotes"', "a\r\nX: y", "../../v2/users", "\u202eleft", "🎉" * 300, "<script>", "${1} $2")


@dataclass
class Zoom:
    """A stand-in that speaks Zoom's documented API."""

    url: str = ""
    secret: str = "secret"
    lifetime: int = 3600
    answer: Response | None = None
    """Given instead of a meeting."""
    token_answer: Response | None = None
    stall: bool = False
    token_valid: bool = True
    logins: int = 0
    meetings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deleted: list[str] = field(default_factory=list[str])
    attempts: int = 0

    def token(self, request: Request) -> Response:
        self.logins += 1
        expected = "Basic " + base64.b64encode(f"client:{self.secret}".encode()).decode()
        query = dict(request.query_params)
        if self.token_answer:
            return self.token_answer
        if request.headers["authorization"] != expected or query != {
            "grant_type": "account_credentials",
            "account_id": "account",
        }:
            return JSONResponse(
                {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, 400
            )
        self.token_valid = True
        return JSONResponse(
            {"access_token": f"token-{self.logins}", "token_type": "bearer", "expires_in": self.lifetime}
        )

    async def create(self, request: Request) -> Response:
        self.attempts += 1
        if self.stall:
            await request.receive()
            await asyncio.Event().wait()
        if not self.token_valid or request.headers["authorization"] != f"Bearer token-{self.logins}":
            return JSONResponse({"code": 124, "message": "Access token is expired."}, 401)
        if self.answer:
            return self.answer
        self.meetings.append(await request.json())
        number = 1000 + len(self.meetings)
        return JSONResponse({"id": number, "join_url": f"https://us05web.zoom.us/j/{number}?pwd=x"}, 201)

    def delete(self, request: Request) -> Response:
        if request.headers["authorization"] != f"Bearer token-{self.logins}":
            return JSONResponse({"code": 124, "message": "Access token is expired."}, 401)
        if self.answer:
            return self.answer
        number = request.path_params["number"]
        if number in self.deleted or int(number) > 1000 + len(self.meetings):
            return JSONResponse({"code": 3001, "message": f"Meeting does not exist: {number}."}, 404)
        self.deleted.append(number)
        return Response(status_code=204)


@dataclass
class Service:
    """The server of all tests, and the stand-in that answers in the present one."""

    url: str
    zoom: Zoom = field(default_factory=Zoom)

    async def answer(self, request: Request) -> Response:
        match request.method, request.url.path:
            case "POST", "/oauth/token":
                return self.zoom.token(request)
            case "POST", "/v2/users/me/meetings":
                return await self.zoom.create(request)
            case _:
                return self.zoom.delete(request)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    listener = socket.create_server(("127.0.0.1", 0))
    kept = Service(f"http://127.0.0.1:{listener.getsockname()[1]}")
    app = FastAPI()
    for path, method in (
        ("/oauth/token", "POST"),
        ("/v2/users/me/meetings", "POST"),
        ("/v2/meetings/{number}", "DELETE"),
    ):
        app.add_api_route(path, kept.answer, methods=[method], response_model=None)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield kept
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def zoom(service: Service) -> Zoom:
    """A new account on the server."""
    service.zoom = Zoom(service.url)
    return service.zoom


def client(
    zoom: Zoom, secret: str = "secret", seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
) -> ZoomMeetings:
    return ZoomMeetings(
        *("account", "client", secret, "Europe/Berlin"),
        oauth_url=f"{zoom.url}/oauth/token",
        api_url=f"{zoom.url}/v2/",
        seconds=seconds,
        clock=clock,
    )


async def test_a_meeting_is_made_as_asked(zoom: Zoom) -> None:
    assert (await client(zoom).create(MEETING)).id == "https://us05web.zoom.us/j/1001?pwd=x"
    assert zoom.meetings == [
        {
            "topic": "Planning",
            "type": 2,
            "start_time": "2026-12-01T15:30:00",
            "timezone": "Europe/Berlin",
            "duration": 45,
            "settings": {"meeting_invitees": [{"email": "ann@example.com"}, {"email": "bo@example.com"}]},
        }
    ]


async def test_the_account_decides_the_zone_when_none_is_configured(zoom: Zoom) -> None:
    urls = {"oauth_url": f"{zoom.url}/oauth/token", "api_url": f"{zoom.url}/v2"}
    await ZoomMeetings("account", "client", "secret", **urls).create(MEETING)

    assert "timezone" not in zoom.meetings[0]


@pytest.mark.parametrize("topic", HOSTILE)
async def test_any_topic_arrives_on_one_line(zoom: Zoom, topic: str) -> None:
    await client(zoom).create(Meeting(topic, MEETING.start, 30, ()))

    assert zoom.meetings[0]["topic"] == " ".join(topic.split())[:200]


async def test_one_login_serves_many_meetings(zoom: Zoom) -> None:
    meetings = client(zoom)
    made = await asyncio.gather(*(meetings.create(MEETING) for _ in range(3)))

    assert len({meeting.id for meeting in made}) == 3
    assert zoom.logins == 1


async def test_a_withdrawn_token_is_renewed_once_for_a_burst_of_meetings(zoom: Zoom) -> None:
    meetings = client(zoom)
    await meetings.create(MEETING)
    zoom.token_valid = False

    await asyncio.gather(*(meetings.create(MEETING) for _ in range(6)))

    assert (zoom.logins, len(zoom.meetings)) == (2, 7)


async def test_an_expired_token_is_renewed_once_for_a_burst_of_meetings(zoom: Zoom) -> None:
    now = 1000.0
    meetings = client(zoom, clock=lambda: now)
    await meetings.create(MEETING)
    now += zoom.lifetime - 61
    await asyncio.gather(*(meetings.create(MEETING) for _ in range(3)))
    assert zoom.logins == 1
    now += 1

    await asyncio.gather(*(meetings.create(MEETING) for _ in range(6)))

    assert (zoom.logins, len(zoom.meetings), zoom.attempts) == (2, 10, 10)


async def test_a_meeting_is_deleted_again(zoom: Zoom) -> None:
    meetings = client(zoom)
    first, second = await meetings.create(MEETING), await meetings.create(MEETING)

    assert await meetings.undo(second.undo or {}) == "Deleted the Zoom meeting."

    assert zoom.deleted == ["1002"]
    assert first.undo == {"meeting": "1001"}
    with pytest.raises(NoMatch, match="gone"):
        await meetings.undo(second.undo or {})


async def test_a_meeting_is_deleted_with_a_new_token_when_the_old_one_was_withdrawn(zoom: Zoom) -> None:
    made = await client(zoom).create(MEETING)
    meetings = client(zoom)
    await meetings.create(MEETING)
    zoom.logins += 1

    await meetings.undo(made.undo or {})

    assert zoom.deleted == ["1001"]


@pytest.mark.parametrize("number", ["", "../users/me", "1001/../1002", "1001?x=1", "²", "-1", "1" * 500])
async def test_a_forged_record_deletes_no_meeting(zoom: Zoom, number: str) -> None:
    await client(zoom).create(MEETING)

    with pytest.raises(ToolError):
        await client(zoom).undo({"meeting": number})

    assert zoom.deleted == []


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_meeting_that_zoom_does_not_delete_is_an_error(zoom: Zoom, status: int) -> None:
    made = await client(zoom).create(MEETING)
    zoom.answer = JSONResponse({"code": 1, "message": "no"}, status)

    with pytest.raises(ToolError, match="delete the meeting"):
        await client(zoom).undo(made.undo or {})


async def test_a_meeting_without_a_number_cannot_be_taken_back(zoom: Zoom) -> None:
    zoom.answer = JSONResponse({"join_url": "https://us05web.zoom.us/j/1"}, 201)

    assert (await client(zoom).create(MEETING)).undo is None


async def test_a_token_about_to_expire_is_renewed(zoom: Zoom) -> None:
    zoom.lifetime = 30
    meetings = client(zoom)
    await meetings.create(MEETING)
    await meetings.create(MEETING)

    assert zoom.logins == 2


async def test_a_token_that_zoom_withdrew_is_renewed_once(zoom: Zoom) -> None:
    meetings = client(zoom)
    await meetings.create(MEETING)
    zoom.token_valid = False
    await meetings.create(MEETING)

    assert (zoom.logins, len(zoom.meetings)) == (2, 2)


async def test_wrong_credentials_are_a_matter_of_set_up(zoom: Zoom) -> None:
    with pytest.raises(NotConfigured, match="refused the credentials") as caught:
        await client(zoom, secret="wrong").create(MEETING)
    assert "zoom.client_secret" in (caught.value.hint or "")
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error", "hint"),
    [
        (JSONResponse({"code": 429}, 429, {"Retry-After": "7"}), AppFailed, "in 7 seconds"),
        (JSONResponse({"code": 429}, 429, {"Retry-After": "soon\x7f"}), AppFailed, "later"),
        (JSONResponse({"code": 300, "message": "no"}, 500), OutcomeUnknown, "whether"),
        (PlainTextResponse("down", 503), OutcomeUnknown, "whether"),
        (PlainTextResponse("no answer", 504), OutcomeUnknown, "whether"),
        (JSONResponse({"code": 300, "message": "secret detail"}, 400), AppFailed, "topic"),
        (JSONResponse({"code": 4711, "message": "scopes"}, 403), NotConfigured, "scope"),
        (JSONResponse({"code": 124}, 401), NotConfigured, "scope"),
        (PlainTextResponse("<html>", 201), OutcomeUnknown, "whether"),
        (PlainTextResponse("[1, 2", 201), OutcomeUnknown, "whether"),
        (JSONResponse([], 201), OutcomeUnknown, "whether"),
        (JSONResponse({"id": 1}, 201), OutcomeUnknown, "whether"),
        (JSONResponse({"join_url": "javascript:alert(1)"}, 201), OutcomeUnknown, "whether"),
        (JSONResponse({"join_url": "https://"}, 201), OutcomeUnknown, "whether"),
        (Response(status_code=302, headers={"Location": "https://evil.example"}), AppFailed, "topic"),
    ],
)
async def test_a_refusal_is_a_plain_error(
    zoom: Zoom, answer: Response, error: type[Exception], hint: str
) -> None:
    zoom.answer = answer

    with pytest.raises(error) as caught:
        await client(zoom).create(MEETING)
    assert hint in str(caught.value)
    assert "secret detail" not in str(caught.value)
    assert zoom.attempts <= 2


@pytest.mark.parametrize(
    "answer", [PlainTextResponse("x"), JSONResponse({}), JSONResponse({"access_token": 1})]
)
async def test_an_unreadable_login_is_a_plain_error(zoom: Zoom, answer: Response) -> None:
    zoom.token_answer = answer

    with pytest.raises(AppFailed, match="could not be read"):
        await client(zoom).create(MEETING)


async def test_a_failed_request_is_not_repeated(zoom: Zoom) -> None:
    zoom.answer = PlainTextResponse("down", 503)

    with pytest.raises(OutcomeUnknown):
        await client(zoom).create(MEETING)
    assert zoom.attempts == 1


async def test_silence_ends_at_the_deadline_and_leaves_open_what_was_done(zoom: Zoom) -> None:
    zoom.stall = True

    with pytest.raises(OutcomeUnknown, match="did not answer") as caught:
        await client(zoom, seconds=0.5).create(MEETING)
    assert "Look into Zoom" in (caught.value.hint or "")
    assert zoom.attempts == 1


async def test_a_connection_that_breaks_off_leaves_open_what_was_done() -> None:
    token = b'{"access_token": "x", "expires_in": 3600}'
    answers = [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(token), token),
        b"",
    ]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(OutcomeUnknown):
            await client(Zoom(url)).create(MEETING)


async def test_silence_at_the_login_means_that_nothing_was_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(AppFailed, match="did not answer") as caught:
            await client(Zoom(url), seconds=0.2).create(MEETING)

    assert "Nothing was done" in (caught.value.hint or "")


async def test_no_server_is_a_plain_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(AppFailed, match="connection to Zoom failed"):
        await client(Zoom(url)).create(MEETING)


@pytest.mark.parametrize("credentials", [("", "b", "c"), ("a", "", "c"), ("a", "b", "")])
async def test_without_credentials_zoom_is_unavailable(credentials: tuple[str, str, str]) -> None:
    meetings = ZoomMeetings(*credentials, "UTC")

    assert "account_id" in meetings.unavailable()
    with pytest.raises(NotConfigured):
        await meetings.create(MEETING)


async def test_demo_links_are_plainly_fake_and_differ_by_meeting() -> None:
    demo = DemoMeetings()
    other = Meeting("Other", MEETING.start, 30, ())

    assert demo.unavailable() == ""
    assert (await demo.create(MEETING)).id.startswith("https://zoom.example/j/DEMO-")
    assert await demo.create(MEETING) == await demo.create(MEETING) != await demo.create(other)
