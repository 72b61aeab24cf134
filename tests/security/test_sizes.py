"""Too much of anything: heads, bodies, nesting, numbers. The server answers and stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.wire import JSON, connect, exchange, json_body, post, read_answer, request
from tests.support.server import Server

LIMIT = 2_000_000


def memory_kib(server: Server) -> int:
    """What the server's process holds in memory now."""
    statm = Path(f"/proc/{server.process.pid}/statm")
    if not statm.exists():
        pytest.skip("this system does not tell how much memory a process holds")
    return int(statm.read_text().split()[1]) * 4


def test_a_head_over_the_limit_is_refused(server: Server) -> None:
    for headers in (
        ["X-A: " + "a" * 20_000],
        ["X-A: " + "a" * 1_000_000],
        [f"X-{number}: a" for number in range(150)],
        ["a:"] * 4_000,
        ["Authorization: Bearer x"] * 150,
    ):
        assert exchange(server, request(server, "GET /healthz HTTP/1.1", *headers)).status in (400, 413)


def test_a_target_over_the_limit_is_refused(server: Server) -> None:
    assert exchange(server, request(server, f"GET /{'a' * 200_000} HTTP/1.1")).status in (400, 404)
    assert exchange(server, request(server, f"GET /v1/runs?{'a=1&' * 50_000} HTTP/1.1")).status == 400


def test_usual_heads_pass(server: Server) -> None:
    headers = ["Cookie: " + "a" * 4_000, *(f"X-{number}: a" for number in range(40))]
    assert exchange(server, request(server, "GET /healthz HTTP/1.1", *headers)).status == 200


@pytest.mark.parametrize("length", [LIMIT + 1, 10**12, 10**19])
def test_a_body_that_is_declared_too_long_is_refused_unread(server: Server, length: int) -> None:
    answer = exchange(server, request(server, post(), JSON, f"Content-Length: {length}"))
    assert (answer.status, answer.code) == (413, "request_too_large")


def test_a_chunked_body_is_counted_as_it_comes_and_never_held_whole(server: Server) -> None:
    before = memory_kib(server)
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with connect(server) as connection:
        connection.sendall(request(server, post(), JSON, "Transfer-Encoding: chunked"))
        for _ in range(400):  # 26 MB
            connection.sendall(piece)
        connection.sendall(b"0\r\n\r\n")
        assert read_answer(connection).status == 413
    assert memory_kib(server) - before < 20_000


@pytest.mark.parametrize("chunk", [1, 7])
def test_many_tiny_chunks_are_one_body(server: Server, chunk: int) -> None:
    body = b'{"query": "go", "mode": "plan"}'
    pieces = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    sent = request(server, post(), JSON, "Transfer-Encoding: chunked", body=chunks + b"0\r\n\r\n")
    assert exchange(server, sent).status == 202


def test_trailers_cannot_grow_without_end(server: Server) -> None:
    trailers = b"0\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)) + b"\r\n"
    sent = request(server, post(), JSON, "Transfer-Encoding: chunked", body=trailers)
    assert exchange(server, sent).status == 400


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000,
        '{"query":' * 100_000,
        '{"query": ' + "9" * 100_000 + "}",
        '{"query": 1e999999}',
        '{"query": "' + "a" * 100_000 + '"}',
        '{"query": "go", "' + "k" * 100_000 + '": 1}',
        '{"query": "go", "now": "' + "1" * 10_000 + '"}',
        '{"query": NaN}',
        '{"query": "a", "query": 1}',
        "{" + ",".join(f'"k{number}": 1' for number in range(50_000)) + "}",
    ],
    ids=lambda text: str(text)[:24],
)
def test_json_that_is_meant_to_hurt_is_refused_in_words(server: Server, text: str) -> None:
    content_type, length, body = json_body(text)
    answer = exchange(server, request(server, post(), content_type, length, body=body))
    assert 400 <= answer.status < 500, answer
    assert len(answer.body) < 5_000


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "1.5", "1e3", "\u0661", "0x1", ""])
def test_a_task_is_a_small_number(server: Server, number: str) -> None:
    path = f"/v1/runs/run_0/tasks/{number.encode().hex() if not number.isascii() else number}/undo"
    answer = exchange(server, request(server, post(path), "Content-Length: 0"))
    assert answer.status in (400, 404)
