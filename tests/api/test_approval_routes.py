"""Answering what a run asks, and taking back what it did, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import READER, RUNNER, Api, MakeApi, bearer
from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tinyagent.engine.policy import Policy
from tinyagent.ports import ToolResult

PLAN = '1. look("Sid")\n2. keep("$1", "hello")\n3. keep("tea", "green")\n4. join()<END_OF_PLAN>'
WRONG = "0" * 64


async def kept(arguments: Any) -> ToolResult:
    return ToolResult("kept", f"Kept {arguments[0]}.", undo={"id": str(arguments[0])})


def asking(make_api: MakeApi, **policy: Any) -> Api:
    host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"), kept)
    host.shown = {"keep": {"folder": "Notes"}}
    return make_api(ScriptedPlanner(PLAN), host, policy=Policy(**{"write": "ask", **policy}))


async def started(api: Api, **fields: Any) -> str:
    answer = await api.client.post("/v1/runs", json={"query": "keep tea", **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()["run"]


async def read(api: Api, run: str) -> dict[str, Any]:
    return (await api.client.get(f"/v1/runs/{run}")).json()


async def waiting(api: Api, run: str, *tasks: int) -> dict[str, str]:
    """The digests of these tasks, by number as JSON has it, once all of them wait."""
    digests: dict[str, str] = {}
    async for event in api.engine.events(run):
        if event.type == "approval.requested":
            digests[str(event.data.task)] = event.data.digest
        if digests.keys() >= set(map(str, tasks)):
            break
    return digests


async def post(api: Api, path: str, body: Any = None, **options: Any) -> httpx.Response:
    return await api.client.post(f"/v1/runs/{path}", json=body, **options)


def statuses(body: dict[str, Any]) -> dict[int, str]:
    return {task["task"]: task["status"] for task in body["tasks"]}


async def test_a_waiting_call_shows_exactly_what_it_would_do(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    digests = await waiting(api, run, 2, 3)
    task = (await read(api, run))["tasks"][1]
    assert (task["status"], task["can_undo"], task["undone"]) == ("waiting", False, "")
    approval = task["approval"]
    assert (approval["tool"], approval["arguments"]) == ("keep", ["look(Sid)", "hello"])
    assert (approval["details"], approval["digest"]) == ({"folder": "Notes"}, digests["2"])
    assert len(approval["sources"]) == 2
    assert approval["reason"] and approval["expires"]
    assert api.host.calls == [("look", ("Sid",))]


async def test_one_screen_approves_all(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    answer = await post(api, f"{run}/approve", {"tasks": await waiting(api, run, 2, 3)})
    assert (answer.status_code, answer.json()["run"]) == (200, run)
    await api.finished(run)
    assert statuses(await read(api, run)) == {1: "succeeded", 2: "succeeded", 3: "succeeded"}


async def test_each_call_is_decided_by_itself_and_the_token_is_noted(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    digests = await waiting(api, run, 2, 3)
    yes = await post(api, f"{run}/tasks/2/approve", {"digest": digests["2"]}, headers=bearer(RUNNER))
    no = await post(api, f"{run}/tasks/3/reject", {"digest": digests["3"], "reason": "No tea."})
    assert (yes.status_code, no.status_code) == (200, 200)
    decided = [event.data async for event in api.engine.events(run) if event.type == "approval.decided"]
    assert {(data.task, data.approved, data.by, data.reason) for data in decided} == {
        (2, True, "runner", ""),
        (3, False, "admin", "No tea."),
    }
    body = await read(api, run)
    assert statuses(body) == {1: "succeeded", 2: "succeeded", 3: "failed"}
    assert body["tasks"][2]["error"]["code"] == "rejected"


async def test_one_screen_rejects_all(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    digests = await waiting(api, run, 2, 3)
    answer = await post(api, f"{run}/reject", {"tasks": digests, "reason": "Not now."})
    assert answer.status_code == 200
    await api.finished(run)
    assert statuses(await read(api, run)) == {1: "succeeded", 2: "failed", 3: "failed"}
    assert api.host.calls == [("look", ("Sid",))]


async def test_one_wrong_digest_and_nothing_is_decided(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    digests = await waiting(api, run, 2, 3)
    answer = await post(api, f"{run}/approve", {"tasks": {**digests, "3": WRONG}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert statuses(await read(api, run)) == {1: "succeeded", 2: "waiting", 3: "waiting"}


async def test_an_approval_holds_once(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    digests = await waiting(api, run, 2, 3)
    body = {"digest": digests["2"]}
    assert (await post(api, f"{run}/tasks/2/approve", body)).status_code == 200
    assert (await post(api, f"{run}/tasks/2/approve", body)).status_code == 409
    assert (await post(api, f"{run}/tasks/2/reject", body)).status_code == 409
    await post(api, f"{run}/tasks/3/reject", {"digest": digests["3"]})
    await api.finished(run)
    assert (await post(api, f"{run}/tasks/2/approve", body)).status_code == 409
    assert [call for call in api.host.calls if call[0] == "keep"] == [("keep", ("look(Sid)", "hello"))]


@pytest.mark.parametrize("room", ["approve", "reject"])
@pytest.mark.parametrize(
    "tasks",
    [{}, {"1": "x"}, {"zero": WRONG}, {"0": WRONG}, {"-1": WRONG}, {"1": WRONG + "0"}, [], None],
)
async def test_faulty_answers_are_refused(api: Api, room: str, tasks: Any) -> None:
    answer = await post(api, f"run_x/{room}", {"tasks": tasks})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("tasks")


async def test_an_unknown_run_is_not_found(api: Api) -> None:
    for path in ("approve", "reject"):
        assert (await post(api, f"run_x/{path}", {"tasks": {"1": WRONG}})).status_code == 404
        assert (await post(api, f"run_x/tasks/1/{path}", {"digest": WRONG})).status_code == 404
    assert (await post(api, "run_x/undo")).status_code == 404
    assert (await post(api, "run_x/tasks/1/undo")).status_code == 404


async def test_a_reader_may_neither_decide_nor_undo(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    digests = await waiting(api, run, 2)
    refused = [
        await post(api, f"{run}/tasks/2/approve", {"digest": digests["2"]}, headers=bearer(READER)),
        await post(api, f"{run}/approve", {"tasks": digests}, headers=bearer(READER)),
        await post(api, f"{run}/undo", headers=bearer(READER)),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert statuses(await read(api, run))[2] == "waiting"


async def test_a_run_that_nobody_answers_for_is_refused_at_once(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api, answerable=False)
    await api.finished(run)
    body = await read(api, run)
    assert statuses(body) == {1: "succeeded", 2: "failed", 3: "failed"}
    assert body["tasks"][1]["error"]["code"] == "approval_unavailable"


async def test_a_run_may_ask_for_what_the_settings_do_without_asking(make_api: MakeApi) -> None:
    api = asking(make_api, write="auto")
    run = await started(api, approval="ask")
    assert await waiting(api, run, 2, 3)
    free = await started(api)
    await api.finished(free)
    assert statuses(await read(api, free)) == {1: "succeeded", 2: "succeeded", 3: "succeeded"}


async def test_a_run_cannot_free_itself_from_asking(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api, approval="auto")
    assert await waiting(api, run, 2, 3)


# --- taking back -----------------------------------------------------------------------------


async def test_one_call_is_taken_back_once(make_api: MakeApi) -> None:
    api = asking(make_api, write="auto")
    run = await started(api)
    await api.finished(run)
    assert [task["can_undo"] for task in (await read(api, run))["tasks"]] == [False, True, True]
    answer = await post(api, f"{run}/tasks/3/undo")
    assert answer.json() == {
        "object": "list",
        "data": [{"task": 3, "tool": "keep", "message": "keep was taken back.", "error": None}],
    }
    assert api.host.undone == [("keep", {"id": "tea"})]
    task = (await read(api, run))["tasks"][2]
    assert (task["can_undo"], task["undone"]) == (False, "keep was taken back.")
    again = await post(api, f"{run}/tasks/3/undo")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


async def test_a_whole_run_is_taken_back(make_api: MakeApi) -> None:
    api = asking(make_api, write="auto")
    run = await started(api)
    await api.finished(run)
    answer = await post(api, f"{run}/undo")
    assert {one["task"] for one in answer.json()["data"]} == {2, 3}
    events = await api.client.get(f"/v1/runs/{run}/events")
    assert "run.completed" in events.text
    assert (await post(api, f"{run}/undo")).status_code == 409


async def test_what_cannot_be_taken_back_says_so(make_api: MakeApi) -> None:
    api = asking(make_api, write="auto")
    run = await started(api)
    await api.finished(run)
    assert (await post(api, f"{run}/tasks/1/undo")).status_code == 409
    assert (await post(api, f"{run}/tasks/9/undo")).status_code == 404
    assert (await post(api, f"{run}/tasks/0/undo")).status_code == 400


async def test_a_run_under_way_is_not_taken_back(make_api: MakeApi) -> None:
    api = asking(make_api)
    run = await started(api)
    await waiting(api, run, 2, 3)
    assert (await post(api, f"{run}/undo")).status_code == 409
    await api.client.post(f"/v1/runs/{run}/cancel")
    assert api.host.calls == [("look", ("Sid",))]
