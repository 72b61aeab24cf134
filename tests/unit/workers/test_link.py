"""What a worker says of a server that gives no answer."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.support.server import free_port
from tinyagent.errors import ServerUnreachable
from tinyagent.workers import link as links
from tinyagent.workers.link import Link
from tinyagent.workers.wire import new_worker


async def told(url: str) -> str:
    link = Link(url, "token", new_worker("mac"))
    try:
        with pytest.raises(ServerUnreachable) as caught:
            await link.heartbeat("job")
    finally:
        await link.close()
    return caught.value.message


async def test_a_server_that_is_not_there_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert await told(url) == f"Nothing answers at {url}."


@pytest.mark.parametrize(
    ("ends", "sentence"), [(True, "The connection to {} broke off."), (False, "{} did not answer in time.")]
)
async def test_a_server_that_says_nothing_is_told_from_one_that_breaks_off(
    monkeypatch: pytest.MonkeyPatch, ends: bool, sentence: str
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if not ends:
            await reader.read()
        writer.close()

    monkeypatch.setattr(links, "ANSWER_S", 0.2)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await told(url) == sentence.format(url)


async def test_an_answer_that_never_ends_is_not_waited_for() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        link = Link(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "token", new_worker("mac"))
        with pytest.raises(ServerUnreachable, match="did not answer in time"):
            await asyncio.wait_for(link.heartbeat("job", 0.2), 10)
        await link.close()
