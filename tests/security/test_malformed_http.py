"""Requests that are no HTTP, or HTTP that two readers may read differently: one answer, then silence."""

from __future__ import annotations

import re

import pytest

from tests.security.wire import JSON, connect, ended, exchange, post, read_answer, request
from tests.support.server import Server

START = b'{"query": "go", "mode": "plan"}'


def runs(server: Server) -> list[str]:
    with server.client() as client:
        return [run["run"] for run in client.get("/v1/runs", params={"limit": 100}).json()["data"]]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\x00\x00\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\n\r\n",
        b"GET /he althz HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"*3\r\n$3\r\nSET\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_one_answer_in_the_shape_of_all_failures(server: Server, garbage: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(garbage)
        answer = read_answer(connection)
        assert ended(connection)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    ["Host : x", "X Y: z", "X-A\x00: z", "X-A: a\x00b", "X-A: a\rb", ": empty", "no colon"],
)
def test_headers_with_forbidden_characters_are_refused(server: Server, header: str) -> None:
    assert exchange(server, request(server, "GET /healthz HTTP/1.1", header)).status == 400


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/v1/models",
        "http://127.0.0.1/v1/models",
        "https://evil.example/healthz",
        "evil.example:443",
        "*",
        "v1/models",
        "?",
        "file:///etc/passwd",
    ],
)
def test_a_target_that_is_no_path_is_refused(server: Server, target: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = exchange(server, request(server, f"{method} {target} HTTP/1.1"))
        assert (answer.status, answer.code) == (400, "invalid_request")


def test_the_server_is_no_proxy(server: Server) -> None:
    answer = exchange(server, request(server, "CONNECT evil.example:443 HTTP/1.1"))
    assert answer.status == 400


@pytest.mark.parametrize("method", ["HEAD", "TRACE", "PUT", "PATCH", "PROPFIND", "DEBUG", "get", "X"])
def test_other_methods_do_nothing_and_echo_nothing(server: Server, method: str) -> None:
    sent = request(server, f"{method} /v1/runs HTTP/1.1", "X-Echo: only-in-the-request")
    answer = exchange(server, sent)
    assert answer.status == 405
    assert b"only-in-the-request" not in answer.body
    assert server.token.encode() not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 31", "Content-Length: 30"),
        ("Content-Length: 31", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 0"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Content-Length: +31",),
        ("Content-Length: 0x1f",),
        ("Content-Length: 31, 31, 30",),
        ("Content-Length: -1",),
        ("Content-Length: " + "9" * 5_000,),
        ("Content-Length: ",),
    ],
)
def test_a_body_whose_length_can_be_read_in_two_ways_starts_nothing(
    server: Server, headers: tuple[str, ...]
) -> None:
    before = runs(server)
    sent = request(server, post(), JSON, *headers, body=START)
    assert exchange(server, sent).status in (400, 413)
    assert runs(server) == before


def test_a_request_hidden_behind_a_body_is_not_carried_out(server: Server) -> None:
    """What a front server would forward as one request is one here, too: nothing is smuggled in."""
    before = runs(server)
    hidden = request(server, post(), JSON, f"Content-Length: {len(START)}", body=START)
    for lengths in (
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 400"),
    ):
        with connect(server) as connection:
            connection.sendall(request(server, post(), JSON, *lengths, body=b"0\r\n\r\n" + hidden))
            assert read_answer(connection).status == 400
            assert ended(connection)
    assert runs(server) == before


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"-1\r\n", b"ffffffffffffffffffffffff\r\n", b"2\r\n{}xx0\r\n"])
def test_broken_chunks_are_refused(server: Server, chunks: bytes) -> None:
    sent = request(server, post(), JSON, "Transfer-Encoding: chunked", body=chunks + b"\r\n\r\n")
    assert exchange(server, sent).status == 400


def test_a_body_that_ends_in_the_middle_of_a_chunk_starts_nothing(server: Server) -> None:
    before = runs(server)
    with connect(server) as connection:
        connection.sendall(
            request(server, post(), JSON, "Transfer-Encoding: chunked", body=b"1f\r\n" + START[:9])
        )
        connection.shutdown(1)
        assert ended(connection)
    assert runs(server) == before


def test_requests_in_one_go_are_answered_in_their_order_up_to_the_first_that_is_none(server: Server) -> None:
    good = request(server, "GET /healthz HTTP/1.1")
    wrong = request(server, "GET /v1/models HTTP/1.1", host="evil.example")
    with connect(server) as connection:
        connection.sendall(good + wrong + good + b"garbage\r\n\r\n" + good)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"421", b"200", b"400"]


