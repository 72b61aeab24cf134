"""The Dockerfile's steps, carried out in a clean folder, make a server that works as its image says."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.deploy.dockerfile import Stage, stages
from tests.deploy.image import Image, as_user
from tests.support.server import free_port

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
WHEELS = CACHE / "tinyagent" / "wheels"
TOKEN = "set-on-purpose-" + "0" * 16
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
REQUEST = {"model": "tinyagent", "messages": [{"role": "user", "content": "Remind me at 9 to call Bob"}]}
PATIENCE_S = 90.0

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the image is one of Linux"),
    pytest.mark.skipif(
        not list(WHEELS.glob("llama_cpp_python-*.whl")),
        reason=f"no compiled llama.cpp in {WHEELS}; `make setup` puts it there",
    ),
]


@dataclass(frozen=True)
class Container:
    """A process with the image's user, environment and command."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path
    prefix: list[str]
    environment: dict[str, str]

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """What `docker exec` does."""
        return subprocess.run(
            [*self.prefix, *command], env=self.environment, capture_output=True, text=True, timeout=60
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    # Not below pytest's folder, which the image's user may not enter.
    root = Path(tempfile.mkdtemp(prefix="tinyagent-image-"))
    try:
        root.chmod(0o755)
        if not _registry_answers(root / "probe"):
            pytest.skip("the steps install packages, and no package registry answers")
        image = Image(root, ROOT, WHEELS)
        for stage in stages(ROOT / "Dockerfile"):
            image.build(stage)
        yield image
    finally:
        shutil.rmtree(root)


def _registry_answers(folder: Path) -> bool:
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    return subprocess.run([*download, "hatchling"], capture_output=True, timeout=60).returncode == 0


@pytest.fixture
def final() -> Stage:
    return stages(ROOT / "Dockerfile")[-1]


@contextmanager
def container(image: Image, stage: Stage, **extra: str) -> Iterator[Container]:
    """Start one with an empty volume, and wait until its own health check is content."""
    port, data = str(free_port()), Path(image.here(stage.last("VOLUME").rest))
    _empty(data)
    environment = {**image.environment, "TINYAGENT_PORT": port, "HOME": str(data), **extra}
    prefix = as_user(stage.last("USER").rest)
    process = subprocess.Popen(
        [*prefix, *stage.command("ENTRYPOINT"), *stage.command("CMD")],
        env=environment,
        cwd=image.here(stage.last("WORKDIR").rest),
        stdin=subprocess.DEVNULL,
    )
    running = Container(process, f"http://127.0.0.1:{port}", data, prefix, environment)
    try:
        check = stage.command("HEALTHCHECK")
        _wait_until(lambda: running.run(check).returncode == 0, process)
        yield running
    finally:
        _end(process)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _wait_until(fulfilled: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not fulfilled():
        assert process.poll() is None, f"the process ended with {process.returncode}"
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait(20)


def ask(url: str) -> str:
    """Send the request; how the answer ended."""
    answer = httpx.post(f"{url}/v1/chat/completions", json=REQUEST, headers=KNOWN, timeout=60)
    return str(answer.json()["choices"][0]["finish_reason"])


def test_the_container_serves_its_user_alone_and_ends_cleanly(image: Image, final: Stage) -> None:
    with container(image, final, TINYAGENT_TOKEN=TOKEN) as server:
        route = f"{server.url}/v1/chat/completions"
        assert httpx.post(route, json=REQUEST).status_code == 401
        assert httpx.post(route, json=REQUEST, headers={**KNOWN, "Host": "a.example"}).status_code == 421
        assert ask(server.url) == "stop"
        (reminder,) = server.data.rglob("*.ics")
        uid = int(final.last("USER").rest.partition(":")[0]) if server.prefix else os.geteuid()
        assert reminder.stat().st_uid == uid
        assert server.stop() == 0
    reports = list(server.data.rglob(".onnxruntime"))
    assert not reports, "onnxruntime keeps a number of this computer, to report its use to its maker"


def test_a_worker_outside_carries_out_the_calls(image: Image, final: Stage, tmp_path: Path) -> None:
    with container(image, final, TINYAGENT_TOKEN=TOKEN, TINYAGENT_EXECUTOR="worker") as server:
        told = server.run([*final.command("ENTRYPOINT"), "token", "--worker"])
        assert told.returncode == 0, told.stderr
        # The worker knows the server's address and the workers' token, and nothing else of it.
        worker = subprocess.Popen(
            [*final.command("ENTRYPOINT"), "worker", "--server", server.url],
            env={
                "PATH": image.environment["PATH"],
                "HOME": str(tmp_path),
                "TINYAGENT_HOME": str(tmp_path / "home"),
                "TINYAGENT_WORKER_TOKEN": told.stdout.strip(),
            },
            stdin=subprocess.DEVNULL,
        )
        try:
            _wait_until(lambda: _has_workers(server.url), worker)
            assert ask(server.url) == "stop"
            assert len(list((tmp_path / "home").rglob("*.ics"))) == 1
            assert not list(server.data.rglob("*.ics"))
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            _end(worker)


def _has_workers(url: str) -> bool:
    tools = httpx.get(f"{url}/v1/tools", headers=KNOWN).json()["data"]
    return any(tool["workers"] for tool in tools)


def test_without_a_token_nothing_is_served(image: Image, final: Stage) -> None:
    result = subprocess.run(
        [*as_user(final.last("USER").rest), *final.command("ENTRYPOINT"), *final.command("CMD")],
        env={**image.environment, "TINYAGENT_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert "Set TINYAGENT_TOKEN" in result.stderr
