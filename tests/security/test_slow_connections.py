"""Clients that are slow on purpose, or many: none holds the server up, and none waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn

from tests.security.wire import JSON, connect, ended, exchange, post, read_answer, request
from tests.support.scripted import until
from tests.support.server import Server
from tinyagent.daemon import server_config

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


class Place:
    """A small application behind the server's own HTTP, and what came of its requests."""

    def __init__(self) -> None:
        self.reads_body = False
        self.answer = b"ok"
        self.left = 0
        self.port = 0
        self.connections: Callable[[], int] = lambda: 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while self.reads_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left += 1
                return
            if not message.get("more_body"):
                break
        length = str(len(self.answer)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": self.answer})

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Place]:
    """Serves in this loop, without touching the signals of this process."""
    place = Place()
    listener = socket.create_server(("127.0.0.1", 0))
    place.port = listener.getsockname()[1]
    server = uvicorn.Server(server_config(place))
    place.connections = lambda: len(server.server_state.connections)
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(
            server, "capture_signals", contextlib.nullcontext
        )
        task = asyncio.create_task(server.serve([listener]))
        await until(lambda: server.started, "the server listens")
        yield place
        server.should_exit = True
        await task


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with serving() as place:
        yield place


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed, however that is."""
    received = b""
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                received += piece
    return received


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyagent.api.slow_clients.HEAD_S", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_says_nothing_is_closed(place: Place) -> None:
    reader, writer = await place.connect()
    assert await rest(reader) == b""
    writer.close()


@pytest.mark.usefixtures("impatient")
async def test_a_head_that_comes_byte_by_byte_is_given_up_however_steadily_it_comes(place: Place) -> None:
    reader, writer = await place.connect()
    ending = asyncio.create_task(rest(reader))
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
    with contextlib.suppress(ConnectionError):
        while not ending.done():
            writer.write(b"X")
            await writer.drain()
            await asyncio.sleep(0.02)
    answer = await ending
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"No complete request came" in answer
    writer.close()


@pytest.mark.usefixtures("impatient")
async def test_the_second_head_of_a_connection_has_no_more_time_than_the_first(place: Place) -> None:
    reader, writer = await place.connect()
    writer.write(HELLO)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    writer.write(HELLO[:10])
    assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")
    writer.close()


@pytest.mark.usefixtures("impatient")
async def test_the_rest_of_a_body_that_was_answered_already_is_not_waited_for(place: Place) -> None:
    reader, writer = await place.connect()
    writer.write(UPLOAD)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    ending = asyncio.create_task(rest(reader))
    with contextlib.suppress(ConnectionError):
        while not ending.done():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
    assert await ending == b""
    writer.close()


@pytest.mark.usefixtures("impatient")
async def test_a_complete_request_may_take_its_time(place: Place) -> None:
    place.reads_body = True
    reader, writer = await place.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n")
    for _ in range(8):
        await asyncio.sleep(0.06)
        writer.write(b"x")
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_an_idle_connection_is_closed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyagent.daemon.IDLE_S", 0.2)
    async with serving() as place:
        reader, writer = await place.connect()
        writer.write(HELLO)
        assert (await rest(reader)).endswith(b"ok")
        writer.close()


async def test_no_more_connections_are_taken_than_set_and_later_ones_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyagent.api.slow_clients.MAX_CONNECTIONS", 5)
    held = [await place.connect() for _ in range(5)]
    for reader, writer in held:
        writer.write(HELLO)
        await reader.readuntil(b"ok")
    reader, writer = await place.connect()
    answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"retry-after: 2" in answer
    writer.close()
    for _, each in held:
        each.close()
        await each.wait_closed()

    async def served() -> bool:
        reader, writer = await place.connect()
        try:
            writer.write(HELLO)
            return (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        except ConnectionError:
            return False
        finally:
            writer.close()

    async with asyncio.timeout(10):
        while not await served():
            await asyncio.sleep(0.01)


async def test_who_works_at_a_request_learns_that_its_body_broke_off(place: Place) -> None:
    place.reads_body = True
    reader, writer = await place.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
    assert (await rest(reader)).startswith(b"HTTP/1.1 400 ")
    await until(lambda: place.left == 1, "the application is told")
    writer.close()


async def test_who_does_not_read_what_was_asked_for_is_not_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyagent.api.slow_clients.READ_S", 0.1)
    place.answer = b"x" * 50_000_000
    with socket.create_connection(("127.0.0.1", place.port)) as deaf:
        deaf.sendall(HELLO)
        await until(lambda: place.connections() == 1, "it is connected")
        await until(lambda: place.connections() == 0, "it is given up")


async def test_a_slow_reader_gets_everything(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyagent.api.slow_clients.READ_S", 5.0)
    place.answer = b"x" * 20_000_000
    reader, writer = await place.connect()
    writer.write(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert (await rest(reader)).endswith(b"\r\n\r\n" + place.answer)
    writer.close()


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
async def test_an_answer_arrives_though_the_client_still_sends_what_nobody_reads(
    place: Place, connection: str
) -> None:
    def upload() -> bytes:
        """As plain programs do it: first send everything, then look for an answer."""
        client = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
        client.request("POST", "/", b"x" * 8_000_000, {"Connection": connection})
        answer = client.getresponse().read()
        client.close()
        return answer

    assert await asyncio.to_thread(upload) == b"ok"
    await until(lambda: place.connections() == 0, "the connection is closed")


async def test_who_goes_on_sending_after_the_last_answer_is_cut_off(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyagent.api.closing.CLOSE_S", 0.1)
    reader, writer = await place.connect()
    writer.write(UPLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert (await rest(reader)).endswith(b"ok")
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(20):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)
    assert place.connections() == 0


async def test_a_stopping_server_does_not_wait_for_those_who_got_their_last_answer() -> None:
    async with serving() as place:
        reader, writer = await place.connect()
        writer.write(UPLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert (await rest(reader)).endswith(b"ok")
        assert place.connections() == 1
    assert place.connections() == 0
    writer.close()


# --- a real server ---------------------------------------------------------------------------


def test_a_real_server_serves_others_while_it_waits_for_slow_ones_and_ends_them(server: Server) -> None:
    silent, begun, uploading = connect(server), connect(server), connect(server)
    begun.sendall(b"GET /healthz HTTP/1.1\r\nHo")
    uploading.sendall(request(server, post(), JSON, "Content-Length: 1000", token="wrong"))
    many = [connect(server) for _ in range(100)]
    assert exchange(server, request(server)).status == 200
    assert read_answer(uploading).status == 401
    assert read_answer(begun).status == 408
    for connection in (silent, begun, uploading, *many):
        assert ended(connection)
        connection.close()
    assert exchange(server, request(server)).status == 200
