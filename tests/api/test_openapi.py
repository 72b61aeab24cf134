"""The document of the API: it is what the application says, complete, and kept by the answers."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.api.conftest import Api, MakeApi
from tests.api.test_approval_routes import waiting
from tests.docs import openapi_page
from tests.docs.openapi_changes import breaking_changes
from tests.docs.openapi_page import (
    BLOCKS,
    COMMAND,
    DOCUMENT,
    document,
    filled,
    operations,
    parameters,
    written,
)
from tests.docs.parameter_tests import PARAMETERS, ROUTES, named
from tests.support.scripted import NOW, FakeHost, ScriptedPlanner, spec
from tests.support.scripted_chat import ScriptedChat, add_chat
from tinyagent.api.openapi_operations import OPERATIONS
from tinyagent.api.openapi_refusals import REASONS, REFUSED
from tinyagent.engine.policy import Policy
from tinyagent.errors import error_kinds
from tinyagent.ports import CallContext, Embeddings, PlanRequest, ToolResult
from tinyagent.toolrag.embedding import NAME
from tinyagent.workers.queue import WorkerQueue

OWN = '1. look("Sid")\n2. keep("$1", "hello")\n3. join()<END_OF_PLAN>'
CLIENTS = '1. get_phone_number("Sid")\n2. send_sms(["$1"], "I am late")\n3. join()<END_OF_PLAN>'
EXAMPLES = [(route, name) for route, operation in OPERATIONS.items() for name in operation.examples]
BARE = [route for route in OPERATIONS if route[0] == "GET"]


# --- the document and what is made of it -------------------------------------------------------


def test_the_committed_document_is_what_the_application_says() -> None:
    assert DOCUMENT.read_text() == written(), COMMAND


@pytest.mark.parametrize("page", BLOCKS, ids=lambda page: page.name)
def test_the_pages_tell_what_the_document_says(page: Any) -> None:
    assert page.read_text() == filled(page), COMMAND


def test_no_client_of_the_committed_document_would_break() -> None:
    assert breaking_changes(json.loads(DOCUMENT.read_text()), document()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["paths"].pop("/v1/tools"), "GET /v1/tools is gone"),
        (lambda d: d["paths"]["/v1/runs/{run}"].pop("delete"), "DELETE /v1/runs/{run} is gone"),
        (lambda d: d["paths"]["/v1/runs"]["get"]["parameters"].pop(), "GET /v1/runs: before is gone"),
        (
            lambda d: d["paths"]["/v1/runs"]["get"]["parameters"][0].update(required=True),
            "GET /v1/runs: limit is required",
        ),
        (
            lambda d: d["paths"]["/v1/runs/{run}/cancel"]["post"]["requestBody"].update(required=True),
            "POST /v1/runs/{run}/cancel: a body is required",
        ),
        (
            lambda d: d["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]["content"].pop(
                "text/event-stream"
            ),
            "POST /v1/chat/completions: 200 as text/event-stream is gone",
        ),
        (
            lambda d: d["paths"]["/v1/runs/{run}/events"]["get"]["responses"].pop("204"),
            "GET /v1/runs/{run}/events: 204 is gone",
        ),
        (lambda d: d["components"]["schemas"].pop("RunBody"), "schema RunBody is gone"),
        (
            lambda d: d["components"]["schemas"]["StartRun"]["required"].append("now"),
            "StartRun.now is required",
        ),
        (lambda d: d["components"]["schemas"]["RunBody"]["properties"].pop("plan"), "RunBody.plan is gone"),
        (
            lambda d: d["components"]["schemas"]["RunBody"]["required"].remove("plan"),
            "RunBody.plan is not always there",
        ),
        (
            lambda d: d["components"]["schemas"]["StartRun"]["properties"]["mode"]["enum"].remove("plan"),
            "StartRun.mode: 'plan' is gone",
        ),
    ],
)
def test_what_would_break_a_client_is_found(change: Any, told: str) -> None:
    changed = copy.deepcopy(document())
    change(changed)
    assert told in breaking_changes(document(), changed)


def test_what_is_only_added_breaks_nobody() -> None:
    before = copy.deepcopy(document())
    del before["paths"]["/v1/tools"]["get"]
    del before["paths"]["/v1/runs"]["get"]["parameters"][0]
    before["components"]["schemas"]["RunBody"]["properties"].pop("follows")
    before["components"]["schemas"]["RunBody"]["required"].remove("follows")
    before["components"]["schemas"]["ErrorDetail"]["properties"]["code"]["enum"].pop()
    assert breaking_changes(before, document()) == []


def test_a_document_that_would_break_clients_is_only_written_on_purpose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = copy.deepcopy(document())
    before["paths"]["/v1/gone"] = {"get": {"responses": {}}}
    there = tmp_path / "openapi.json"
    there.write_text(json.dumps(before))
    monkeypatch.setattr(openapi_page, "DOCUMENT", there)
    monkeypatch.setattr(openapi_page, "BLOCKS", {})
    assert "GET /v1/gone is gone" in (openapi_page.main([]) or "")
    assert json.loads(there.read_text()) == before
    assert openapi_page.main(["--breaking"]) is None
    assert json.loads(there.read_text()) == document()


def test_every_operation_is_told_in_full() -> None:
    assert {route for route, _ in operations()} == {f"{method} {path}" for method, path in OPERATIONS}
    assert set(document()["paths"]) == {path for _, path in OPERATIONS}
    for route, told in operations():
        assert told["summary"] and told["description"] and len(told["tags"]) == 1, route
        assert "default" in told["responses"] and "400" in told["responses"], route
        assert ("security" in told) == (route != "GET /healthz"), route
        body = told.get("requestBody", {}).get("content", {}).get("application/json")
        assert body is None or body["examples"], route


def test_every_schema_is_one_and_every_reference_leads_to_one() -> None:
    schemas = document()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    found = set(re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(document())))
    assert found
    assert [one for one in sorted(found) if one[1] not in document()["components"][one[0]]] == []


def test_the_codes_of_errors_are_the_closed_list() -> None:
    code = document()["components"]["schemas"]["ErrorDetail"]["properties"]["code"]
    assert set(code["enum"]) == set(error_kinds())


def test_every_refused_parameter_has_its_reason_and_no_other_has_one() -> None:
    assert set(REASONS) == {name for neutral in REFUSED.values() for name in neutral}


# --- the tests of parameters and routes --------------------------------------------------------


def test_every_parameter_of_the_openai_routes_has_a_test_that_names_it() -> None:
    for route, tests in PARAMETERS.items():
        shown = {name for names in tests.values() for name in names}
        assert shown == set(parameters(route)), route
        for test, names in tests.items():
            found = named(test)
            assert found is not None, test
            said = found.source.replace("_", "-").casefold()
            for name in names:
                plain = name.replace("_", "-") in said
                assert plain or ("NEUTRAL" in found.source or "REFUSED" in found.source), (test, name)


def test_every_openai_route_with_parameters_is_in_the_table() -> None:
    openai = {route for route, told in operations() if told["tags"] == ["OpenAI"]}
    assert {route for route in openai if parameters(route)} == set(PARAMETERS)


def test_every_route_has_tests_that_exist() -> None:
    assert set(ROUTES) == {route for route, _ in operations()}
    names = [name for tests in ROUTES.values() for name in tests]
    assert [name for name in names if named(name) is None] == []


# --- a server with everything ------------------------------------------------------------------


class Planner(ScriptedPlanner):
    """Plans over the server's own tools, or over those of the examples."""

    async def plan(self, request: PlanRequest) -> AsyncIterator[Any]:
        own = all(tool.name != "send_sms" for tool in request.tools)
        yield OWN if own else CLIENTS


