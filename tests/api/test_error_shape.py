"""Every route, every kind of failure: one shape, the right status, no traceback and no private text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from tests.api.conftest import TOKENS, bearer, build
from tinyagent.api.app import create_app
from tinyagent.api.security import SecuritySettings, host_values
from tinyagent.engine.runs import RunService
from tinyagent.errors import TinyAgentError
from tinyagent.observability.metrics import Metrics
from tinyagent.ports import Embedder
from tinyagent.workers.queue import WorkerQueue


def routes() -> list[tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = build().app.openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


ROUTES = routes()
GUARDED = [route for route in ROUTES if route[1] != "/healthz"]
WORKER = {"worker": "mac", "instance": "0" * 32}
BODIES = {
    "/v1/runs": {"query": "private words"},
    "/v1/chat/completions": {
        "model": "tinyagent",
        "messages": [{"role": "user", "content": "private words"}],
    },
    "/v1/responses": {"model": "tinyagent", "input": "private words"},
    "/v1/embeddings": {"model": "any", "input": "private words"},
    "/v1/runs/{run}/tasks/{task}/approve": {"digest": "0" * 64},
    "/v1/runs/{run}/tasks/{task}/reject": {"digest": "0" * 64},
    "/v1/runs/{run}/approve": {"tasks": {"1": "0" * 64}},
    "/v1/runs/{run}/reject": {"tasks": {"1": "0" * 64}},
    "/v1/worker/claim": {**WORKER, "tools": {}},
    "/v1/worker/tasks/{task}/heartbeat": WORKER,
    "/v1/worker/tasks/{task}/result": {**WORKER, "error": {"code": "no_match", "message": "private words"}},
}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Of a server that has workers too, so that every route is there."""
    api = build(workers=WorkerQueue([], wait_s=1, lease_s=1))
    async with api.client:
        yield api.client
    await api.engine.close()


def address(path: str) -> str:
    things = {"{run}": "run_0", "{response}": "resp_run_0", "{model}": "nothing", "{task}": "1"}
    for name, thing in things.items():
        path = path.replace(name, thing)
    return path


def body_of(method: str, path: str) -> dict[str, Any] | None:
    return BODIES.get(path) if method == "POST" else None


def check(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error.keys() - {"candidates"} == {"message", "type", "param", "code"}
    assert error["message"] and error["type"] and error["code"]
    assert "Traceback" not in answer.text
    return cast("dict[str, Any]", error)


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_without_a_token(client: httpx.AsyncClient, method: str, path: str) -> None:
    del client.headers["Authorization"]
    assert check(await client.request(method, address(path)), 401)["type"] == "authentication_error"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_from_another_host(client: httpx.AsyncClient, method: str, path: str) -> None:
    check(await client.request(method, address(path), headers={"Host": "evil.example"}), 421)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_with_an_unknown_query_parameter(client: httpx.AsyncClient, method: str, path: str) -> None:
    body = body_of(method, path)
    answer = await client.request(method, address(path), params={"colour": "red"}, json=body)
    assert check(answer, 400)["param"] == "colour"


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
async def test_with_a_method_that_the_route_does_not_take(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.request("PATCH", address(path))
    assert check(answer, 405)["code"] == "method_not_allowed"
    assert answer.headers["allow"]


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{" in route[1]])
async def test_of_a_thing_that_does_not_exist(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, address(path), json=body_of(method, path))
    assert check(answer, 404)["type"] == "not_found_error"


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/runs/", "/v1/runs/a/b/c", "/nowhere", "/"])
async def test_of_a_route_that_does_not_exist(client: httpx.AsyncClient, path: str) -> None:
    assert check(await client.get(path), 404)["code"] == "not_found"


@pytest.mark.parametrize("path", [address(path) for path in BODIES])
async def test_with_a_body_of_the_wrong_kind(client: httpx.AsyncClient, path: str) -> None:
    check(await client.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400)
    check(await client.post(path, content=b"x", headers={"Content-Type": "text/plain"}), 415)
    check(await client.post(path, json=[]), 400)
    check(await client.post(path, json={}), 400)


class Exploding:
    """An engine of which everything fails in a way that nobody foresaw."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("private words")


class ExplodingFigures(Metrics):
    """Counts, but cannot tell."""

    def text(self) -> bytes:
        raise RuntimeError("private words")


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_when_the_engine_fails_unforeseen(
    method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    exploding_queue = cast("WorkerQueue", Exploding())
    security = SecuritySettings(TOKENS, host_values(["127.0.0.1"], 8765))
    transport = httpx.ASGITransport(
        create_app(
            cast("RunService", Exploding()),
            security,
            workers=exploding_queue,
            embedder=cast("Embedder", Exploding()),
            figures=ExplodingFigures(),
        )
    )
    url = address(path).replace("nothing", "tinyagent")
    body = body_of(method, path)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        answer = await client.request(method, url, json=body, headers=bearer())
    error = check(answer, 500)
    assert (error["code"], error["type"]) == ("internal", "server_error")
    assert "private words" not in answer.text
    assert "RuntimeError" in caplog.text
    assert "private words" not in caplog.text


def codes(kind: type[TinyAgentError]) -> list[type[TinyAgentError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in codes(sub))]


def test_every_fault_of_a_run_keeps_its_code_and_gets_its_status() -> None:
    from tinyagent.api.failures import error_body, error_of
    from tinyagent.domain.events import Fault

    for kind in codes(TinyAgentError):
        error = error_of(Fault(code=kind.code, message="m", hint="h", candidates=("a", "b")))
        assert (error.code, error.status) == (kind.code, kind.status)
        body = error_body(error)["error"]
        assert (body["message"], body["candidates"]) == ("m h", ["a", "b"])


def test_the_schema_promises_the_one_shape_for_every_route() -> None:
    schema = build().app.openapi()
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            content = operation["responses"]["default"]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
