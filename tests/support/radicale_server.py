"""A real CalDAV and CardDAV server (Radicale) in a process of its own, its data in a folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.server import free_port

USER, PASSWORD = "robin", "dav sécret"
START_S = 30.0

_COMPONENTS = (
    "<C:supported-calendar-component-set><C:comp name={kind!r}/></C:supported-calendar-component-set>"
)


@dataclass
class RadicaleServer:
    """A running server with one user who has no collections yet."""

    url: str
    data: Path
    _furnished: dict[tuple[tuple[str, str, str], ...], Path] = field(
        default_factory=dict[tuple[tuple[str, str, str], ...], Path]
    )

    def client(self) -> httpx.Client:
        """Requests as another program of the user sends them."""
        return httpx.Client(base_url=self.url, auth=(USER, PASSWORD), timeout=10, verify=False)

    def make_collection(self, path: str, name: str, kind: str) -> None:
        """A calendar (VEVENT), task list (VTODO) or address book (VCARD) at `path` below the user."""
        what = "A:addressbook" if kind == "VCARD" else "C:calendar"
        components = "" if kind == "VCARD" else _COMPONENTS.format(kind=kind)
        body = (
            '<?xml version="1.0"?><D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
            'xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>'
            f"<D:resourcetype><D:collection/><{what}/></D:resourcetype>"
            f"<D:displayname>{name}</D:displayname>{components}</D:prop></D:set></D:mkcol>"
        )
        with self.client() as client:
            answer = client.request("MKCOL", f"/{USER}/{path}/", content=body.encode())
            assert answer.status_code == 201, answer.text

    def put(self, path: str, content: str, kind: str = "text/calendar") -> None:
        with self.client() as client:
            answer = client.put(f"/{USER}/{path}", content=content.encode(), headers={"Content-Type": kind})
            assert answer.is_success, answer.text

    @property
    def folder(self) -> Path:
        """Where the user's collections lie, a folder each."""
        return self.data / "collection-root" / USER

    def clear(self) -> None:
        """Remove all collections of the user."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def furnish(self, *collections: tuple[str, str, str]) -> None:
        """Leave the user these collections alone, empty. What is asked for again is copied."""
        self.clear()
        if collections in self._furnished:
            shutil.copytree(self._furnished[collections], self.folder)
            return
        for path, name, kind in collections:
            self.make_collection(path, name, kind)
        kept = self.data.parent / f"furnished-{len(self._furnished)}"
        self._furnished[collections] = shutil.copytree(self.folder, kept)

    def delete(self, path: str) -> None:
        with self.client() as client:
            assert client.delete(f"/{USER}/{path}").is_success

    def stored(self, path: str) -> list[str]:
        """The content of every file of a collection."""
        files = sorted((self.folder / path).iterdir())
        return [file.read_bytes().decode() for file in files if not file.name.startswith(".")]


@contextmanager
def radicale_server(folder: Path) -> Iterator[RadicaleServer]:
    """Start a server that keeps its data in the folder."""
    port = free_port()
    users = folder / "users"
    users.write_text(f"{USER}:{PASSWORD}\n", "utf-8")
    config = folder / "config"
    config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder / 'data'}\n"
        "[logging]\nlevel = warning\n"
    )
    log = folder / "radicale.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = RadicaleServer(f"http://127.0.0.1:{port}", folder / "data")
    try:
        _wait_until_ready(server, process, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_until_ready(server: RadicaleServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with server.client() as client:
                if client.request("PROPFIND", f"/{USER}/", headers={"Depth": "0"}).status_code == 207:
                    return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"Radicale did not start:\n{log.read_text()}")
