"""The client against a server of this test's own, which may drop connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.unit.cli.runs import good_run
from tinyagent import client as client_module
from tinyagent.client import Client
from tinyagent.domain.events import EVENT, Event
from tinyagent.errors import (
    Ambiguous,
    InvalidRequest,
    NotFound,
    ServerUnreachable,
    StorageFull,
    TinyAgentError,
    Unauthorized,
)

Answer = Callable[[str, dict[str, str]], bytes]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """Serve bytes as they are: `answer` gets the request line and the headers."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers.get("content-length", 0)))
        writer.write(answer(head[0], headers))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def reply(status: int, body: object, kind: str = "application/json") -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    return f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{text}".encode()


def frames(events: list[Event]) -> str:
    return "".join(
        f"event: {event.type}\nid: {event.seq}\ndata: {EVENT.dump_json(event).decode()}\n\n"
        for event in events
    )


async def followed(url: str) -> list[Event]:
    async with Client(url, "secret") as client:
        return [event async for event in client.events("run_1")]


async def test_a_broken_stream_is_taken_up_where_it_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RECONNECT_WAITS_S", (0.0, 0.0))
    events = good_run().events
    asked: list[int] = []

    def answer(line: str, headers: dict[str, str]) -> bytes:
        after = int(headers.get("last-event-id", 0))
        asked.append(after)
        return reply(200, ": ping\n\n" + frames(events[after : after + 4]), "text/event-stream")

    async with serving(answer) as url:
        assert await followed(url) == events
    assert asked == [0, 4, 8]


async def test_a_failure_of_the_server_in_the_middle_of_a_stream_is_its_error() -> None:
    body = {"error": {"message": "The disk is full.", "code": "storage_full", "param": None}}

    def answer(line: str, headers: dict[str, str]) -> bytes:
        text = frames(good_run().events[:2]) + f"event: error\ndata: {json.dumps(body)}\n\n"
        return reply(200, text, "text/event-stream")

    async with serving(answer) as url:
        with pytest.raises(StorageFull, match="The disk is full"):
            await followed(url)


async def test_a_stream_that_never_goes_on_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RECONNECT_WAITS_S", (0.0, 0.0))

    def answer(line: str, headers: dict[str, str]) -> bytes:
        after = int(headers.get("last-event-id", 0))
        return reply(200, frames(good_run().events[after:2]), "text/event-stream")

    async with serving(answer) as url:
        with pytest.raises(ServerUnreachable, match="tinyagent runs show run_1"):
            await followed(url)


@pytest.mark.parametrize(
    ("status", "body", "expected", "message"),
    [
        (404, {"error": {"code": "not_found", "message": "There is no run."}}, NotFound, "There is no run."),
        (
            422,
            {"error": {"code": "ambiguous", "message": "Two match.", "candidates": ["a", "b"]}},
            Ambiguous,
            "Two match.",
        ),
        (
            401,
            {"error": {"code": "unauthorized", "message": "No."}},
            Unauthorized,
            "does not accept this token",
        ),
        (500, {"error": {"code": "from_the_future", "message": "New."}}, TinyAgentError, "New."),
        (502, {}, TinyAgentError, "status 502"),
        (502, "<html>", ServerUnreachable, "no tinyagent server"),
        (200, "[1]", ServerUnreachable, "no tinyagent server"),
    ],
)
async def test_an_error_keeps_its_kind(
    status: int, body: object, expected: type[TinyAgentError], message: str
) -> None:
    async with serving(lambda line, headers: reply(status, body)) as url, Client(url, None) as client:
        with pytest.raises(expected, match=message) as caught:
            await client.run("run_1")
    assert type(caught.value) is expected


async def test_a_refused_event_stream_tells_the_servers_reason() -> None:
    body = {"error": {"code": "not_found", "message": "There is no run."}}
    async with serving(lambda line, headers: reply(404, body)) as url:
        with pytest.raises(NotFound):
            await followed(url)


async def test_starting_a_run_presents_the_token_and_a_key() -> None:
    seen: list[dict[str, str]] = []

    def answer(line: str, headers: dict[str, str]) -> bytes:
        seen.append({**headers, "line": line})
        return reply(202, {"run": "run_7"})

    async with serving(answer) as url, Client(url + "/", "Secret") as client:
        assert await client.start("text Ann") == "run_7"
    assert seen[0]["line"] == "POST /v1/runs HTTP/1.1"
    assert seen[0]["authorization"] == "bearer secret"
    assert len(seen[0]["idempotency-key"]) == 32


async def test_the_state_holds_what_was_taken_back_after_the_end() -> None:
    script = good_run()
    script.undone(2, "The draft was deleted.")

    def answer(line: str, headers: dict[str, str]) -> bytes:
        if "/events" not in line:
            return reply(200, {"last_seq": len(script.events)})
        return reply(200, frames(script.events[int(headers.get("last-event-id", 0)) :]), "text/event-stream")

    async with serving(answer) as url, Client(url, None) as client:
        assert await client.state("run_1") == script.state


async def test_nobody_at_the_address_is_said_with_what_to_do() -> None:
    async with serving(lambda line, headers: b"") as url:
        pass
    async with Client(url, None) as client:
        assert not await client.alive()
        with pytest.raises(ServerUnreachable, match="tinyagent serve"):
            await client.start("text Ann")
        with pytest.raises(ServerUnreachable, match="No server answers"):
            await followed(url)


async def test_another_kind_of_server_is_not_alive() -> None:
    async with (
        serving(lambda line, headers: reply(200, "hello", "text/plain")) as url,
        Client(url, None) as client,
    ):
        assert not await client.alive()


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with (
        serving(lambda line, headers: reply(200, {"status": "ok"})) as url,
        Client(url, None) as client,
    ):
        assert await client.alive()


@pytest.mark.parametrize(
    "url", ["", "foo", "ftp://x", "http://", "http://[::1", "http://127.0.0.1:99999", "http://x:y"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="no address of a server"):
        Client(url, None)


@pytest.mark.parametrize("token", ["voilà-un-mot-secret", "two\nlines", "a\x00b"])
def test_a_token_that_no_request_can_send_is_said_to_be_one(token: str) -> None:
    with pytest.raises(InvalidRequest, match="no request can send") as refused:
        Client("http://127.0.0.1:8765", token)
    assert token not in str(refused.value)


async def test_another_kind_of_server_is_said_to_be_one_whatever_is_asked_of_it() -> None:
    async with serving(lambda line, headers: reply(200, {})) as url, Client(url, "secret") as client:
        for asked in (
            lambda: client.start("go"),
            lambda: client.runs(3),
            lambda: client.state("run_1"),
            lambda: client.undo("run_1", None),
            client.parameters,
        ):
            with pytest.raises(ServerUnreachable, match="no tinyagent server"):
                await asked()


async def test_an_event_of_a_later_version_is_said_to_be_one() -> None:
    stream = 'event: run.dreamt\nid: 1\ndata: {"type": "run.dreamt", "private": "words"}\n\n'
    async with serving(lambda line, headers: reply(200, stream, "text/event-stream")) as url:
        with pytest.raises(ServerUnreachable, match="another version") as told:
            await followed(url)
    assert "words" not in str(told.value)
