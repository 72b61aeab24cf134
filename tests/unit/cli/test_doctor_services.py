"""What the doctor finds of the model that writes and of the workers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import free_port
from tinyagent.cli import checks_services
from tinyagent.cli.checks_services import check_workers, check_writer
from tinyagent.cli.findings import Finding
from tinyagent.cli.options import GlobalOptions
from tinyagent.settings import load_settings

TOKEN = "a token that is long enough"


@contextmanager
def answering(path: str, body: object, key: str = TOKEN) -> Iterator[str]:
    """A server that has this JSON at one path, for whoever sends the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] == f"Bearer {key}"
            self.send_response(401 if not known else 200 if self.path == path else 404)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def writer(**model: Any) -> Finding:
    settings = load_settings(writer={"model": model})
    assert settings.writer is not None
    return await check_writer(settings, settings.writer)


async def remote(url: str, name: str = "qwen", key: str = TOKEN) -> Finding:
    return await writer(kind="openai", base_url=f"{url}/v1", model=name, api_key=key)


async def test_a_writer_that_its_server_knows_is_fine() -> None:
    with answering("/v1/models", {"data": [{"id": "qwen"}]}) as url:
        found = await remote(url)
        assert (found.verdict, "email, note, summary, answer" in found.detail) == ("ok", True)


async def test_a_writer_that_its_server_does_not_know_is_told() -> None:
    with answering("/v1/models", {"data": [{"id": "qwen"}]}) as url:
        assert "has no model gemma" in (await remote(url, "gemma")).detail
        refused = await remote(url, key="another")
    assert "does not accept the api_key" in refused.detail
    assert "another" not in refused.detail


async def test_a_writer_whose_server_is_away_or_mute_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing answers" in (await remote(f"http://127.0.0.1:{free_port()}")).detail


async def test_the_list_of_models_may_be_missing_or_senseless() -> None:
    for path, body in (("/other", {}), ("/v1/models", ["?"]), ("/v1/models", {"data": ["?", 3]})):
        with answering(path, body) as url:
            assert (await remote(url)).verdict == "ok"


async def test_a_writers_file_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "writer.gguf"
    missing = await writer(kind="llama", path=str(file))
    assert (missing.verdict, "is missing" in missing.detail) == ("advice", True)
    file.write_bytes(b"hello")
    assert "is no GGUF file" in (await writer(kind="llama", path=str(file))).detail
    file.write_bytes(b"GGUF")
    assert (await writer(kind="llama", path=str(file))).verdict == "ok"


async def workers(url: str) -> Finding:
    return await check_workers(GlobalOptions(None, url), load_settings(token=TOKEN, executor="worker"))


async def test_connected_workers_are_named_with_what_none_of_them_does() -> None:
    tools = [
        {"name": "create_note", "enabled": True, "workers": ["studio"]},
        {"name": "send_sms", "enabled": False, "workers": []},
    ]
    with answering("/v1/tools", {"data": tools}) as url:
        found = await workers(url)
    assert (found.verdict, found.detail) == ("ok", "connected: studio; none for send_sms")


async def test_a_server_without_workers_can_do_nothing() -> None:
    with answering("/v1/tools", {"data": [{"name": "send_sms", "enabled": False, "workers": []}]}) as url:
        found = await workers(url)
    assert (found.verdict, "none is connected" in found.detail) == ("advice", True)
    assert "tinyagent worker --server" in found.hint


async def test_workers_are_unknown_while_the_server_is_away() -> None:
    found = await workers(f"http://127.0.0.1:{free_port()}")
    assert (found.verdict, "unknown" in found.detail) == ("advice", True)


async def test_only_what_is_configured_is_looked_at() -> None:
    options = GlobalOptions(None, f"http://127.0.0.1:{free_port()}")
    checks: list[list[str]] = []
    for settings in (load_settings(), load_settings(executor="worker")):
        checks.append([found.check async for found in checks_services.examine_services(options, settings)])
    assert checks == [[], ["workers"]]