def test_a_client_that_asks_whether_it_may_send_learns_no_before_it_does(server: Server) -> None:
    headers = (JSON, "Content-Length: 31", "Expect: 100-continue")
    refused = exchange(server, request(server, post(), *headers, host="evil.example"))
    assert refused.status == 421
    with connect(server) as connection:
        connection.sendall(request(server, post(), *headers))
        assert connection.recv(64).startswith(b"HTTP/1.1 100 ")
        connection.sendall(START)
        assert read_answer(connection).status == 202


def test_a_range_is_not_served(server: Server) -> None:
    answer = exchange(server, request(server, "GET /v1/models HTTP/1.1", "Range: bytes=0-0,-1"))
    assert (answer.status, "content-range" in answer.headers) == (200, False)


@pytest.mark.parametrize(
    "encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, gzip", "identity, gzip"]
)
def test_compressed_bodies_are_refused_before_anything_is_unpacked(server: Server, encoding: str) -> None:
    headers = (JSON, f"Content-Encoding: {encoding}", "Content-Length: 31")
    answer = exchange(server, request(server, post(), *headers, body=START))
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/runs/a%00b",
        "/v1/runs/a%0d%0aSet-Cookie:%20x=y",
        "/v1/runs/a%0aWARNING:%20forged",
        "/v1/runs/%1b%5b2J",
        "/v1/runs/%c2%9b31m",
        "/v1/runs/%e2%80%a8line",
        "/healthz%00",
    ],
)
def test_control_characters_in_a_path_are_refused_and_reach_no_header_and_no_log(
    server: Server, path: str
) -> None:
    answer = exchange(server, request(server, f"GET {path} HTTP/1.1"))
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "set-cookie" not in answer.headers
    log = server.log.read_bytes()
    assert b"forged" not in log
    assert b"\x1b" not in log


@pytest.mark.parametrize(
    "query", ["before=a%00b", "before=%0d%0aX:y", "before=%ff", "%00=1", "limit=%00", "limit=1e9"]
)
def test_odd_queries_are_an_answer_in_words_or_an_empty_list(server: Server, query: str) -> None:
    answer = exchange(server, request(server, f"GET /v1/runs?{query} HTTP/1.1"))
    assert answer.status in (200, 400)
    assert "\n" not in "".join(answer.headers.values())


@pytest.mark.parametrize(
    "path",
    [
        "/v1/runs/..",
        "/v1/runs/../runs",
        "/v1/runs/../../healthz",
        "/v1/runs/%2e%2e",
        "/v1/runs/%2e%2e%2f%2e%2e%2fhealthz",
        "/v1/runs/..%5c..%5ctoken",
        "/v1/runs/%252e%252e%252ftoken",
        "/v1/runs/....//token",
        "/v1/runs/%2ftoken",
        "/v1/runs/~",
        "/v1//runs",
        "//healthz",
        "/v1/models/..%2f..%2ftoken",
        "/token",
        "/.git/config",
        "/v1/runs/" + "a" * 8_000,
        "/v1/runs/%ff%fe",
        "/v1/runs/'%20OR%20'1'='1",
        "/v1/runs/%25",
    ],
)
def test_no_path_leads_anywhere_else(server: Server, path: str) -> None:
    answer = exchange(server, request(server, f"GET {path} HTTP/1.1"))
    assert (answer.status, answer.error["type"]) == (404, "not_found_error")
    assert exchange(server, request(server, f"GET {path} HTTP/1.1", token=None)).status == 401


@pytest.mark.parametrize("key", ["", "a" * 256, "a" * 5_000])
def test_an_idempotency_key_has_a_bounded_length(server: Server, key: str) -> None:
    headers = (JSON, f"Content-Length: {len(START)}", f"Idempotency-Key: {key}")
    answer = exchange(server, request(server, post(), *headers, body=START))
    assert (answer.status, answer.code) == (400, "invalid_request")


@pytest.mark.parametrize(
    "key", ["a\r\nX-Injected: yes", "a\tb", "'; DROP TABLE events; --", "\xff\xfe", "../../token"]
)
def test_an_idempotency_key_is_data_and_comes_back_in_no_header(server: Server, key: str) -> None:
    headers = (JSON, f"Content-Length: {len(START)}", f"Idempotency-Key: {key}")
    answer = exchange(server, request(server, post(), *headers, body=START))
    assert answer.status == 202
    assert "x-injected" not in answer.headers
    assert key not in "".join(answer.headers.values())
