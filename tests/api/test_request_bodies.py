"""Bodies: what a browser sends without asking, too much of it, too slowly, or no JSON at all."""

from __future__ import annotations

import asyncio
import gc
import http.client

import httpx
import pytest

from tests.api.conftest import ADMIN, PLAN, MakeApi, Serve, bearer
from tests.support.scripted import ScriptedPlanner
from tinyagent.engine.runs import RunRequest


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", None],
)
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/chat/completions", "/v1/runs/run_0/cancel"])
async def test_a_body_that_a_browser_sends_without_asking_is_refused(
    client: httpx.AsyncClient, path: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    refused(
        await client.post(path, content=b'{"query": "go"}', headers=headers), 415, "unsupported_media_type"
    )


async def test_json_with_a_charset_is_json(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await client.post("/v1/runs", content=b'{"query": "go"}', headers=headers)).status_code == 202


async def test_a_body_over_the_limit_is_413_and_one_at_the_limit_is_not(make_api: MakeApi) -> None:
    body = b'{"query": "go"}'
    api = make_api(max_json_bytes=len(body))
    headers = {"Content-Type": "application/json"}
    assert (await api.client.post("/v1/runs", content=body, headers=headers)).status_code == 202
    refused(await api.client.post("/v1/runs", content=body + b" ", headers=headers), 413, "request_too_large")


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_client_that_writes_everything_before_it_reads_learns_why_it_was_refused(
    serve: Serve, chunked: bool
) -> None:
    served = await serve()

    def post() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        headers = {**bearer(), "Content-Type": "application/json"}
        body = (b" " * 100_000 for _ in range(50)) if chunked else b" " * 5_000_000
        connection.request("POST", "/v1/runs", body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.read()

    status, text = await asyncio.to_thread(post)
    assert status == 413
    assert b"request_too_large" in text
    assert await served.api.engine.runs(1) == []


async def test_an_endless_body_is_answered_before_its_end(serve: Serve) -> None:
    served = await serve(max_json_bytes=1_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = (
        f"POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {ADMIN}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    answering = asyncio.create_task(reader.readline())
    try:
        async with asyncio.timeout(10):
            while not answering.done():
                writer.write(b"400\r\n" + b" " * 1024 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)
    except ConnectionError:
        pass
    assert b" 413 " in await answering
    writer.close()


async def test_a_body_that_stops_coming_is_not_waited_for(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyagent.api.bodies.BODY_S", 0.05)
    served = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = (
        f"POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {ADMIN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    writer.write(head.encode())
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"}}")
    assert b" 400 " in answer and b"stopped coming" in answer
    writer.close()


async def test_a_body_that_nobody_reads_and_that_never_comes_is_like_a_client_that_left(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tinyagent.api.bodies.BODY_S", 0.05)
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]))
    run = await served.api.engine.start(RunRequest("go"))
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = (
        f"GET /v1/runs/{run.run}/events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Authorization: Bearer {ADMIN}\r\nContent-Length: 100\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(10):
        assert b"run.created" in await reader.read()
    gc.collect()
    assert "never retrieved" not in caplog.text
    writer.close()
    gate.set()


async def test_a_body_that_comes_steadily_has_an_end_too(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyagent.api.bodies.WHOLE_BODY_S", 0.2)
    served = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = (
        f"POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {ADMIN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    )
    writer.write(head.encode())
    answering = asyncio.create_task(reader.readuntil(b"}}"))
    async with asyncio.timeout(10):
        while not answering.done():
            writer.write(b" ")
            await asyncio.sleep(0.01)
    assert b" 400 " in await answering and b"0.2 in all" in answering.result()
    assert await served.api.engine.runs(1) == []
    writer.close()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "character 1"),
        (b'{"query": }', "character 10"),
        (b"", "body"),
        (b"[]", "body"),
        (b'"go"', "body"),
        (b"null", "body"),
        (b'{"query": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "body"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/chat/completions"])
async def test_a_body_that_is_no_json_object_is_refused_with_the_place(
    client: httpx.AsyncClient, path: str, body: bytes, where: str
) -> None:
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    refused(answer, 400, "invalid_request")
    assert where in answer.json()["error"]["message"]
