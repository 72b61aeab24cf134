"""DNS rebinding: a page's own name leads to this address, and the browser takes the server for the page's."""

from __future__ import annotations

import socket

import pytest

from tests.security.wire import exchange, request
from tests.support.server import Server

PATHS = ("/v1/models", "/healthz", "/nowhere")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:",
        "127.0.0.1:0{port}",
        "127.0.0.1:{port}, evil.example",
        "127.0.0.1:{port} evil.example",
        "127.0.0.1.:{port}",
        "127.1:{port}",
        "2130706433:{port}",
        "0x7f000001:{port}",
        "0.0.0.0:{port}",
        "0:{port}",
        "127.0.0.2:{port}",
        "10.0.0.1:{port}",
        "169.254.169.254:{port}",
        "localhost",
        "localhost.:{port}",
        "localhost.localdomain:{port}",
        "anything.localhost:{port}",
        "printer.local:{port}",
        "host.docker.internal:{port}",
        "[::1]",
        "[::]:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "::1:{port}",
        "user@127.0.0.1:{port}",
        "127.0.0.1:{port}@evil.example",
        "http://127.0.0.1:{port}",
        "127.0.0.1:{port}/",
        "127.0.0.1:{port}#",
        "",
        " ",
        "\xe9vil.example:{port}",
    ],
)
def test_another_name_is_refused_even_with_the_right_token(server: Server, host: str) -> None:
    for path in PATHS:
        sent = request(server, f"GET {path} HTTP/1.1", host=host.format(port=server.port))
        assert exchange(server, sent).status == 421


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_names_of_this_computer_are_its_own(server: Server, host: str) -> None:
    assert exchange(server, request(server, host=host.format(port=server.port))).status == 200


def test_no_host_or_two_are_refused_in_every_version_of_http(server: Server) -> None:
    own = f"Host: 127.0.0.1:{server.port}"
    assert exchange(server, request(server, host=None)).status == 400
    assert exchange(server, request(server, "GET /v1/models HTTP/1.0", host=None)).status == 421
    assert exchange(server, request(server, "GET /v1/models HTTP/1.1", own)).status == 400
    assert (
        exchange(server, request(server, "GET /v1/models HTTP/1.1", own, host="evil.example")).status == 400
    )


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Host: {own}", "Forwarded: host={own}", "X-Host: {own}", "X-Forwarded-For: 127.0.0.1"],
)
def test_no_other_header_speaks_for_the_host(server: Server, header: str) -> None:
    own = header.format(own=f"127.0.0.1:{server.port}")
    assert (
        exchange(server, request(server, "GET /v1/models HTTP/1.1", own, host="evil.example")).status == 421
    )


def test_the_server_listens_on_loopback_alone(server: Server) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", server.port))  # would be taken if it listened on every address
