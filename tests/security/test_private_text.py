"""Where nothing private may be seen: logs of every level, other programs, caches, files for others."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.security.used import ADDRESS, REQUESTS, WORD, fill
from tests.security.wire import exchange, json_body, post, request
from tests.support.server import Server
from tinyagent.api.app import create_app
from tinyagent.bootstrap import open_service
from tinyagent.cli.app import app
from tinyagent.daemon import security
from tinyagent.home import read_token
from tinyagent.settings import load_settings

PRIVATE = (WORD, "Quuxberry", "wilhelmina", "5550142")


def private_in(text: str) -> list[str]:
    return [word for word in PRIVATE if word.lower() in text.lower()]


def test_the_requests_were_understood(used: Server) -> None:
    """Or their words could be in no log anyway."""
    with used.client() as client:
        runs = [client.get(f"/v1/runs/{run['run']}").json() for run in client.get("/v1/runs").json()["data"]]
    assert any(ADDRESS in run["answer"] for run in runs), [run["answer"] for run in runs]
    files = [path for path in (used.home / "data").rglob("*") if path.is_file()]
    assert any(WORD in path.read_text(errors="replace") for path in files)


def test_no_private_text_is_in_the_servers_log(used: Server) -> None:
    assert private_in(used.log.read_text()) == []


def test_private_text_is_only_where_it_belongs_and_only_for_its_owner(used: Server) -> None:
    assert stat.S_IMODE((used.home / "data").stat().st_mode) == 0o700
    for path in used.home.rglob("*"):
        if path == used.log or path.is_dir() or path.is_relative_to(used.home / "documents"):
            continue
        if not path.is_relative_to(used.home / "data") and not path.name.startswith("journal.sqlite3"):
            assert private_in(path.read_bytes().decode("latin-1")) == [], path


async def test_no_private_text_is_logged_at_any_level_by_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same in this process, with every library as talkative as it can be."""
    caplog.set_level(logging.DEBUG)
    fill(tmp_path)
    settings = load_settings(home=tmp_path, apps="portable", folders=[tmp_path / "documents"])
    token = read_token(settings)
    async with open_service(settings) as service:
        transport = httpx.ASGITransport(create_app(service, security(settings, 8765, token)))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8765", headers=headers, timeout=120
        ) as client:
            caplog.clear()
            for query in REQUESTS[:4]:
                body = {"model": "tinyagent", "messages": [{"role": "user", "content": query}]}
                await client.post("/v1/chat/completions", json=body)
            await client.get(f"/v1/runs/{WORD}%0a%1b%5b31mforged")
    own = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    for record in own:
        assert private_in(record.getMessage()) == [], record
        assert token not in record.getMessage()
        assert record.getMessage().isprintable() or record.name == "asyncio", record


# --- tokens ----------------------------------------------------------------------------------


def test_the_token_is_in_no_log_answer_or_command_line(used: Server) -> None:
    token = used.token
    wrong = [
        request(used, f"GET /v1/models?token={token} HTTP/1.1", token=None),
        request(used, f"GET /v1/models?access_token={token} HTTP/1.1"),
        request(used, f"GET /{token} HTTP/1.1"),
        request(used, f"GET /v1/runs/{token} HTTP/1.1", token=None),
        request(used, "GET /v1/models HTTP/1.1", f"Authorization: Basic {token}", token=None),
        request(used, "GET /v1/models HTTP/1.1", f"Authorization: {token}", token=None),
        request(used, "GET /v1/models HTTP/1.1", host="evil.example"),
        request(used, "GET /v1/models HTTP/1.1", "Origin: null"),
        request(used, "TRACE /v1/models HTTP/1.1"),
        request(used, post(), *json_body("{")[:2], body=b"{"),
        request(used, "GET /openapi.json HTTP/1.1"),
        f"GET / garbage {token}\r\n\r\n".encode(),
    ]
    for sent in wrong:
        answer = exchange(used, sent)
        assert token not in str(answer.headers)
        assert token.encode() not in answer.body, sent
    assert token not in used.log.read_text()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert token.encode() not in process.read_bytes()
        except OSError:
            continue


def test_a_token_in_the_address_is_refused(used: Server) -> None:
    sent = request(used, f"GET /v1/models?token={used.token} HTTP/1.1", token=None)
    assert exchange(used, sent).status == 401
    sent = request(used, f"GET /v1/models?token={used.token} HTTP/1.1")
    assert exchange(used, sent).status == 400


def test_commands_show_the_token_only_where_it_is_asked_for(used: Server) -> None:
    environment = {"TINYAGENT_HOME": str(used.home), "TINYAGENT_URL": used.url}
    for command in ("models list", "runs list", "doctor", "audit list", "token --path"):
        shown = CliRunner().invoke(app, command.split(), env=environment)
        assert shown.exit_code == 0 or command == "doctor", shown.stderr
        assert used.token not in shown.stdout + shown.stderr, command
    wrong = "a-wrong-token-of-mine"
    refused = CliRunner().invoke(app, ["runs", "list"], env={**environment, "TINYAGENT_TOKEN": wrong})
    assert refused.exit_code == 1
    assert wrong not in refused.stdout + refused.stderr


# --- caches ----------------------------------------------------------------------------------


def test_every_answer_of_every_route_is_kept_out_of_caches(used: Server) -> None:
    with used.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
        run = client.get("/v1/runs").json()["data"][0]["run"]
    headers = (*json_body("{")[:2], "Last-Event-ID: 99999")
    checked = 0
    for path, methods in paths.items():
        target = path.replace("{run}", run).replace("{task}", "1").replace("{model}", "tinyagent")
        for method in methods:
            for token in ("own", None, "wrong-token-of-some-length"):
                line = f"{method.upper()} {target} HTTP/1.1"
                answer = exchange(used, request(used, line, *headers, body=b"{", token=token))
                assert answer.headers["cache-control"] == "no-store", line
                assert "etag" not in answer.headers
                checked += 1
    assert checked > 60