class Encoder:
    """An embedder with the name of the bundled one."""

    name, size, max_tokens = NAME, 2, 9

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        return Embeddings(tuple((1.0, 0.0) for _ in texts), len(texts))


class Counted:
    """Figures that are none."""

    def text(self) -> bytes:
        return b"# nothing\n"

    def answered(self, *_: Any) -> None: ...

    def used(self, *_: Any) -> None: ...


async def kept(arguments: Any) -> ToolResult:
    return ToolResult("kept", "Kept.", undo={"id": "1"})


@pytest.fixture
def queue() -> WorkerQueue:
    return WorkerQueue([spec("create_note", "str", "str", effect="write")], wait_s=20, lease_s=20)


@pytest.fixture
def api(make_api: MakeApi, queue: WorkerQueue) -> Api:
    host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"), kept)
    options: dict[str, Any] = {"workers": queue, "embedder": Encoder(), "figures": Counted()}
    api = make_api(Planner(""), host, **options)
    add_chat(api.engine.catalog, ScriptedChat(name="mine"), api.planner)
    return api


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Of what fits the schema and has no field beyond those that it tells."""
    components = copy.deepcopy(document()["components"])
    for one in components["schemas"].values():
        if "properties" in one:
            one.setdefault("additionalProperties", False)
    return Draft202012Validator({**schema, "components": components})


def declared(route: tuple[str, str], answer: httpx.Response) -> None:
    """The answer's status, type and body are as the document tells them."""
    told = document()["paths"][route[1]][route[0].lower()]["responses"][str(answer.status_code)]
    if "$ref" in told:
        told = document()["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    if "content" not in told:
        assert not answer.content
        return
    content = told["content"]
    media_type = answer.headers["content-type"]
    media = content.get(media_type) or content[media_type.partition(";")[0]]
    if media_type.startswith("text/event-stream"):
        frames = re.findall(r"^data: (\{.*)$", answer.text, re.MULTILINE)
        assert len(frames) > 2
        for frame in frames:
            _validator(media["schema"]["properties"]["data"]["contentSchema"]).validate(json.loads(frame))
    elif media_type.startswith("application/json"):
        _validator(media["schema"]).validate(answer.json())


async def started(api: Api) -> str:
    return (await api.client.post("/v1/runs", json={"query": "keep it"})).json()["run"]


async def place(api: Api, queue: WorkerQueue, path: str) -> tuple[str, str]:
    """The path with a thing in it that is there, and the digest of what waits."""
    digest = ""
    if "{run}" in path:
        run = await started(api)
        if "{task}" in path or path.endswith(("approve", "reject")):
            digest = (await waiting(api, run, 2))["2"]
        elif not path.endswith("cancel"):
            await api.finished(run)
        path = path.replace("{run}", run)
    if path.startswith("/v1/worker/tasks"):
        claim = OPERATIONS["POST", "/v1/worker/claim"].examples["waiting"]
        path = path.replace("{task}", (await api.client.post("/v1/worker/claim", json=claim)).json()["id"])
    return path.replace("{task}", "2"), digest


@pytest.mark.parametrize(("route", "name"), EXAMPLES, ids=lambda part: str(part[-1]))
async def test_every_example_is_accepted_and_answered_as_declared(
    make_api: MakeApi, api: Api, queue: WorkerQueue, route: tuple[str, str], name: str
) -> None:
    method, path = route
    calling = None
    if path.startswith("/v1/worker"):
        calling = asyncio.create_task(queue.call("create_note", ("a", "b"), CallContext(NOW, seconds=20)))
    if "{run}" in path:  # of a run that asks
        host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"), kept)
        api = make_api(Planner(""), host, policy=Policy(write="ask"))
    address, digest = await place(api, queue, path)
    body = json.loads(re.sub(r"[0-9a-f]{64}", digest, json.dumps(OPERATIONS[route].examples[name])))
    answer = await api.client.request(method, address, json=body)
    assert answer.status_code in (200, 202), answer.text
    declared(route, answer)
    if calling is not None:
        calling.cancel()


@pytest.mark.parametrize("route", BARE, ids=lambda route: route[1])
async def test_every_answer_without_a_body_is_as_declared(
    api: Api, queue: WorkerQueue, route: tuple[str, str]
) -> None:
    method, path = route
    if "{response}" in path:
        body = OPERATIONS["POST", "/v1/responses"].examples["agent"]
        path = path.replace("{response}", (await api.client.post("/v1/responses", json=body)).json()["id"])
    address, _ = await place(api, queue, path.replace("{model}", "mine"))
    answer = await api.client.request(method, address)
    assert answer.status_code == 200, answer.text
    declared(route, answer)


async def test_what_is_taken_back_forgotten_and_followed_to_the_end_is_as_declared(api: Api) -> None:
    run = await started(api)
    await api.finished(run)
    for method, path, status in (
        ("POST", "/v1/runs/{run}/tasks/{task}/undo", 200),
        ("POST", "/v1/runs/{run}/undo", 409),
        ("POST", "/v1/runs/{run}/cancel", 409),
        ("GET", "/v1/runs/{run}/events", 204),
        ("DELETE", "/v1/runs/{run}", 204),
        ("GET", "/v1/runs/{run}", 404),
    ):
        headers = {"Last-Event-ID": "1000"} if status == 204 and method == "GET" else {}
        address = path.replace("{run}", run).replace("{task}", "2")
        answer = await api.client.request(method, address, headers=headers)
        assert answer.status_code == status, (path, answer.text)
        declared((method, path), answer)


async def test_a_failed_run_is_told_as_declared(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner("1. nonsense("))
    for path in ("/v1/chat/completions", "/v1/responses"):
        for name in ("agent", "agent, streamed"):
            answer = await api.client.post(path, json=OPERATIONS["POST", path].examples[name])
            assert answer.status_code == (200 if "streamed" in name else 502)
            assert "error" in answer.text
            declared(("POST", path), answer)


async def test_a_server_that_is_not_ready_says_so_as_declared(make_api: MakeApi) -> None:
    answer = await make_api(host=FakeHost()).client.get("/readyz")
    assert answer.status_code == 503
    declared(("GET", "/readyz"), answer)


async def test_refusals_are_as_declared(api: Api) -> None:
    for method, path in OPERATIONS:
        address = re.sub(r"\{\w+\}", "1", path)
        for headers in ({"Host": "evil.example"}, {"Authorization": "Bearer wrong"}, {"Origin": "null"}):
            if path != "/healthz" or "Host" in headers:
                declared((method, path), await api.client.request(method, address, headers=headers))
        declared((method, path), await api.client.request(method, address, params={"colour": "red"}))


# --- parameters that are refused ---------------------------------------------------------------

ASKING: dict[str, tuple[str, dict[str, Any]]] = {
    "ChatRequest": ("/v1/chat/completions", OPERATIONS["POST", "/v1/chat/completions"].examples["agent"]),
    "ResponseRequest": ("/v1/responses", OPERATIONS["POST", "/v1/responses"].examples["agent"]),
}


@pytest.mark.parametrize(
    ("schema", "name"), [(schema, name) for schema, names in REFUSED.items() for name in names]
)
async def test_a_parameter_that_is_refused_is_named_and_taken_when_it_asks_for_nothing(
    api: Api, schema: str, name: str
) -> None:
    path, body = ASKING[schema]
    for value in ("something", 7, {"some": "thing"}, ["something"], True):
        answer = await api.client.post(path, json={**body, name: value})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, name), answer.text
        assert await api.engine.runs(1) == []
    for value in document()["components"]["schemas"][schema]["properties"][name]["enum"]:
        assert (await api.client.post(path, json={**body, name: value})).status_code == 200


@pytest.mark.parametrize("schema", ASKING)
async def test_the_bounds_of_parameters_are_kept(api: Api, schema: str) -> None:
    path, body = ASKING[schema]
    properties = document()["components"]["schemas"][schema]["properties"]
    tried = 0
    for name, told in properties.items():
        for part in told.get("anyOf", [told]):
            for bound, step in (("minimum", -1), ("maximum", 1)):
                if bound in part and abs(part[bound]) < 2**53:
                    answer = await api.client.post(path, json={**body, name: part[bound] + step})
                    assert (answer.status_code, answer.json()["error"]["param"]) == (400, name)
                    tried += 1
    assert tried >= 5
